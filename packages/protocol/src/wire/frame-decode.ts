// The fields of a frame's body → the frame, profile `hawser.1`. Everything comes from a stranger: each field is
// looked at before it is used. frame-encode.ts is the other way.
import { errorCodeOf, suggestedAction } from "../base/errors.ts"
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import type { MessageLimits } from "./message-limits.ts"
import { frameByte, isReservedControl } from "./frame-byte.ts"
import { goawayFlag, welcomeFlag, wireCategories } from "./frame-encode.ts"
import type { Author, Frame, GoawayIntent, ReplicaHold, ResumeClaim, WireError } from "./frame.ts"
import { isMap } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"

export interface BodyToDecode {
  readonly byte: number
  readonly fields: readonly unknown[]
  /** The message's number in its direction: the reference of a request does not travel. */
  readonly count: number
}

/** Undefined where the fields do not have the frame's shape. */
export function decodeBody({ byte, fields, count }: BodyToDecode, types: TypeTable): Frame | undefined {
  switch (byte & 0xc0) {
    case 0x00:
      return isReservedControl(byte) ? { kind: "unknownControl" } : decodeControl(byte, fields)
    case 0x40:
      return byte === frameByte.request
        ? decodeRequest(fields, count, types)
        : decodeReliable(byte, fields, types)
    case 0x80:
      return decodeVolatile(byte, fields, types)
    default:
      return undefined
  }
}

function decodeControl(byte: number, fields: readonly unknown[]): Frame | undefined {
  const [first, second] = fields
  switch (byte) {
    case frameByte.hello:
      return decodeHello(fields)
    case frameByte.welcome:
      return decodeWelcome(fields)
    case frameByte.auth:
      return isText(first) ? { kind: "auth", token: first } : undefined
    case frameByte.authRequest:
      return isCount(first) ? { kind: "authRequest", expiresInMs: first } : undefined
    case frameByte.authOk:
      return isCount(first) || first === null ? { kind: "authOk", expiresInMs: first } : undefined
    case frameByte.ack:
      return isCount(first)
        ? { kind: "ack", handled: first, ...(isCount(second) ? { stateFrames: second } : {}) }
        : undefined
    case frameByte.void:
      return Array.isArray(first) && first.every(isCount) ? { kind: "void", references: first } : undefined
    case frameByte.ping:
    case frameByte.pong:
      return isCount(first) && isCount(second)
        ? { kind: byte === frameByte.ping ? "ping" : "pong", number: first, handled: second }
        : undefined
    case frameByte.goaway:
      return decodeGoaway(fields)
    case frameByte.reset:
      return isText(first) && isCount(second) ? { kind: "reset", cause: first, count: second } : undefined
    case frameByte.sync:
      return isCount(first) && isDigest(second) ? { kind: "sync", count: first, digest: second } : undefined
    case frameByte.busy:
      return isCount(first) ? { kind: "busy", retryAfterMs: first } : undefined
    case frameByte.have:
      return decodeHave(first)
    case frameByte.bye:
      return isText(first) ? { kind: "bye", code: first, message: isText(second) ? second : "" } : undefined
    default:
      return undefined
  }
}

