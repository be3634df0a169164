// Converts frames to the fields of their bodies, profile `hawser.1`. frame-decode.ts is the inverse.
import { applicationErrorWire, errorTable, isErrorCode } from "../base/errors.ts"
import type { ErrorCategory } from "../base/errors.ts"
import type { MessageLimits } from "./message-limits.ts"
import { frameByte } from "./frame-byte.ts"
import type {
  Author,
  Frame,
  ReplicaFrame,
  ReplicaHold,
  ReplyFrame,
  RequestFrame,
  TopicEventFrame,
  VolatileFrame,
  WireError,
} from "./frame.ts"
import type { HelloFrame, WelcomeFrame } from "./handshake-frame.ts"
import { wellFormed } from "../base/sentence.ts"
import type { TypeTable } from "./type-table.ts"

/** Categories of errors; the index is the number on the wire. */
export const wireCategories: readonly ErrorCategory[] = ["validation", "permission", "system", "rate_limit"]

/** Bits of WELCOME's flags. Bit 2 is reserved for sessions that survive their server. */
export const welcomeFlag = { resumed: 1, refused: 4 } as const

/** Bits of GOAWAY's flags. */
export const goawayFlag = { drain: 1, shutdown: 2 } as const

export interface FrameBody {
  readonly byte: number
  readonly fields: readonly unknown[]
}

/** @throws RangeError for a type that is not in the session's table. */
export function frameBody(frame: Frame, types: TypeTable): FrameBody {
  switch (frame.kind) {
    case "hello":
      return body(frameByte.hello, helloFields(frame))
    case "welcome":
      return body(frameByte.welcome, welcomeFields(frame))
    case "auth":
      return body(frameByte.auth, [frame.token])
    case "authRequest":
      return body(frameByte.authRequest, [wholeMs(frame.expiresInMs)])
    case "authOk":
      return body(frameByte.authOk, [expiry(frame.expiresInMs)])
    case "ack":
      return body(frameByte.ack, withTrailing([frame.handled], [frame.stateFrames]))
    case "void":
      return body(frameByte.void, [frame.references])
    case "ping":
      return body(frameByte.ping, [frame.number, frame.handled])
    case "pong":
      return body(frameByte.pong, [frame.number, frame.handled])
    case "goaway":
      return body(frameByte.goaway, goawayFields(frame))
    case "reset":
      return body(frameByte.reset, [wellFormed(frame.cause), frame.count])
    case "sync":
      return body(frameByte.sync, [frame.count, frame.digest])
    case "busy":
      return body(frameByte.busy, [wholeMs(frame.retryAfterMs)])
    case "throttled":
      return body(frameByte.throttled, [frame.limit, wholeMs(frame.forMs)])
    case "bye":
      return body(frameByte.bye, byeFields(frame))
    case "event":
      return body(frameByte.event, [types.numberOf(frame.type), frame.payload])
    case "request":
      return body(frameByte.request, requestFields(frame, types))
    case "reply":
      return body(frameByte.reply, replyFields(frame))
    case "item":
      return body(frameByte.item, [frame.reference, frame.payload])
    case "end":
      return body(frameByte.end, [frame.reference, ...errorFields(frame.error)])
    case "cancel":
      return body(frameByte.cancel, [frame.reference])
    case "credit":
      return body(frameByte.credit, [frame.reference, frame.items])
    case "topicEvent":
      return body(frameByte.topicEvent, topicEventFields(frame, types))
    case "volatile":
      return volatileBody(frame, types)
    case "replica":
      return body(frameByte.replica, replicaFields(frame))
    case "have":
      return body(frameByte.have, [frame.held.map(holdFields)])
    case "replicaParts":
      throw new TypeError('frame "replicaParts" has no field body; send its bytes')
    case "unknownControl":
      throw new TypeError('frame "unknownControl" of a later version cannot be encoded')
  }
}

/** Rounds milliseconds up to an integer from 0 to 2⁵³−1; NaN becomes 0. */
function wholeMs(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER)
}

/** Returns the remaining lifetime of a token; null: it does not expire. */
function expiry(expiresInMs: number | null): number | null {
  return expiresInMs === null ? null : wholeMs(expiresInMs)
}

function body(byte: number, fields: readonly unknown[]): FrameBody {
  return { byte, fields }
}

