// What a reliable message said, read back from its bytes: for an application that must tell what a client may have
// missed. Sessions keep bytes only.
import type { Codec } from "@hawser/protocol/core"

export type SentMessage =
  | {
      readonly kind: "event"
      readonly name: string
      readonly payload: unknown
      readonly topic: string | undefined
    }
  | { readonly kind: "reply"; readonly payload: unknown; readonly code: string | undefined }
  | { readonly kind: "item"; readonly payload: unknown }

/** Undefined for messages that carry nothing of the application's. */
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
