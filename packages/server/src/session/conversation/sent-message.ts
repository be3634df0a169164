// Decodes reliable messages of the send buffer, for an application that handles messages a client may have missed. Sessions keep
// bytes only.
import type { Codec } from "@hawser/protocol/core"

/** Reliable message with content of the application. */
export type SentMessage =
  | {
      /** An event. */
      readonly kind: "event"
      /** Name of the event. */
      readonly name: string
      /** Payload of the event, decoded and not validated. */
      readonly payload: unknown
      /** Name of the topic that published the event; undefined outside of topics. */
      readonly topic: string | undefined
    }
  | {
      /** A reply of a command or query. */
      readonly kind: "reply"
      /** Result, decoded and not validated; undefined for an error. */
      readonly payload: unknown
      /** Code of the error; undefined for a result. */
      readonly code: string | undefined
    }
  | {
      /** An item of a stream. */
      readonly kind: "item"
      /** Item, decoded and not validated. */
      readonly payload: unknown
    }

/** Decodes a message. Returns undefined for one without content of the application. */
export function sentMessage(codec: Codec, bytes: Uint8Array): SentMessage | undefined {
  const frame = codec.decode(bytes, 0)
  if (frame.kind === "event" || frame.kind === "topicEvent") {
    const topic = frame.kind === "topicEvent" ? frame.topic : undefined
    return { kind: "event", name: frame.type, payload: frame.payload, topic }
  }
  if (frame.kind === "item") return { kind: "item", payload: frame.payload }
  if (frame.kind !== "reply") return undefined
  return frame.outcome.ok
    ? { kind: "reply", payload: frame.outcome.payload, code: undefined }
    : { kind: "reply", payload: undefined, code: frame.outcome.error.code }
}
