// The dialect of profile `2.0`: envelopes without numbers, and sessions that end with their connection.
// A server of `2.0` knows no PING, no resume, no topics and no streams, and its WELCOME names no limits.
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import type { ClientCodec } from "@hawser/protocol/core"
import type { Dialect, Opening } from "../session/dialect.ts"
import { Session20 } from "./session20.ts"

/**
 * Returns the dialect of profile `2.0`, for `createClient`'s option `profile`.
 * `client.stream` and all requests of topics reject with `not_available`, and `client.ping` with `not_connected`.
 */
export function profile20(): Dialect {
  return {
    subprotocols: [],
    hasHeartbeat: false,
    // Nothing is counted, so later messages are still valid.
    onBadFrame: "report",
    topicsRefusal: "protocol 2.0 has no topics for clients",
    optionalEvents: new Set(["welcome"]),
    createCodec: ({ limits, wallClockMs }) =>
      createEnvelopeCodec({
        side: "client",
        limits: limits.message,
        writes: limits.serverMessage,
        wallClockMs,
      }),
    sessionCodec: (before) => before,
    readOpening,
    createSession: (options) => new Session20(options),
  }
}

/** Only an error with a code `auth_…` refuses a log-in. Any other reply leaves it undecided. */
function readOpening(codec: ClientCodec, bytes: Uint8Array): Opening {
  const frame = codec.decode(bytes, 0)
  if (frame.kind === "welcome") {
    const { payload } = frame
    const event = payload === undefined ? undefined : ({ kind: "event", type: "welcome", payload } as const)
    return { kind: "welcome", welcome: frame, event }
  }
  if (frame.kind !== "reply" || frame.outcome.ok) return { kind: "early" }
  const { error } = frame.outcome
  return error.code.startsWith("auth_") ? { kind: "refused", error } : { kind: "early" }
}
