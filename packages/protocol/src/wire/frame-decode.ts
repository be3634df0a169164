// Decodes the fields of a frame's body, profile `hawser.1`. Each field of the peer is checked before use. frame-encode.ts is
// the inverse.
import { errorCodeOf, errorSentence } from "../base/errors.ts"
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import type { MessageLimits } from "./message-limits.ts"
import { frameByte, isReservedControl } from "./frame-byte.ts"
import { goawayFlag, welcomeFlag, wireCategories } from "./frame-encode.ts"
import type {
  Author,
  EndFrame,
  Frame,
  GoawayIntent,
  HaveFrame,
  ReplicaHold,
  ReplyFrame,
  RequestFrame,
  TopicEventFrame,
  VolatileFrame,
  WireError,
} from "./frame.ts"
import type { HelloFrame, ResumeClaim, WelcomeFrame } from "./handshake-frame.ts"
import { isMap } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

export interface BodyToDecode {
  readonly byte: number
  readonly fields: readonly unknown[]
  /** Message number in its direction. It is the reference of a request, which the frame does not contain. */
  readonly count: number
}

type Fields = readonly unknown[]

type NameOfByte = keyof typeof frameByte
type KindOf<N extends NameOfByte> = N extends "volatileKeyed" ? "volatile" : N

/** Returns undefined if the fields do not have the frame's shape. */
type Decoder<F extends Frame> = (fields: Fields, types: TypeTable, count: number) => F | undefined

/** A decoder for each byte. A frame without one does not compile. */
const decoders: {
  readonly [N in NameOfByte as (typeof frameByte)[N]]: Decoder<Extract<Frame, { readonly kind: KindOf<N> }>>
} = {
  [frameByte.hello]: decodeHello,
  [frameByte.welcome]: decodeWelcome,
  [frameByte.auth]: ([token]) => (isText(token) ? { kind: "auth", token } : undefined),
  [frameByte.authRequest]: ([expiresInMs]) =>
    isCount(expiresInMs) ? { kind: "authRequest", expiresInMs } : undefined,
  [frameByte.authOk]: ([expiresInMs]) =>
    isCount(expiresInMs) || expiresInMs === null ? { kind: "authOk", expiresInMs } : undefined,
  [frameByte.ack]: ([handled, stateFrames]) =>
    isCount(handled) ? { kind: "ack", handled, ...(isCount(stateFrames) ? { stateFrames } : {}) } : undefined,
  [frameByte.ping]: ([number, handled]) =>
    isCount(number) && isCount(handled) ? { kind: "ping", number, handled } : undefined,
  [frameByte.pong]: ([number, handled]) =>
    isCount(number) && isCount(handled) ? { kind: "pong", number, handled } : undefined,
  [frameByte.goaway]: decodeGoaway,
  [frameByte.reset]: ([cause, count]) =>
    isText(cause) && isCount(count) ? { kind: "reset", cause, count } : undefined,
  [frameByte.sync]: ([count, digest]) =>
    isCount(count) && isDigest(digest) ? { kind: "sync", count, digest } : undefined,
  [frameByte.busy]: ([retryAfterMs]) => (isCount(retryAfterMs) ? { kind: "busy", retryAfterMs } : undefined),
  [frameByte.bye]: ([code, message, details]) =>
    isText(code)
      ? {
          kind: "bye",
          code,
          message: isText(message) ? message : "",
          ...(isMap(details) ? { details } : {}),
        }
      : undefined,
  [frameByte.throttled]: ([limit, forMs]) =>
    isText(limit) && isCount(forMs) ? { kind: "throttled", limit, forMs } : undefined,
  [frameByte.have]: ([held]) => decodeHave(held),
  [frameByte.void]: ([references]) =>
    Array.isArray(references) && references.every(isCount) ? { kind: "void", references } : undefined,
  [frameByte.event]: ([type, payload], types) =>
    isCount(type) ? { kind: "event", type: types.nameOf(type), payload } : undefined,
  [frameByte.request]: decodeRequest,
  [frameByte.reply]: decodeReply,
  [frameByte.item]: ([reference, payload]) =>
    isCount(reference) ? { kind: "item", reference, payload } : undefined,
  [frameByte.end]: decodeEnd,
  [frameByte.cancel]: ([reference]) => (isCount(reference) ? { kind: "cancel", reference } : undefined),
  [frameByte.topicEvent]: decodeTopicEvent,
  [frameByte.credit]: ([reference, items]) =>
    isCount(reference) && isCount(items) ? { kind: "credit", reference, items } : undefined,
  [frameByte.volatile]: decodeVolatile,
  [frameByte.volatileKeyed]: decodeVolatileKeyed,
  // The codec returns this frame with its bytes: its body is not a MessagePack array.
  [frameByte.replicaParts]: () => undefined,
  [frameByte.replica]: ([replica, name, schema, epoch, topic]) =>
    isCount(replica) && isText(name)
      ? { kind: "replica", replica, name, schema, ...lifeOf(epoch, topic) }
      : undefined,
}

