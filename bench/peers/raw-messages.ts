// Messages of the raw servers. They have no validation and no limits: they are a measure, not an application. The
// codecs are reused, as their documentation advises and as Hawser does.
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

/** Bytes that belong to the caller. */
export function encode(message: ServerMessage): Uint8Array {
  return encoder.encode(message)
}

/** Bytes that are valid only until the next call. */
export function encodeShared(message: ServerMessage): Uint8Array {
  return encoder.encodeSharedRef(message)
}

/** Undefined for any other value. The fields are trusted: raw servers validate nothing. */
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
