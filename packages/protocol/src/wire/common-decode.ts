// Decodes the bodies of the frames that both ends send, profile `hawser.1`, with the checks of the other decoders. Each field of
// the peer is checked before use. common-encode.ts is the inverse.
import { frameByte } from "./frame-byte.ts"
import type { CommonFrame, Frame } from "./frame.ts"
import type { MessageLimits } from "./message-limits.ts"
import { isMap } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

export type Fields = readonly unknown[]

/**
 * Returns undefined if the fields do not have the frame's shape.
 * @param count message number in its direction. It is the reference of a request, which the frame does not contain.
 */
type Decoder<F extends Frame> = (fields: Fields, types: TypeTable, count: number) => F | undefined

type NameOfByte<F extends Frame> =
  | Extract<F["kind"], keyof typeof frameByte>
  | ("volatile" extends F["kind"] ? "volatileKeyed" : never)
type KindOf<N> = N extends "volatileKeyed" ? "volatile" : N

/** A decoder for each byte of these frames. A frame without one does not compile. */
export type Decoders<F extends Frame> = {
  readonly [N in NameOfByte<F> as (typeof frameByte)[N]]: Decoder<
    Extract<Frame, { readonly kind: KindOf<N> }>
  >
}

export const commonDecoders: Decoders<CommonFrame> = {
  [frameByte.ack]: ([handled, stateFrames]) =>
    isCount(handled) ? { kind: "ack", handled, ...(isCount(stateFrames) ? { stateFrames } : {}) } : undefined,
  [frameByte.ping]: ([number, handled]) =>
    isCount(number) && isCount(handled) ? { kind: "ping", number, handled } : undefined,
  [frameByte.pong]: ([number, handled]) =>
    isCount(number) && isCount(handled) ? { kind: "pong", number, handled } : undefined,
  [frameByte.reset]: ([cause, count]) =>
    isText(cause) && isCount(count) ? { kind: "reset", cause, count } : undefined,
  [frameByte.sync]: ([count, digest]) =>
    isCount(count) && isDigest(digest) ? { kind: "sync", count, digest } : undefined,
  [frameByte.bye]: ([code, message, details]) =>
    isText(code)
      ? {
          kind: "bye",
          code,
          message: isText(message) ? message : "",
          ...(isMap(details) ? { details } : {}),
        }
      : undefined,
}

/** Returns undefined without a size. Other absent limits are those of `usual`. */
export function limitsOf(fields: unknown, usual: MessageLimits): MessageLimits | undefined {
  if (!Array.isArray(fields)) return undefined
  const list: readonly unknown[] = fields
  const [maxBytes, maxDepth, maxElements, maxKeyBytes] = list
  if (!isCount(maxBytes)) return undefined
  return {
    maxBytes,
    maxDepth: isCount(maxDepth) ? maxDepth : usual.maxDepth,
    maxElements: isCount(maxElements) ? maxElements : usual.maxElements,
    maxKeyBytes: isCount(maxKeyBytes) ? maxKeyBytes : usual.maxKeyBytes,
  }
}

/** The trailing elements that REPLICA and HAVE share. */
export function lifeOf(epoch: unknown, topic: unknown): { epoch?: string; topic?: string } {
  return { ...(isText(epoch) ? { epoch } : {}), ...(isText(topic) ? { topic } : {}) }
}

export function isText(value: unknown): value is string {
  return typeof value === "string"
}

/** Returns true for an integer from 0 to 2⁵³−1. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

/** Returns true for an unsigned 32-bit integer. */
export function isDigest(value: unknown): value is number {
  return isCount(value) && value <= 0xffffffff
}
