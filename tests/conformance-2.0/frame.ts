// One message of the server as received: decoded, with its bytes.
import { decode } from "@msgpack/msgpack"
import type { RawData } from "ws"
import { isMap, type PlainMap } from "./shape.ts"

export interface Frame {
  readonly id: unknown
  /** The message type; "(text frame)" or "(not a msgpack map)" for a frame without a message. */
  readonly type: string
  readonly payload: PlainMap
  readonly isBinary: boolean
  readonly bytes: Uint8Array
}

export function isReply(frame: Frame): boolean {
  return frame.type.startsWith("resp_")
}

function bytesOf(content: RawData): Uint8Array {
  if (Array.isArray(content)) return Buffer.concat(content)
  return content instanceof ArrayBuffer ? new Uint8Array(content) : content
}

/** The frame of a WebSocket message, which may violate the protocol. */
export function frameOf(content: RawData, isBinary: boolean): Frame {
  const bytes = bytesOf(content)
  if (!isBinary) return { id: null, type: "(text frame)", payload: {}, isBinary, bytes }
  const value = decodeOrNothing(bytes)
  if (!isMap(value)) return { id: null, type: "(not a msgpack map)", payload: {}, isBinary, bytes }
  const { id, type, payload } = value
  return {
    id,
    type: typeof type === "string" ? type : "(no type)",
    payload: isMap(payload) ? payload : {},
    isBinary,
    bytes,
  }
}

function decodeOrNothing(bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}
