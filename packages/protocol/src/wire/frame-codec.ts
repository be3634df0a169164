// Profile `hawser.1`: first byte (class and kind), then a MessagePack array. docs/protocol.md is its specification.
import { applicationErrorWire, errorCodeOf, errorTable, isErrorCode, suggestedAction } from "../errors.ts"
import type { ErrorCategory } from "../errors.ts"
import type { MessageLimits } from "../limits.ts"
import type { Codec, FrameClass } from "./codec.ts"
import type { BadFrame, Frame, ReplyFrame, WelcomeFrame, WireError } from "./frame.ts"
import { createPayloadCodec } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

/** The first byte of every frame. 0x00–0x3f control, 0x40–0x7f reliable (counted), 0x80–0xbf volatile, 0xc0 never. */
export const frameByte = {
  hello: 0x01,
  welcome: 0x02,
  ping: 0x07,
  pong: 0x08,
  goaway: 0x09,
  busy: 0x0c,
  bye: 0x0d,
  event: 0x40,
  request: 0x41,
  reply: 0x42,
  cancel: 0x45,
  topicEvent: 0x46,
  volatile: 0x80,
  volatileKeyed: 0x81,
} as const

export function classifyFirstByte(byte: number | undefined): FrameClass {
  if (byte === undefined) return "invalid"
  const bits = byte & 0xc0
  return bits === 0x00 ? "control" : bits === 0x40 ? "reliable" : bits === 0x80 ? "volatile" : "invalid"
}

const categories: readonly ErrorCategory[] = ["validation", "permission", "system", "rate_limit"]

/** @param types the names of message types; filled by WELCOME on the client. */
export function createFrameCodec(types: TypeTable, limits: MessageLimits): Codec {
  const payloads = createPayloadCodec(limits)

  function encode(frame: Frame): Uint8Array {
    switch (frame.kind) {
      case "hello":
        return payloads.encodeFrame(frameByte.hello, [frame.version, frame.token, null, []])
      case "welcome":
        return payloads.encodeFrame(frameByte.welcome, welcomeBody(frame))
      case "ping":
        return payloads.encodeFrame(frameByte.ping, [frame.number, frame.handled])
      case "pong":
        return payloads.encodeFrame(frameByte.pong, [frame.number, frame.handled])
      case "goaway":
        return payloads.encodeFrame(frameByte.goaway, [frame.reason, frame.startInMs, frame.deadlineMs])
      case "busy":
        return payloads.encodeFrame(frameByte.busy, [frame.retryAfterMs])
      case "bye":
        return payloads.encodeFrame(frameByte.bye, [frame.code, frame.message])
      case "event":
        return payloads.encodeFrame(frameByte.event, [types.numberOf(frame.type), frame.payload])
      case "request":
        return payloads.encodeFrame(frameByte.request, [
          types.numberOf(frame.type),
          frame.payload,
          frame.budgetMs,
        ])
      case "reply":
        return payloads.encodeFrame(frameByte.reply, replyBody(frame))
      case "cancel":
        return payloads.encodeFrame(frameByte.cancel, [frame.reference])
      case "topicEvent":
        return payloads.encodeFrame(frameByte.topicEvent, [
          frame.topic,
          frame.offset,
          types.numberOf(frame.type),
          frame.payload,
        ])
      case "volatile":
        return frame.key === undefined
          ? payloads.encodeFrame(frameByte.volatile, [types.numberOf(frame.type), frame.payload])
          : payloads.encodeFrame(frameByte.volatileKeyed, [
              frame.key,
              types.numberOf(frame.type),
              frame.payload,
            ])
    }
  }

  function decode(bytes: Uint8Array, count: number): Frame | BadFrame {
    const reference = bytes[0] === frameByte.request ? count : null
    const body = payloads.decode(bytes, 1)
    if (!body.ok) return { kind: "bad", reference, error: body.error }
    if (!Array.isArray(body.value)) return bad(reference, "the body of a frame must be an array")
    const fields: readonly unknown[] = body.value
    const byte = bytes[0] ?? 0xff
    const frame =
      byte === frameByte.request ? decodeRequest(fields, count, types) : decodeBody(byte, fields, types)
    return frame ?? bad(reference, describeShape(byte))
  }

  return {
    profile: "hawser.1",
    counts: true,
    classify: (bytes) => classifyFirstByte(bytes[0]),
    decode,
    encode,
  }
}

function bad(reference: number | null, message: string): BadFrame {
  return { kind: "bad", reference, error: { code: "sys_invalid_message", message, category: "validation" } }
}

function describeShape(byte: number): string {
  const name = Object.entries(frameByte).find(([, value]) => value === byte)?.[0]
  const shown = `0x${byte.toString(16).padStart(2, "0")}`
  return name === undefined
    ? `unknown frame ${shown}`
    : `the fields of frame ${shown} (${name}) are not as specified`
}

