// Decodes reliable messages of the send buffer, for an application that handles messages a client may have missed. Sessions keep
// bytes only.
import type { Codec } from "@hawser/protocol/core"

/** Reliable message with content of the application. */
export type SentMessage =
  /** Event. `topic`: name of the topic that published it; undefined outside of topics. */
  | {
      readonly kind: "event"
      readonly name: string
      readonly payload: unknown
      readonly topic: string | undefined
    }
  /** Reply of a command or query. `code`: of its error, without payload then; undefined for a result. */
  | { readonly kind: "reply"; readonly payload: unknown; readonly code: string | undefined }
  /** Item of a stream. */
  | { readonly kind: "item"; readonly payload: unknown }

/** Decodes a message. Returns undefined for one without content of the application. */
export function sentMessage(codec: Codec, bytes: Uint8Array): SentMessage | undefined {
  const frame = codec.decode(bytes, 0)
  if (frame.kind === "event")
    return { kind: "event", name: frame.type, payload: frame.payload, topic: undefined }
  if (frame.kind === "topicEvent")
    return { kind: "event", name: frame.type, payload: frame.payload, topic: frame.topic }
  if (frame.kind === "item") return { kind: "item", payload: frame.payload }
  if (frame.kind !== "reply") return undefined
  return frame.outcome.ok
    ? { kind: "reply", payload: frame.outcome.payload, code: undefined }
    : { kind: "reply", payload: undefined, code: frame.outcome.error.code }
}
