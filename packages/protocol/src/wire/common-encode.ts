// Converts the frames that both ends send to the fields of their bodies, profile `hawser.1`, with the helpers of the other
// encoders. common-decode.ts is the inverse.
import { wellFormed } from "../base/sentence.ts"
import type { MessageLimits } from "./message-limits.ts"
import { frameByte } from "./frame-byte.ts"
import type { CommonFrame } from "./frame.ts"

export interface FrameBody {
  readonly byte: number
  readonly fields: readonly unknown[]
}

export function commonBody(frame: CommonFrame): FrameBody {
  switch (frame.kind) {
    case "ack":
      return body(frameByte.ack, withTrailing([frame.handled], [frame.stateFrames]))
    case "ping":
      return body(frameByte.ping, [frame.number, frame.handled])
    case "pong":
      return body(frameByte.pong, [frame.number, frame.handled])
    case "reset":
      return body(frameByte.reset, [wellFormed(frame.cause), frame.count])
    case "sync":
      return body(frameByte.sync, [frame.count, frame.digest])
    case "bye":
      return body(
        frameByte.bye,
        withTrailing([wellFormed(frame.code), wellFormed(frame.message)], [frame.details]),
      )
    case "unknownControl":
      throw new TypeError('frame "unknownControl" of a later version cannot be encoded')
  }
}

export function body(byte: number, fields: readonly unknown[]): FrameBody {
  return { byte, fields }
}

/** Appends the optional elements up to the last present one. An absent one before it is sent as nil. */
export function withTrailing(fields: readonly unknown[], optional: readonly unknown[]): unknown[] {
  let count = optional.length
  while (count > 0 && optional[count - 1] === undefined) count -= 1
  return [...fields, ...optional.slice(0, count).map((field) => field ?? null)]
}

/** Rounds milliseconds up to an integer from 0 to 2⁵³−1; NaN becomes 0. */
export function wholeMs(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER)
}

export function limitsFields({ maxBytes, maxDepth, maxElements, maxKeyBytes }: MessageLimits): number[] {
  return [maxBytes, maxDepth, maxElements, maxKeyBytes]
}