function welcomeBody(frame: WelcomeFrame): unknown[] {
  const { sessionId, received, handled, maxMessageBytes, expiresInMs, types } = frame
  // The resume token (null), flags (0) and generation (0) belong to resumption.
  return [sessionId, null, 0, received, handled, 0, [maxMessageBytes], expiresInMs, types]
}

function replyBody(frame: ReplyFrame): unknown[] {
  const { reference, outcome } = frame
  if (outcome.ok) return [reference, 0, outcome.payload]
  const { code, message, category, retryAfterMs, details } = outcome.error
  const status = isErrorCode(code) ? errorTable[code].wire : applicationErrorWire
  const named = status === applicationErrorWire ? code : null
  return [
    reference,
    status,
    [named, message, categories.indexOf(category), retryAfterMs ?? null, details ?? null],
  ]
}

/** Its reference does not travel: it is the message's own count. Undefined where the fields do not have the shape. */
function decodeRequest(fields: readonly unknown[], count: number, types: TypeTable): Frame | undefined {
  const [type, payload, budgetMs] = fields
  if (!isCount(type) || !isCount(budgetMs)) return undefined
  return { kind: "request", call: undefined, type: types.nameOf(type), payload, budgetMs, reference: count }
}

/** Every frame but the request; undefined where the fields do not have the frame's shape. */
function decodeBody(byte: number, fields: readonly unknown[], types: TypeTable): Frame | undefined {
  const [first, second, third, fourth] = fields
  switch (byte) {
    case frameByte.hello:
      return isCount(first) && isText(second)
        ? { kind: "hello", version: first, token: second, reference: null }
        : undefined
    case frameByte.welcome:
      return decodeWelcome(fields)
    case frameByte.ping:
    case frameByte.pong:
      return isCount(first) && isCount(second)
        ? { kind: byte === frameByte.ping ? "ping" : "pong", number: first, handled: second }
        : undefined
    case frameByte.goaway:
      return isText(first) && isCount(second) && isCount(third)
        ? { kind: "goaway", reason: first, startInMs: second, deadlineMs: third }
        : undefined
    case frameByte.busy:
      return isCount(first) ? { kind: "busy", retryAfterMs: first } : undefined
    case frameByte.bye:
      return isText(first) ? { kind: "bye", code: first, message: isText(second) ? second : "" } : undefined
    case frameByte.event:
      return isCount(first) ? { kind: "event", type: types.nameOf(first), payload: second } : undefined
    case frameByte.reply:
      return isCount(first) && isCount(second) ? decodeReply(first, second, third) : undefined
    case frameByte.cancel:
      return isCount(first) ? { kind: "cancel", reference: first } : undefined
    case frameByte.topicEvent:
      return isText(first) && isCount(second) && isCount(third)
        ? { kind: "topicEvent", topic: first, offset: second, type: types.nameOf(third), payload: fourth }
        : undefined
    case frameByte.volatile:
      return isCount(first)
        ? { kind: "volatile", type: types.nameOf(first), payload: second, key: undefined }
        : undefined
    case frameByte.volatileKeyed:
      return isText(first) && isCount(second)
        ? { kind: "volatile", type: types.nameOf(second), payload: third, key: first }
        : undefined
    default:
      return undefined
  }
}

function decodeWelcome(fields: readonly unknown[]): Frame | undefined {
  const [sessionId, , , received, handled, , limits, expiresInMs, types] = fields
  if (!isText(sessionId) || !isCount(received) || !isCount(handled) || !Array.isArray(limits))
    return undefined
  const maxMessageBytes: unknown = limits[0]
  if (!isCount(maxMessageBytes) || !(expiresInMs === null || isCount(expiresInMs))) return undefined
  if (!Array.isArray(types) || !types.every(isText)) return undefined
  return { kind: "welcome", sessionId, received, handled, expiresInMs, maxMessageBytes, types }
}

function decodeReply(reference: number, status: number, payload: unknown): Frame | undefined {
  if (status === 0) return { kind: "reply", reference, outcome: { ok: true, payload } }
  if (!Array.isArray(payload)) return undefined
  const fields: readonly unknown[] = payload
  const [named, message, category, retryAfterMs, details] = fields
  // A number of a later version is still an error, only without its name.
  const code = isText(named) ? named : (errorCodeOf(status) ?? "sys_internal_error")
  const error: WireError = {
    code,
    message: isText(message) ? message : suggestedAction(code),
    category: (isCount(category) ? categories[category] : undefined) ?? "system",
    ...(isCount(retryAfterMs) ? { retryAfterMs } : {}),
    ...(isRecord(details) ? { details } : {}),
  }
  return { kind: "reply", reference, outcome: { ok: false, error } }
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

/** A whole number from 0 to 2⁵³−1. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