function decodeGoaway(fields: readonly unknown[]): Frame | undefined {
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

/** A client sees the cells of some hundred places at most. */
function decodeHave(held: unknown): Frame | undefined {
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

function decodeReliable(byte: number, fields: readonly unknown[], types: TypeTable): Frame | undefined {
  const [first, second, third] = fields
  if (byte === frameByte.topicEvent) return decodeTopicEvent(fields, types)
  if (!isCount(first)) return undefined
  switch (byte) {
    case frameByte.event:
      return { kind: "event", type: types.nameOf(first), payload: second }
    case frameByte.reply:
      return isCount(second) ? decodeReply(first, second, third) : undefined
    case frameByte.item:
      return { kind: "item", reference: first, payload: second }
    case frameByte.end:
      return isCount(second) ? decodeEnd(first, second, third) : undefined
    case frameByte.cancel:
      return { kind: "cancel", reference: first }
    case frameByte.credit:
      return isCount(second) ? { kind: "credit", reference: first, items: second } : undefined
    default:
      return undefined
  }
}

function decodeTopicEvent(fields: readonly unknown[], types: TypeTable): Frame | undefined {
  const [topic, offset, type, payload, author] = fields
  if (!isText(topic) || !isCount(offset) || !isCount(type)) return undefined
  return { kind: "topicEvent", topic, offset, type: types.nameOf(type), payload, ...authorOf(author) }
}

function decodeVolatile(byte: number, fields: readonly unknown[], types: TypeTable): Frame | undefined {
  const [first, second, third, fourth, fifth] = fields
  switch (byte) {
    case frameByte.volatile: {
      if (!isCount(first)) return undefined
      const from = { ...topicOf(third), ...authorOf(fourth) }
      return { kind: "volatile", type: types.nameOf(first), payload: second, key: undefined, ...from }
    }
    case frameByte.volatileKeyed: {
      if (!isText(first) || !isCount(second)) return undefined
      const from = { ...topicOfKey(first), ...authorOf(fourth) }
      return { kind: "volatile", type: types.nameOf(second), payload: third, key: first, ...from }
    }
    case frameByte.replica:
      return isCount(first) && isText(second)
        ? { kind: "replica", replica: first, name: second, schema: third, ...lifeOf(fourth, fifth) }
        : undefined
    default:
      return undefined
  }
}

function topicOf(topic: unknown): { topic?: string } {
  return isText(topic) && topic !== "" ? { topic } : {}
}

/** A key is the topic, the event and the key of the contract, a line each; without a topic its line is empty. */
function topicOfKey(key: string): { topic?: string } {
  const end = key.indexOf("\n")
  return end > 0 ? { topic: key.slice(0, end) } : {}
}

function decodeHello(fields: readonly unknown[]): Frame | undefined {
  const [version, token, claim, clientId, dial, bounds, contract] = fields
  if (!isCount(version) || !isText(token) || !isText(clientId) || !isCount(dial)) return undefined
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

/** Undefined unless the size is named. The others are those of `usual` where they are absent. */
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

function decodeWelcome(fields: readonly unknown[]): Frame | undefined {
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

/** Its reference does not travel: it is the message's own count. */
function decodeRequest(fields: readonly unknown[], count: number, types: TypeTable): Frame | undefined {
  // Not destructured: this is the hottest frame, and a list's iterator costs more than all the rest.
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

function decodeReply(reference: number, status: number, payload: unknown): Frame | undefined {
  if (status === 0) return { kind: "reply", reference, outcome: { ok: true, payload } }
  const error = decodeError(status, payload)
  return error === undefined ? undefined : { kind: "reply", reference, outcome: { ok: false, error } }
}

function decodeEnd(reference: number, status: number, payload: unknown): Frame | undefined {
  if (status === 0) return { kind: "end", reference, error: undefined }
  const error = decodeError(status, payload)
  return error === undefined ? undefined : { kind: "end", reference, error }
}

function decodeError(status: number, payload: unknown): WireError | undefined {
  if (!Array.isArray(payload)) return undefined
  const fields: readonly unknown[] = payload
  const [named, message, category, retryAfterMs, details] = fields
  // A number of a later version is still an error, only without its name.
  const code = isText(named) ? named : (errorCodeOf(status) ?? "sys_internal_error")
  return {
    code,
    message: isText(message) ? message : suggestedAction(code),
    category: (isCount(category) ? wireCategories[category] : undefined) ?? "system",
    ...(isCount(retryAfterMs) ? { retryAfterMs } : {}),
    ...(isMap(details) ? { details } : {}),
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

/** A whole number from 0 to 2⁵³−1. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

/** 32 bits. */
function isDigest(value: unknown): value is number {
  return isCount(value) && value <= 0xffffffff
}
