// What the raw servers say. No validation and no limits: they are a measure, not an application. The codecs are kept, as
// their documentation advises, and as Hawser does.
import { Decoder, Encoder } from "@msgpack/msgpack"

export type ClientMessage =
  | { readonly t: "hello"; readonly token: string }
  | { readonly t: "move"; readonly n: number; readonly direction: string }
  | { readonly t: "publish"; readonly n: number; readonly count: number; readonly textBytes: number }

export type ServerMessage =
  | { readonly t: "w" }
  | { readonly t: "r"; readonly n: number; readonly x?: number; readonly y?: number }
  | { readonly t: "e"; readonly n: number; readonly text: string }

const encoder = new Encoder()
const decoder = new Decoder()

/** Bytes that are the caller's own. */
export function encode(message: ServerMessage): Uint8Array {
  return encoder.encode(message)
}

/** Bytes that are only good until the next call. */
export function encodeShared(message: ServerMessage): Uint8Array {
  return encoder.encodeSharedRef(message)
}

/** Undefined for what is no message. Its fields are trusted: raw servers validate nothing. */
export function decode(bytes: Uint8Array): ClientMessage | undefined {
  const value = decoder.decode(bytes)
  return isClientMessage(value) ? value : undefined
}

function isClientMessage(value: unknown): value is ClientMessage {
  return typeof value === "object" && value !== null && "t" in value
}

export function moved({ n, direction }: { readonly n: number; readonly direction: string }): ServerMessage {
  return { t: "r", n, x: direction === "LEFT" ? 3 : 4, y: 7 }
}
