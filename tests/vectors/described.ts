// Describes a decoded frame of `hawser.1` as JSON, by the names of docs/protocol.md: elements that the frame lacks are left out.
import type { MessageLimits } from "@hawser/protocol"
import type { Author, Frame, ReplyFrame, WireError } from "@hawser/protocol/core"

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

type Described = { readonly [name: string]: Json }

/**
 * Returns a payload as JSON. The values that JSON lacks become maps: `{"$binary": hex}`, `{"$timestampMs": number}` and
 * `{"$float": "NaN"}`.
 */
export function jsonOf(value: unknown): Json {
  if (value === undefined || value === null) return null
  if (typeof value === "string" || typeof value === "boolean") return value
  if (typeof value === "number") return Number.isFinite(value) ? value : { $float: String(value) }
  if (Array.isArray(value)) return value.map((item) => jsonOf(item))
  if (value instanceof Uint8Array) return { $binary: Buffer.from(value).toString("hex") }
  if (value instanceof Date) return { $timestampMs: value.getTime() }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonOf(member)]))
}

/** Leaves out members without a value. */
function present(members: { readonly [name: string]: Json | undefined }): Described {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** Leaves out an absent payload (W24). */
function payloadOf(payload: unknown): Described {
  return payload === undefined ? {} : { payload: jsonOf(payload) }
}

function detailsOf(details: Readonly<Record<string, unknown>> | undefined): Described {
  return details === undefined ? {} : { details: jsonOf(details) }
}

function limitsOf(limits: MessageLimits): Described {
  const { maxBytes, maxDepth, maxElements, maxKeyBytes } = limits
  return { maxBytes, maxDepth, maxElements, maxKeyBytes }
}

function authorOf(author: Author | undefined): Described | undefined {
  return author && present({ user: author.user, member: author.member })
}

function errorOf({ code, message, category, retryAfterMs, details }: WireError): Described {
  return present({ code, message, category, retryAfterMs, ...detailsOf(details) })
}

function helloOf(frame: Extract<Frame, { readonly kind: "hello" }>): Described {
  const { version, token, resume, clientId, dial, limits, contract } = frame
  const claim = resume && {
    sessionId: resume.sessionId,
    resumeToken: resume.token,
    handled: resume.handled,
    digest: resume.digest,
    sent: resume.sent,
  }
  const bounds = limits && limitsOf(limits)
  return present({ version, token, resume: claim ?? null, clientId, dial, limits: bounds, contract })
}

function welcomeOf(frame: Extract<Frame, { readonly kind: "welcome" }>): Described {
  const { sessionId, resumeToken, resumed, refusal, received, handled, limits, expiresInMs, types, digest } =
    frame
  return {
    ...{ sessionId, resumeToken, flags: (resumed ? 1 : 0) + (refusal === undefined ? 0 : 4) },
    ...{ received, handled, limits: limitsOf(limits), expiresInMs, types: jsonOf(types) },
    ...{ refusal: refusal ?? null, digest },
  }
}

function goawayOf(frame: Extract<Frame, { readonly kind: "goaway" }>): Described {
  const { reason, startInMs, deadlineMs, intent, address, backInMs } = frame
  const flags = intent === undefined ? undefined : { drain: 1, shutdown: 2 }[intent]
  return present({ reason, startInMs, deadlineMs, flags, address, backInMs })
}

function replyOf({ reference, outcome }: ReplyFrame): Described {
  const rest = outcome.ok ? payloadOf(outcome.payload) : { error: errorOf(outcome.error) }
  return { request: reference, ...rest }
}

function haveOf({ held }: Extract<Frame, { readonly kind: "have" }>): Described {
  return {
    replicas: held.map(({ replica, cells, epoch, topic }) =>
      present({ name: replica, cells: cells.map(({ x, y, version }) => ({ x, y, version })), epoch, topic }),
    ),
  }
}

function volatileOf({ type, payload, key, topic, author }: Extract<Frame, { kind: "volatile" }>): Described {
  const by = authorOf(author)
  // The topic of VKEYED is the first line of its key.
  if (key !== undefined)
    return present({ frame: "VKEYED", key, topic, type, ...payloadOf(payload), author: by })
  return present({ frame: "VEVENT", type, ...payloadOf(payload), topic, author: by })
}

function messageOf(
  frame: Extract<Frame, { kind: "event" | "request" | "reply" | "item" | "end" | "topicEvent" }>,
): Described {
  switch (frame.kind) {
    case "event":
      return { frame: "EVENT", type: frame.type, ...payloadOf(frame.payload) }
    case "request": {
      const { type, payload, budgetMs, key } = frame
      return present({ frame: "REQ", type, ...payloadOf(payload), budgetMs, key })
    }
    case "reply":
      return { frame: "RES", ...replyOf(frame) }
    case "item":
      return { frame: "ITEM", request: frame.reference, ...payloadOf(frame.payload) }
    case "end":
      return present({ frame: "END", request: frame.reference, error: frame.error && errorOf(frame.error) })
    case "topicEvent": {
      const { topic, offset, type, payload, author } = frame
      return present({
        ...{ frame: "CHAN", topic, offset, type, ...payloadOf(payload) },
        author: authorOf(author),
      })
    }
  }
}

/** Frames that `described` takes. The body of CELLS needs the fields of its replica: `ReplicaCopy` describes it. */
export type DescribedFrame = Exclude<Frame, { readonly kind: "replicaParts" | "unknownControl" }>

/** Returns the frame's name and its elements. */
export function described(frame: DescribedFrame): Described {
  switch (frame.kind) {
    case "hello":
      return { frame: "HELLO", ...helloOf(frame) }
    case "welcome":
      return { frame: "WELCOME", ...welcomeOf(frame) }
    case "auth":
      return { frame: "AUTH", token: frame.token }
    case "authRequest":
      return { frame: "AUTHREQ", expiresInMs: frame.expiresInMs }
    case "authOk":
      return { frame: "AUTHOK", expiresInMs: frame.expiresInMs }
    case "ack":
      return present({ frame: "ACK", handled: frame.handled, stateFrames: frame.stateFrames })
    case "void":
      return { frame: "VOID", requests: frame.references }
    case "reset":
      return { frame: "RESET", cause: frame.cause, received: frame.count }
    case "sync":
      return { frame: "SYNC", count: frame.count, digest: frame.digest }
    case "ping":
      return { frame: "PING", number: frame.number, handled: frame.handled }
    case "pong":
      return { frame: "PONG", number: frame.number, handled: frame.handled }
    case "goaway":
      return { frame: "GOAWAY", ...goawayOf(frame) }
    case "busy":
      return { frame: "BUSY", retryAfterMs: frame.retryAfterMs }
    case "throttled":
      return { frame: "THROTTLED", limit: frame.limit, forMs: frame.forMs }
    case "bye":
      return present({ frame: "BYE", code: frame.code, message: frame.message, ...detailsOf(frame.details) })
    case "have":
      return { frame: "HAVE", ...haveOf(frame) }
    case "cancel":
      return { frame: "CANCEL", request: frame.reference }
    case "credit":
      return { frame: "CREDIT", request: frame.reference, items: frame.items }
    case "volatile":
      return volatileOf(frame)
    case "replica": {
      const { replica, name, schema, epoch, topic } = frame
      return present({ frame: "REPLICA", number: replica, name, fields: jsonOf(schema), epoch, topic })
    }
    case "event":
    case "request":
    case "reply":
    case "item":
    case "end":
    case "topicEvent":
      return messageOf(frame)
  }
}
