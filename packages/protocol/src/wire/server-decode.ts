// Decodes the bodies of the frames that servers send, profile `hawser.1`. Each field of the peer is checked before use.
// server-encode.ts is the inverse.
import { errorCodeOf, errorSentence } from "../base/errors.ts"
import { isCount, isDigest, isText, lifeOf, limitsOf } from "./common-decode.ts"
import type { Decoders, Fields } from "./common-decode.ts"
import { frameByte } from "./frame-byte.ts"
import type {
  Author,
  EndFrame,
  GoawayIntent,
  ReplyFrame,
  ServerFrame,
  TopicEventFrame,
  VolatileFrame,
  WelcomeFrame,
  WireError,
} from "./frame.ts"
import { serverMessageLimits } from "./message-limits.ts"
import { isMap } from "./payload-codec.ts"
import type { TypeTable } from "./type-table.ts"
import { goawayFlag, welcomeFlag, wireCategories } from "./wire-values.ts"

export const serverDecoders: Decoders<ServerFrame> = {
  [frameByte.welcome]: decodeWelcome,
  [frameByte.authRequest]: ([expiresInMs]) =>
    isCount(expiresInMs) ? { kind: "authRequest", expiresInMs } : undefined,
  [frameByte.authOk]: ([expiresInMs]) =>
    isCount(expiresInMs) || expiresInMs === null ? { kind: "authOk", expiresInMs } : undefined,
  [frameByte.goaway]: decodeGoaway,
  [frameByte.throttled]: ([limit, forMs]) =>
    isText(limit) && isCount(forMs) ? { kind: "throttled", limit, forMs } : undefined,
  [frameByte.busy]: ([retryAfterMs]) => (isCount(retryAfterMs) ? { kind: "busy", retryAfterMs } : undefined),
  [frameByte.event]: ([type, payload], types) =>
    isCount(type) ? { kind: "event", type: types.nameOf(type), payload } : undefined,
  [frameByte.reply]: decodeReply,
  [frameByte.item]: ([reference, payload]) =>
    isCount(reference) ? { kind: "item", reference, payload } : undefined,
  [frameByte.end]: decodeEnd,
  [frameByte.topicEvent]: decodeTopicEvent,
  [frameByte.volatile]: decodeVolatile,
  [frameByte.volatileKeyed]: decodeVolatileKeyed,
  // The codec returns this frame with its bytes: its body is not a MessagePack array.
  [frameByte.replicaParts]: () => undefined,
  [frameByte.replica]: ([replica, name, schema, epoch, topic]) =>
    isCount(replica) && isText(name)
      ? { kind: "replica", replica, name, schema, ...lifeOf(epoch, topic) }
      : undefined,
}

function decodeGoaway(fields: Fields): Extract<ServerFrame, { readonly kind: "goaway" }> | undefined {
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
