// One message of the server as it came: decoded, with its bytes beside it.
import { decode } from "@msgpack/msgpack"
import type { RawData } from "ws"
import { isMap, type PlainMap } from "./shape.ts"

export interface Frame {
  readonly id: unknown
  /** The message type; "(text frame)" or "(not a msgpack map)" for what is no message at all. */
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

/** The frame that a WebSocket message is; it may be none that the protocol allows. */
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
