// Samples of events, requests, replies, streams and publications.
import { joinPayload, joinedPayload, leftPayload, presencePayload } from "@hawser/protocol/core"
import { sampleCount } from "./frame-sample.ts"
import type { Samples } from "./frame-sample.ts"
import type { controlSamples } from "./control-samples.ts"
import type { handshakeSamples } from "./handshake-samples.ts"

const request = {
  kind: "request",
  call: undefined,
  type: "move",
  payload: [1],
  budgetMs: 10_000,
  reference: sampleCount,
} as const

const chan = { kind: "topicEvent", topic: "room:1", offset: 4, type: "chat", payload: "x" } as const
const volatile = { kind: "volatile", type: "move", payload: true, key: undefined } as const
const keyed = { kind: "volatile", type: "move", payload: -1, key: "\nmove\np" } as const
const ann = { id: 3, user: "ann", state: { typing: true }, away: false } as const

type MessageName = Exclude<keyof Samples, keyof typeof handshakeSamples | keyof typeof controlSamples>

/** Samples of all other frames. */
export const messageSamples: Pick<Samples, MessageName> = {
  event: [
    {
      name: "event",
      what: "The event `chat`, number 5 of the table, with its payload.",
      frame: { kind: "event", type: "chat", payload: { a: 1 } },
    },
    {
      name: "event without a payload",
      what: "The payload is absent: an extension of type 0, in this place only.",
      frame: { kind: "event", type: "chat", payload: undefined },
    },
    {
      name: "notice of a join",
      what: "The notice `$join`, number 0: the position at which publications begin, a gap, and the list of members.",
      frame: {
        kind: "event",
        type: "$join",
        payload: joinedPayload({
          ...{ topic: "room:1", epoch: "e1", offset: 4, more: false, self: 3 },
          gap: { from: 2, to: undefined, reason: "trimmed" },
          presence: { count: 1, members: [ann] },
        }),
      },
    },
    {
      name: "notice of a join without presence",
      what: "The same for a topic without presence and without a gap: both are nil.",
      frame: {
        kind: "event",
        type: "$join",
        payload: joinedPayload({
          ...{ topic: "room:1", epoch: "e1", offset: 0, more: false, self: 3 },
          ...{ gap: undefined, presence: undefined },
        }),
      },
    },
    {
      name: "notice of a leave",
      what: "The notice `$leave`, number 1: the server removed the member. `code` is text.",
      frame: {
        kind: "event",
        type: "$leave",
        payload: leftPayload({ topic: "room:1", code: "forbidden", message: "no" }),
      },
    },
    {
      name: "notice of presence",
      what: "The notice `$presence`, number 3: one member is new or changed, and the member 2 has left.",
      frame: {
        kind: "event",
        type: "$presence",
        payload: presencePayload({ topic: "room:1", isFull: false, count: 1, members: [ann], gone: [2] }),
      },
    },
  ],
  request: [
    {
      name: "request",
      what: "The request `move`, number 4 of the table, with 10 s for its answer.",
      frame: request,
    },
    {
      name: "request without an input",
      what: "The payload is absent.",
      frame: { ...request, payload: undefined },
    },
    {
      name: "request with an idempotency key",
      what: "The fourth element is the key. Without a key it is absent, never nil.",
      frame: { ...request, key: "k1" },
    },
    {
      name: "request for a join",
      what: "The request `$join` with a presence state, and the publications after the offset 4 of the epoch e1.",
      frame: {
        ...request,
        type: "$join",
        payload: joinPayload({
          topic: "room:1",
          state: { typing: true },
          since: { epoch: "e1", offset: 4 },
          recent: 0,
        }),
      },
    },
    {
      name: "request for a leave",
      what: "The request `$leave`.",
      frame: { ...request, type: "$leave", payload: { topic: "room:1" } },
    },
    {
      name: "request for a publication",
      what: "The request `$publish`: the event by its name, and without an echo to the sender.",
      frame: {
        ...request,
        type: "$publish",
        payload: { topic: "room:1", event: "chat", payload: "x", echo: false },
      },
    },
    {
      name: "request for a presence state",
      what: "The request `$presence`.",
      frame: { ...request, type: "$presence", payload: { topic: "room:1", state: { typing: false } } },
    },
  ],
  reply: [
    {
      name: "reply",
      what: "The reply to the client's seventh message, with the payload nil.",
      frame: { kind: "reply", reference: sampleCount, outcome: { ok: true, payload: null } },
    },
    {
      name: "reply without an output",
      what: "The payload is absent.",
      frame: { kind: "reply", reference: sampleCount, outcome: { ok: true, payload: undefined } },
    },
    {
      name: "reply with an error of the table",
      what: "The status 8 is `rate_limited`. The name is nil, the category is 3, and 9 ms is the time to wait.",
      frame: {
        kind: "reply",
        reference: sampleCount,
        outcome: {
          ok: false,
          error: { code: "rate_limited", message: "slow", category: "rate_limit", retryAfterMs: 9 },
        },
      },
    },
    {
      name: "reply with an error of the application",
      what: "The status 1 is a code of the application, which the name carries as text.",
      frame: {
        kind: "reply",
        reference: 1,
        outcome: {
          ok: false,
          error: { code: "x_y", message: "m", category: "validation", details: { a: 1 } },
        },
      },
    },
  ],
  item: [
    {
      name: "item",
      what: "An item of the stream that the client's seventh message opened.",
      frame: { kind: "item", reference: sampleCount, payload: { a: 1 } },
    },
    {
      name: "item without a value",
      what: "The payload is absent.",
      frame: { kind: "item", reference: sampleCount, payload: undefined },
    },
  ],
  end: [
    {
      name: "end",
      what: "The stream has ended without an error.",
      frame: { kind: "end", reference: sampleCount, error: undefined },
    },
    {
      name: "end with an error",
      what: "The stream has failed with a code of the application.",
      frame: {
        kind: "end",
        reference: sampleCount,
        error: { code: "x_y", message: "m", category: "system" },
      },
    },
  ],
  cancel: [
    {
      name: "cancel",
      what: "The client cancels its request 128.",
      frame: { kind: "cancel", reference: 128 },
    },
  ],
  credit: [
    {
      name: "credit",
      what: "The server may send 32 further items of the stream 128.",
      frame: { kind: "credit", reference: 128, items: 32 },
    },
  ],
  topicEvent: [
    { name: "topicEvent", what: "The fourth publication of the topic `room:1`.", frame: chan },
    {
      name: "topicEvent without a payload",
      what: "The payload is absent.",
      frame: { ...chan, payload: undefined },
    },
    {
      name: "topicEvent with its author",
      what: "A client published: its user, and its member in the topic.",
      frame: { ...chan, author: { user: "ann", member: 3 } },
    },
  ],
  volatile: [
    { name: "volatile", what: "A volatile event without a topic.", frame: volatile },
    {
      name: "volatile without a payload",
      what: "The payload is absent.",
      frame: { ...volatile, payload: undefined },
    },
    {
      name: "volatile of a topic",
      what: "A volatile publication of the topic `room:1`.",
      frame: { ...volatile, topic: "room:1" },
    },
    {
      name: "volatile of a topic with its author",
      what: "A client published that is no member of the topic: the author is its user alone.",
      frame: { ...volatile, topic: "room:1", author: { user: "ann" } },
    },
  ],
  volatileKeyed: [
    {
      name: "volatile with a key",
      what: "The key is three lines: no topic, the event `move`, and the contract's key `p`.",
      frame: keyed,
    },
    {
      name: "volatile with a key and no payload",
      what: "The payload is absent.",
      frame: { ...keyed, payload: undefined },
    },
    {
      name: "volatile of a topic with a key",
      what: "The first line of the key is the topic.",
      frame: { ...keyed, key: "room:1\nmove\np", topic: "room:1" },
    },
    {
      name: "volatile of a topic with a key and its author",
      what: "A client published: its user, and its member in the topic.",
      frame: { ...keyed, key: "room:1\nmove\np", topic: "room:1", author: { user: "ann", member: 3 } },
    },
  ],
}
