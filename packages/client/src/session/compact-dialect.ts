// The dialect of profile `hawser.1`: numbered messages, sessions that survive connections, PING, topics and streams.
import { createClientCodec, subprotocol } from "@hawser/protocol/core"
import type { Dialect, Opening } from "./dialect.ts"
import { NumberedSession } from "./numbered-session.ts"

export const compactDialect: Dialect = {
  subprotocols: [subprotocol],
  hasHeartbeat: true,
  onBadFrame: "reset",
  topicsRefusal: undefined,
  optionalEvents: new Set(),
  createCodec: ({ types, limits }) =>
    createClientCodec(types, { reads: limits.message, writes: limits.serverMessage }),
  sessionCodec: (_, { types, limits }, welcome) =>
    createClientCodec(types, { reads: limits.message, writes: welcome.limits }),
  readOpening(codec, bytes): Opening {
    if (codec.classify(bytes) !== "control") return { kind: "early" }
    const frame = codec.decode(bytes, 0)
    if (frame.kind === "welcome") return { kind: "welcome", welcome: frame, event: undefined }
    if (frame.kind === "busy") return { kind: "busy", retryAfterMs: frame.retryAfterMs }
    if (frame.kind !== "bye") return { kind: "early" }
    const { code, message, details } = frame
    const facts = details === undefined ? {} : { details }
    return { kind: "refused", error: { code, message, category: "permission", ...facts } }
  },
  createSession: (options) => new NumberedSession(options),
}