/** Appends the optional elements up to the last present one. An absent one before it is sent as nil. */
function withTrailing(fields: readonly unknown[], optional: readonly unknown[]): unknown[] {
  let count = optional.length
  while (count > 0 && optional[count - 1] === undefined) count -= 1
  return [...fields, ...optional.slice(0, count).map((field) => field ?? null)]
}

function helloFields(frame: HelloFrame): unknown[] {
  const { version, token, clientId, dial, resume, limits, contract } = frame
  const claim = resume === undefined ? null : [resume.sessionId, resume.token, resume.handled, resume.digest]
  const bounds = limits === undefined ? undefined : limitsFields(limits)
  return withTrailing([version, token, claim, clientId, dial], [bounds, contract])
}

function limitsFields({ maxBytes, maxDepth, maxElements, maxKeyBytes }: MessageLimits): number[] {
  return [maxBytes, maxDepth, maxElements, maxKeyBytes]
}

function goawayFields(frame: Extract<Frame, { kind: "goaway" }>): unknown[] {
  const { reason, startInMs, deadlineMs, intent, address, backInMs } = frame
  const flags = intent === undefined ? undefined : goawayFlag[intent]
  const back = backInMs === undefined ? undefined : wholeMs(backInMs)
  return withTrailing([wellFormed(reason), wholeMs(startInMs), wholeMs(deadlineMs)], [flags, address, back])
}

function byeFields({ code, message, details }: Extract<Frame, { kind: "bye" }>): unknown[] {
  return withTrailing([wellFormed(code), wellFormed(message)], [details])
}

function authorFields(author: Author | undefined): unknown[] | undefined {
  return author === undefined ? undefined : withTrailing([author.user], [author.member])
}

function topicEventFields(frame: TopicEventFrame, types: TypeTable): unknown[] {
  const { topic, offset, type, payload, author } = frame
  const fields = [topic, offset, types.numberOf(type), payload]
  return author === undefined ? fields : [...fields, authorFields(author)]
}

function welcomeFields(frame: WelcomeFrame): unknown[] {
  const { sessionId, resumeToken, received, handled, limits, expiresInMs, types } = frame
  const flags =
    (frame.resumed ? welcomeFlag.resumed : 0) | (frame.refusal === undefined ? 0 : welcomeFlag.refused)
  // The sixth field, the generation of the session's server, is 0 while one process holds all sessions.
  return [
    sessionId,
    resumeToken,
    flags,
    received,
    handled,
    0,
    limitsFields(limits),
    expiry(expiresInMs),
    types,
    frame.refusal ?? null,
    frame.digest,
  ]
}

function requestFields({ type, payload, budgetMs, key }: RequestFrame, types: TypeTable): unknown[] {
  const fields = [types.numberOf(type), payload, wholeMs(budgetMs)]
  return key === undefined ? fields : [...fields, key]
}

function replyFields({ reference, outcome }: ReplyFrame): unknown[] {
  return outcome.ok ? [reference, 0, outcome.payload] : [reference, ...errorFields(outcome.error)]
}

/** Returns the status and the error's fields. Status 0 is success. */
function errorFields(error: WireError | undefined): unknown[] {
  if (error === undefined) return [0]
  const { code, message, category, retryAfterMs, details } = error
  const status = isErrorCode(code) ? errorTable[code].wire : applicationErrorWire
  const named = status === applicationErrorWire ? wellFormed(code) : null
  const waitMs = retryAfterMs === undefined ? null : wholeMs(retryAfterMs)
  return [status, [named, wellFormed(message), wireCategories.indexOf(category), waitMs, details ?? null]]
}

function replicaFields({ replica, name, schema, epoch, topic }: ReplicaFrame): unknown[] {
  return withTrailing([replica, name, schema], [epoch, topic])
}

/** Flattens the cells: x, y and version of each. */
function holdFields({ replica, cells, epoch, topic }: ReplicaHold): unknown[] {
  return withTrailing([replica, cells.flatMap(({ x, y, version }) => [x, y, version])], [epoch, topic])
}

function volatileBody({ type, payload, key, topic, author }: VolatileFrame, types: TypeTable): FrameBody {
  const by = authorFields(author)
  if (key !== undefined) {
    return body(frameByte.volatileKeyed, withTrailing([key, types.numberOf(type), payload], [by]))
  }
  return body(frameByte.volatile, withTrailing([types.numberOf(type), payload], [topic, by]))
}
