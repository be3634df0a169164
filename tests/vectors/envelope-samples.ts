// Samples of the messages of `2.0`, and their codec. The wall clock shows 1700000000123.
import { clientMessageLimits, serverMessageLimits } from "@hawser/protocol/core"
import type { Frame } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"

/** Codec with a fixed time. */
export const envelopeCodec = createEnvelopeCodec({
  limits: clientMessageLimits,
  wallClockMs: () => 1_700_000_000_123,
})

const welcome = {
  kind: "welcome",
  sessionId: "",
  resumeToken: null,
  resumed: false,
  received: 0,
  handled: 0,
  digest: 0,
  expiresInMs: null,
  limits: serverMessageLimits,
  types: [],
  payload: { me: 1 },
} as const

/** Messages by their names in docs/vectors.json, with a sentence about each. */
export const envelopeSamples: Readonly<Record<string, { readonly what: string; readonly frame: Frame }>> = {
  "the token": {
    what: "The first message of a client.",
    frame: { kind: "hello", version: 0, token: "abc", clientId: "", dial: 0, reference: "1" },
  },
  "a command": {
    what: "A command of a client. The name is in snake_case.",
    frame: {
      kind: "request",
      call: "command",
      type: "movePlayer",
      payload: { x: 1 },
      budgetMs: 5,
      reference: "2",
    },
  },
  "a query without id and input": {
    what: "A query of a client. The id is nil, and the payload empty.",
    frame: {
      kind: "request",
      call: "query",
      type: "mapChunks",
      payload: undefined,
      budgetMs: 0,
      reference: null,
    },
  },
  welcome: {
    what: "The reply to the token. The application defines its payload.",
    frame: welcome,
  },
  event: {
    what: "An event of the server.",
    frame: { kind: "event", type: "chatMessage", payload: { a: 1 } },
  },
  "event of a topic": {
    what: "A publication of a topic is an ordinary event.",
    frame: { kind: "topicEvent", topic: "t", offset: 1, type: "left", payload: {} },
  },
  "volatile event": {
    what: "A volatile event without a payload.",
    frame: { kind: "volatile", type: "left", payload: undefined, key: "k" },
  },
  "reply to a command": {
    what: "A successful reply without a payload.",
    frame: {
      kind: "reply",
      call: "command",
      reference: "7",
      outcome: { ok: true, payload: null },
    },
  },
  "reply to a query": {
    what: "A successful reply to a query.",
    frame: {
      kind: "reply",
      call: "query",
      reference: "7",
      outcome: { ok: true, payload: { n: 2 } },
    },
  },
  "reply that is no map": {
    what: "A payload that is no map is wrapped.",
    frame: {
      kind: "reply",
      call: "query",
      reference: null,
      outcome: { ok: true, payload: [1] },
    },
  },
  "reply with an error of the table": {
    what: "An error. The time to wait is in seconds.",
    frame: {
      kind: "reply",
      reference: "7",
      outcome: {
        ok: false,
        error: { code: "rate_limited", message: "slow", category: "rate_limit", retryAfterMs: 1_500 },
      },
    },
  },
  "reply with an error of the application": {
    what: "An error with a code of the application, and its details.",
    frame: {
      kind: "reply",
      reference: "7",
      outcome: { ok: false, error: { code: "x_y", message: "m", category: "validation", details: { a: 1 } } },
    },
  },
  "the shutdown": {
    what: "The announcement of a shutdown.",
    frame: { kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5_000 },
  },
}