const decoderOf: Readonly<Record<number, Decoder<Frame>>> = decoders

/** Returns undefined if the fields do not have the frame's shape, or no frame has this byte. */
export function decodeBody({ byte, fields, count }: BodyToDecode, types: TypeTable): Frame | undefined {
  if (isReservedControl(byte)) return { kind: "unknownControl" }
  return decoderOf[byte]?.(fields, types, count)
}

function decodeGoaway(fields: Fields): Extract<Frame, { readonly kind: "goaway" }> | undefined {
  const [reason, startInMs, deadlineMs, flags, address, backInMs] = fields
  if (!isText(reason) || !isCount(startInMs) || !isCount(deadlineMs)) return undefined
  const intent = intentOf(isCount(flags) ? flags : 0)
  return {
    kind: "goaway",
    reason,
    startInMs,
    deadlineMs,
    ...(intent === undefined ? {} : { intent }),
    ...(isText(address) ? { address } : {}),
    ...(isCount(backInMs) ? { backInMs } : {}),
  }
}

function intentOf(flags: number): GoawayIntent | undefined {
  if ((flags & goawayFlag.shutdown) !== 0) return "shutdown"
  return (flags & goawayFlag.drain) === 0 ? undefined : "drain"
}

/** A client holds some hundred cells at most; the limit on elements bounds the list. */
function decodeHave(held: unknown): HaveFrame | undefined {
  if (!Array.isArray(held)) return undefined
  const holds: ReplicaHold[] = []
  for (const entry of held) {
    if (!Array.isArray(entry)) return undefined
    const fields: readonly unknown[] = entry
    const [replica, numbers, epoch, topic] = fields
    if (!isText(replica) || !Array.isArray(numbers) || numbers.length % 3 !== 0) return undefined
    const list: readonly unknown[] = numbers
    const cells: ReplicaHold["cells"][number][] = []
    for (let at = 0; at < list.length; at += 3) {
      const [x, y, version] = list.slice(at, at + 3)
      if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y) || !isCount(version)) return undefined
      cells.push({ x: Number(x), y: Number(y), version })
    }
    holds.push({ replica, cells, ...lifeOf(epoch, topic) })
  }
  return { kind: "have", held: holds }
}

/** The trailing elements that REPLICA and HAVE share. */
function lifeOf(epoch: unknown, topic: unknown): { epoch?: string; topic?: string } {
  return { ...(isText(epoch) ? { epoch } : {}), ...(isText(topic) ? { topic } : {}) }
}

function authorOf(fields: unknown): { author?: Author } {
  if (!Array.isArray(fields)) return {}
  const list: readonly unknown[] = fields
  const [user, member] = list
  return isText(user) ? { author: isCount(member) ? { user, member } : { user } } : {}
}

function decodeTopicEvent(fields: Fields, types: TypeTable): TopicEventFrame | undefined {
  const [topic, offset, type, payload, author] = fields
  if (!isText(topic) || !isCount(offset) || !isCount(type)) return undefined
  return { kind: "topicEvent", topic, offset, type: types.nameOf(type), payload, ...authorOf(author) }
}

function decodeVolatile([type, payload, topic, author]: Fields, types: TypeTable): VolatileFrame | undefined {
  if (!isCount(type)) return undefined
  const from = { ...topicOf(topic), ...authorOf(author) }
  return { kind: "volatile", type: types.nameOf(type), payload, key: undefined, ...from }
}

function decodeVolatileKeyed(
  [key, type, payload, author]: Fields,
  types: TypeTable,
): VolatileFrame | undefined {
  if (!isText(key) || !isCount(type)) return undefined
  const from = { ...topicOfKey(key), ...authorOf(author) }
  return { kind: "volatile", type: types.nameOf(type), payload, key, ...from }
}

function topicOf(topic: unknown): { topic?: string } {
  return isText(topic) && topic !== "" ? { topic } : {}
}

/** Splits a key: topic, event and contract key, one line each. Without a topic its line is empty. */
function topicOfKey(key: string): { topic?: string } {
  const end = key.indexOf("\n")
  return end > 0 ? { topic: key.slice(0, end) } : {}
}

