// The dialect of `hawser.1`: the contract's own names and payloads, counted messages, cells and deltas.
import { sentence } from "@hawser/protocol/core"
import type { Author } from "@hawser/protocol"
import type { Codec } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import { closeCodeOf } from "./close-codes.ts"
import type { Dialect, EventValues, HeldLimits, TopicSource } from "./dialect.ts"

export function createCompactDialect<User extends AuthenticatedUser>(
  codec: Codec,
  held: HeldLimits,
): Dialect<User> {
  return {
    profile: "hawser.1",
    codec,
    counts: true,
    admission: {
      negotiates: true,
      holdsEarly: false,
      unauthenticated: { code: "sys_invalid_message", category: "validation" },
    },
    held,
    overflow: "session_overflow",
    request: ({ type, payload }) => ({ name: type, input: payload }),
    reply: (_name, output) => output,
    error: (error) => error,
    assertServes: () => {},
    outbound: (delivery) => delivery,
    welcome: () => undefined,
    refusal: (error) => ({
      error,
      frame({ code, message, details }) {
        const facts = details === undefined ? {} : { details }
        return { kind: "bye", code: sentence(code), message: sentence(message), ...facts }
      },
    }),
    closeCode: closeCodeOf,
    bad: ({ code, message }) => ({ kind: "end", code, ending: { message } }),
    publication: (event) => [encodeEvent(codec, event)],
  }
}

function encodeEvent(codec: Codec, { name: type, payload, volatile, key, source }: EventValues): Uint8Array {
  if (volatile) {
    const from = source === undefined ? {} : { topic: source.topic, ...by(source) }
    return codec.encode({ kind: "volatile", type, payload, key, ...from })
  }
  if (source?.offset === undefined) return codec.encode({ kind: "event", type, payload })
  const { topic, offset } = source
  return codec.encode({ kind: "topicEvent", topic, offset, type, payload, ...by(source) })
}

function by({ author }: TopicSource): { readonly author?: Author } {
  return author === undefined ? byServer : { author }
}

const byServer = {}
