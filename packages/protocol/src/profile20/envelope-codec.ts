// Encodes and decodes profile `2.0`: one MessagePack map per message, {id, type, payload, timestamp, version} in this order.
// A type name is `cmd_`, `query_` or `event_` plus the snake_case form of a contract key. Must not know sessions.
import { suggestedAction } from "../base/error-actions.ts"
import type { CallKind } from "../contract/contract.ts"
import type { MessageLimits } from "../wire/message-limits.ts"
import type { Codec } from "../wire/codec.ts"
import { Encoded } from "../wire/encoded.ts"
import type { BadFrame, Frame, Reference, ReplyFrame, WireError } from "../wire/frame.ts"
import { createPayloadCodec, isMap } from "../wire/payload-codec.ts"
import { quoted } from "../base/quoted.ts"
import { wellFormed } from "../base/sentence.ts"

const envelopeVersion = "2.0"

/** A `2.0` server does not send its bounds. */
const unknownLimits: MessageLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxDepth: Number.MAX_SAFE_INTEGER,
  maxElements: Number.MAX_SAFE_INTEGER,
  maxKeyBytes: Number.MAX_SAFE_INTEGER,
}

/** `mapChunks` → `map_chunks`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** `map_chunks` → `mapChunks`; a name without a corresponding key is returned unchanged. */
export function camelCase(name: string): string {
  const key = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return /^[a-z][a-zA-Z0-9]*$/.test(key) && snakeCase(key) === name ? key : name
}

/** Options of `createEnvelopeCodec`. */
export interface EnvelopeCodecOptions {
  /** Decoding side: a server accepts requests, a client events and replies. Default: both, for recordings. */
  readonly side?: "server" | "client"
  /** Limits of this end's reader. */
  readonly limits: MessageLimits
  /** Limits of the peer's reader. Default: `limits`. */
  readonly writes?: MessageLimits
  /** Returns wall-clock milliseconds since 1970, for `timestamp`. */
  readonly wallClockMs: () => number
}

/** Creates the codec of profile `2.0`. Its `encode` throws TypeError for a frame that the profile lacks. */
export function createEnvelopeCodec(options: EnvelopeCodecOptions): Codec {
  const payloads = createPayloadCodec(options.limits, options.writes)

  function decode(bytes: Uint8Array): Frame | BadFrame {
    const body = payloads.decode(bytes, 0)
    if (!body.ok) return { kind: "bad", reference: null, error: body.error }
    if (!isMap(body.value)) return bad(null, "a message must be a map")
    return decodeEnvelope(body.value, options.side)
  }

  return {
    profile: "2.0",
    counts: false,
    classify: (bytes) => (bytes.length === 0 ? "invalid" : "control"),
    decode,
    encode: (frame) => payloads.encodeMap(envelopeOf(frame, options.wallClockMs)),
    hold: (payload, around) => payloads.hold(payload, around),
  }
}

type Envelope = Readonly<Record<string, unknown>>

/** @throws TypeError for a frame that profile `2.0` lacks. */
function envelopeOf(frame: Frame, wallClockMs: () => number): Envelope {
  switch (frame.kind) {
    case "hello":
      return clientEnvelope(frame.reference, "cmd_authenticate", { token: frame.token })
    case "request": {
      const prefix = frame.call === "query" ? "query" : "cmd"
      return clientEnvelope(frame.reference, `${prefix}_${snakeCase(frame.type)}`, frame.payload)
    }
    case "welcome":
      return eventEnvelope("welcome", frame.payload ?? {}, wallClockMs())
    case "event":
    case "topicEvent":
    case "volatile":
      return eventEnvelope(snakeCase(frame.type), frame.payload ?? {}, wallClockMs())
    case "reply":
      return replyEnvelope(frame, wallClockMs())
    case "goaway": {
      const seconds = Math.ceil(frame.deadlineMs / 1000)
      const payload = { message: wellFormed(frame.reason), countdown_seconds: seconds }
      return eventEnvelope("server_shutdown", payload, wallClockMs())
    }
    case "ping":
    case "pong":
    case "busy":
    case "throttled":
    case "bye":
    case "cancel":
    case "auth":
    case "authRequest":
    case "authOk":
    case "ack":
    case "reset":
    case "sync":
    case "credit":
    case "replica":
    case "replicaParts":
    case "have":
    case "void":
    case "item":
    case "end":
    case "unknownControl":
      throw new TypeError(`profile 2.0 has no frame for "${frame.kind}"`)
  }
}

/** Returns a client's message, without timestamp and version, as existing clients send it. */
function clientEnvelope(id: Reference, type: string, payload: unknown): Envelope {
  return { id, type, payload: payload ?? {} }
}

function eventEnvelope(name: string, payload: unknown, timestamp: number): Envelope {
  return { id: null, type: `event_${name}`, payload, timestamp, version: envelopeVersion }
}

function replyEnvelope({ reference: id, call, outcome }: ReplyFrame, timestamp: number): Envelope {
  const [type, payload] = outcome.ok
    ? [call === "query" ? "resp_data" : "resp_success", asMap(outcome.payload)]
    : ["resp_error", errorPayload(outcome.error)]
  return { id, type, payload, timestamp, version: envelopeVersion }
}