/** Longest `clientId` in UTF-16 code units. The server keeps it with each session. */
const clientIdMaxLength = 64

function decodeHello(fields: Fields): HelloFrame | undefined {
  const [version, token, claim, clientId, dial, bounds, contract] = fields
  if (!isCount(version) || !isText(token) || !isText(clientId) || !isCount(dial)) return undefined
  if (clientId.length > clientIdMaxLength) return undefined
  const limits = limitsOf(bounds, clientMessageLimits)
  const hello = {
    kind: "hello" as const,
    version,
    token,
    reference: null,
    clientId,
    dial,
    ...(limits === undefined ? {} : { limits }),
    ...(isText(contract) ? { contract } : {}),
  }
  if (claim === null) return hello
  const resume = decodeClaim(claim)
  return resume === undefined ? undefined : { ...hello, resume }
}

/** Returns undefined without a size. Other absent limits are those of `usual`. */
function limitsOf(fields: unknown, usual: MessageLimits): MessageLimits | undefined {
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

function decodeClaim(claim: unknown): ResumeClaim | undefined {
  if (!Array.isArray(claim)) return undefined
  const fields: readonly unknown[] = claim
  const [sessionId, token, handled, digest] = fields
  return isText(sessionId) && isText(token) && isCount(handled) && isDigest(digest)
    ? { sessionId, token, handled, digest }
    : undefined
}

function decodeWelcome(fields: Fields): WelcomeFrame | undefined {
  const [sessionId, resumeToken, flags, received, handled, , bounds, expiresInMs, types, refusal, digest] =
    fields
  if (!isText(sessionId) || !(resumeToken === null || isText(resumeToken)) || !isCount(flags))
    return undefined
  if (!isCount(received) || !isCount(handled) || !isDigest(digest)) return undefined
  const limits = limitsOf(bounds, serverMessageLimits)
  if (limits === undefined || !(expiresInMs === null || isCount(expiresInMs))) return undefined
  if (!Array.isArray(types) || !types.every(isText)) return undefined
  return {
    kind: "welcome",
    sessionId,
    resumeToken,
    resumed: (flags & welcomeFlag.resumed) !== 0,
    ...(isText(refusal) ? { refusal } : {}),
    received,
    handled,
    digest,
    expiresInMs,
    limits,
    types,
  }
}

/** Takes the reference from the message number; the frame does not contain it. */
function decodeRequest(fields: Fields, types: TypeTable, count: number): RequestFrame | undefined {
  // Not destructured: this is the most frequent frame, and the array's iterator would cost more than the rest.
  const type = fields[0]
  const budgetMs = fields[2]
  const key = fields[3]
  if (!isCount(type) || !isCount(budgetMs)) return undefined
  const request = {
    kind: "request" as const,
    call: undefined,
    type: types.nameOf(type),
    payload: fields[1],
    budgetMs,
    reference: count,
  }
  if (key === undefined) return request
  return isText(key) ? { ...request, key } : undefined
}

function decodeReply([reference, status, payload]: Fields): ReplyFrame | undefined {
  if (!isCount(reference) || !isCount(status)) return undefined
  if (status === 0) return { kind: "reply", reference, outcome: { ok: true, payload } }
  const error = decodeError(status, payload)
  return error === undefined ? undefined : { kind: "reply", reference, outcome: { ok: false, error } }
}

function decodeEnd([reference, status, payload]: Fields): EndFrame | undefined {
  if (!isCount(reference) || !isCount(status)) return undefined
  if (status === 0) return { kind: "end", reference, error: undefined }
  const error = decodeError(status, payload)
  return error === undefined ? undefined : { kind: "end", reference, error }
}

function decodeError(status: number, payload: unknown): WireError | undefined {
  if (!Array.isArray(payload)) return undefined
  const fields: readonly unknown[] = payload
  const [named, message, category, retryAfterMs, details] = fields
  // An error number of a later version has no known code.
  const code = isText(named) ? named : (errorCodeOf(status) ?? "sys_internal_error")
  return {
    code,
    message: isText(message) ? message : errorSentence(code),
    category: (isCount(category) ? wireCategories[category] : undefined) ?? "system",
    ...(isCount(retryAfterMs) ? { retryAfterMs } : {}),
    ...(isMap(details) ? { details } : {}),
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

/** Returns true for an integer from 0 to 2⁵³−1. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

/** Returns true for an unsigned 32-bit integer. */
function isDigest(value: unknown): value is number {
  return isCount(value) && value <= 0xffffffff
}
