// Converts the frames that a server sends to the fields of their bodies, profile `hawser.1`. server-decode.ts is the inverse.
import { applicationErrorWire, errorTable, isErrorCode } from "../base/errors.ts"
import { wellFormed } from "../base/sentence.ts"
import { body, commonBody, limitsFields, wholeMs, withTrailing } from "./common-encode.ts"
import type { FrameBody } from "./common-encode.ts"
import { frameByte } from "./frame-byte.ts"
import { goawayFlag, welcomeFlag, wireCategories } from "./wire-values.ts"
import type {
  Author,
  CommonFrame,
  ReplicaFrame,
  ReplyFrame,
  ServerFrame,
  TopicEventFrame,
  VolatileFrame,
  WelcomeFrame,
  WireError,
} from "./frame.ts"
import type { TypeTable } from "./type-table.ts"

/** @throws RangeError for a type that is not in the session's table. */
export function serverBody(frame: ServerFrame | CommonFrame, types: TypeTable): FrameBody {
  switch (frame.kind) {
    case "event":
      return body(frameByte.event, [types.numberOf(frame.type), frame.payload])
    case "reply":
      return body(frameByte.reply, replyFields(frame))
    case "topicEvent":
      return body(frameByte.topicEvent, topicEventFields(frame, types))
    case "volatile":
      return volatileBody(frame, types)
    case "item":
      return body(frameByte.item, [frame.reference, frame.payload])
    case "end":
      return body(frameByte.end, [frame.reference, ...errorFields(frame.error)])
    case "replica":
      return body(frameByte.replica, replicaFields(frame))
    case "welcome":
      return body(frameByte.welcome, welcomeFields(frame))
    case "authRequest":
      return body(frameByte.authRequest, [wholeMs(frame.expiresInMs)])
    case "authOk":
      return body(frameByte.authOk, [expiry(frame.expiresInMs)])
    case "goaway":
      return body(frameByte.goaway, goawayFields(frame))
    case "throttled":
      return body(frameByte.throttled, [frame.limit, wholeMs(frame.forMs)])
    case "busy":
      return body(frameByte.busy, [wholeMs(frame.retryAfterMs)])
    case "replicaParts":
      throw new TypeError('frame "replicaParts" has no field body; send its bytes')
    case "ack":
    case "ping":
    case "pong":
    case "reset":
    case "sync":
    case "bye":
    case "unknownControl":
      return commonBody(frame)
  }
}

/** Returns the remaining lifetime of a token; null: it does not expire. */
function expiry(expiresInMs: number | null): number | null {
  return expiresInMs === null ? null : wholeMs(expiresInMs)
}

function goawayFields(frame: Extract<ServerFrame, { kind: "goaway" }>): unknown[] {
  const { reason, startInMs, deadlineMs, intent, address, backInMs } = frame
  const flags = intent === undefined ? undefined : goawayFlag[intent]
  const back = backInMs === undefined ? undefined : wholeMs(backInMs)
  return withTrailing([wellFormed(reason), wholeMs(startInMs), wholeMs(deadlineMs)], [flags, address, back])
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

function volatileBody({ type, payload, key, topic, author }: VolatileFrame, types: TypeTable): FrameBody {
  const by = authorFields(author)
  if (key !== undefined) {
    return body(frameByte.volatileKeyed, withTrailing([key, types.numberOf(type), payload], [by]))
  }
  return body(frameByte.volatile, withTrailing([types.numberOf(type), payload], [topic, by]))
}