/** Wraps a payload that is not a map: `2.0` has only maps as payloads. */
function asMap(payload: unknown): unknown {
  if (payload === undefined || payload === null) return {}
  const isShown = payload instanceof Encoded ? isMap(payload.value) : isMap(payload)
  return isShown ? payload : { value: payload }
}

function decodeEnvelope(
  envelope: Readonly<Record<string, unknown>>,
  side: "server" | "client" | undefined,
): Frame | BadFrame {
  // No revision has these keys. A careless peer would confuse them with inherited members.
  for (const key of ["constructor", "prototype"]) {
    if (Object.hasOwn(envelope, key)) return bad(null, `an envelope has no key "${key}"`)
  }
  const { id = null, type, payload, version = envelopeVersion } = envelope
  const reference = typeof id === "string" ? id : null
  if (id !== null && typeof id !== "string")
    return bad(null, `"id" must be a string or nil, not ${typeof id}`)
  if (typeof type !== "string") return bad(reference, '"type" must be a string')
  if (version !== envelopeVersion) return bad(reference, `"version" must be "2.0", not ${quoted(version)}`)
  if (!isMap(payload)) return bad(reference, '"payload" must be a map')

  const split = type.indexOf("_")
  const name = camelCase(type.slice(split + 1))
  // Without "_" there is no prefix. With a capital letter `cmd_mapChunks` would be an alias of `cmd_map_chunks`.
  const prefix = split === -1 || /[A-Z]/.test(type) ? "" : type.slice(0, split)
  const isForClients = prefix === "event" || prefix === "resp"
  if (side !== undefined && isForClients === (side === "server")) {
    return bad(reference, `a ${side} accepts no message of type ${quoted(type)}`, "system")
  }
  switch (prefix) {
    case "cmd":
      return type === "cmd_authenticate"
        ? decodeHello(reference, payload)
        : request("command", name, { reference, payload })
    case "query":
      return request("query", name, { reference, payload })
    case "event":
      return decodeEvent(name, payload)
    case "resp":
      return decodeReply(type, reference, payload)
    default:
      return bad(reference, `unknown message type ${quoted(type)}`, "system")
  }
}

function request(
  call: CallKind,
  type: string,
  body: { readonly reference: Reference; readonly payload: unknown },
): Frame {
  return { kind: "request", call, type, budgetMs: 0, ...body }
}

function decodeHello(reference: Reference, payload: Readonly<Record<string, unknown>>): Frame | BadFrame {
  const { token } = payload
  if (typeof token === "string") return { kind: "hello", version: 0, token, clientId: "", dial: 0, reference }
  const error: WireError = {
    code: "auth_token_invalid",
    message: 'cmd_authenticate needs a "token" of text',
    category: "permission",
  }
  return { kind: "bad", reference, error }
}

function decodeEvent(name: string, payload: Readonly<Record<string, unknown>>): Frame {
  if (name === "welcome") {
    return {
      kind: "welcome",
      sessionId: "",
      resumeToken: null,
      resumed: false,
      received: 0,
      handled: 0,
      digest: 0,
      expiresInMs: null,
      limits: unknownLimits,
      types: [],
      payload,
    }
  }
  if (name === "serverShutdown") {
    const { message, countdown_seconds: seconds } = payload
    const deadlineMs = isDuration(seconds) ? seconds * 1000 : 0
    return { kind: "goaway", reason: typeof message === "string" ? message : "", startInMs: 0, deadlineMs }
  }
  return { kind: "event", type: name, payload }
}

function decodeReply(
  type: string,
  reference: Reference,
  payload: Readonly<Record<string, unknown>>,
): ReplyFrame {
  if (type !== "resp_error") return { kind: "reply", reference, outcome: { ok: true, payload } }
  const { error: text, error_code: code, category, details, retry_after: seconds } = payload
  const error: WireError = {
    code: typeof code === "string" ? code : "sys_internal_error",
    message: typeof text === "string" ? text : "the server sent no message",
    category:
      category === "validation" || category === "permission" || category === "rate_limit"
        ? category
        : "system",
    ...(isDuration(seconds) ? { retryAfterMs: Math.round(seconds * 1000) } : {}),
    ...(isMap(details) ? { details } : {}),
  }
  return { kind: "reply", reference, outcome: { ok: false, error } }
}

/** Returns the superset of the fields that clients of both revisions read (docs/protocol.md, profile 2.0). */
function errorPayload(error: WireError): Record<string, unknown> {
  const code = wellFormed(error.code)
  return {
    error: wellFormed(error.message),
    error_code: code,
    code,
    category: error.category,
    details: error.details ?? null,
    retry_after: error.retryAfterMs === undefined ? null : error.retryAfterMs / 1000,
    suggested_action: suggestedAction(error.code),
  }
}

function bad(
  reference: Reference,
  message: string,
  category: WireError["category"] = "validation",
): BadFrame {
  return { kind: "bad", reference, error: { code: "sys_invalid_message", message, category } }
}

/** Returns false for NaN and Infinity, which MessagePack can encode and timers cannot use. */
function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000
}
