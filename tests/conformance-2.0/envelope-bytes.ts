// Reads the bytes of one server frame without any MessagePack library and lists the violations of section 1 of the wire
// document. A decoded value cannot show them: uint64 and uint32, or float32 and float64, look alike once decoded.
import { CLOCK_TOLERANCE_MS } from "./limits.ts"
import { readHeader, type Header } from "./msgpack-header.ts"

export type EncodingRule =
  | "envelope"
  | "members"
  | "timestamp"
  | "keys"
  | "families"
  | "integers"
  | "floats"
  | "utf-8"
  | "one-object"

export interface Violation {
  readonly rule: EncodingRule
  readonly found: string
}

interface Token {
  readonly header: Header
  /** Nesting: 0 is the frame's own map, 1 its keys and values. */
  readonly depth: number
  readonly isKey: boolean
}

const ENVELOPE_KEYS = ["id", "type", "payload", "timestamp", "version"] as const

interface OpenContainer {
  isMap: boolean
  /** Keys and values that still follow. */
  left: number
}

/** All headers of a frame in the order of its bytes. Iterative, because the server chooses the depth. */
function* tokens(bytes: Uint8Array): Generator<Token, number> {
  const open: OpenContainer[] = []
  let position = 0
  do {
    const parent = open.at(-1)
    const header = readHeader(bytes, position)
    if (parent !== undefined) parent.left -= 1
    yield { header, depth: open.length, isKey: parent !== undefined && parent.isMap && parent.left % 2 === 1 }
    position = header.end
    const count = header.family === "map" ? header.count * 2 : header.family === "array" ? header.count : 0
    if (count > 0) open.push({ isMap: header.family === "map", left: count })
    while (open.at(-1)?.left === 0) open.pop()
  } while (open.length > 0)
  return position
}

function tokenViolations({ header, isKey, depth }: Token): readonly Violation[] {
  const found: Violation[] = []
  const place = `at byte ${header.start}, depth ${depth}`
  if (isKey && header.family !== "str")
    found.push({ rule: "keys", found: `map key of family ${header.family} ${place}` })
  if (header.family === "bin" || header.family === "ext" || header.family === "never-used")
    found.push({ rule: "families", found: `${header.family} ${place}` })
  if (header.family === "float32") found.push({ rule: "floats", found: `float32 ${place}` })
  if (header.family === "str" && header.text === undefined)
    found.push({ rule: "utf-8", found: `invalid UTF-8 ${place}` })
  return found
}

function memberViolations(key: string, header: Header, nowMs: number): readonly Violation[] {
  const wrong = (rule: EncodingRule, wanted: string): readonly Violation[] => [
    { rule, found: `${key} is ${header.family} ${header.text ?? header.value ?? ""}, not ${wanted}` },
  ]
  switch (key) {
    case "id":
      return header.family === "str" || header.family === "nil" ? [] : wrong("members", "str or nil")
    case "type":
      return header.family === "str" ? [] : wrong("members", "str")
    case "payload":
      return header.family === "map" ? [] : wrong("members", "a map")
    case "version":
      return header.text === "2.0" ? [] : wrong("members", 'the str "2.0"')
    case "timestamp": {
      if (header.lead !== 0xcf) return wrong("timestamp", "a uint64 (lead byte cf)")
      const offMs = Math.abs((header.value ?? 0) - nowMs)
      return offMs <= CLOCK_TOLERANCE_MS ? [] : wrong("timestamp", "ms since epoch")
    }
    default:
      return []
  }
}

function envelopeOrder(bytes: Uint8Array, keys: readonly string[]): readonly Violation[] {
  const found: Violation[] = []
  if (bytes[0] !== 0x85)
    found.push({
      rule: "envelope",
      found: `first byte ${bytes[0]?.toString(16) ?? "absent"}, not 85 (fixmap of five)`,
    })
  if (keys.join() !== ENVELOPE_KEYS.join()) found.push({ rule: "envelope", found: `keys ${keys.join()}` })
  return found
}

/** All violations of section 1 in the bytes of one frame; `nowMs` is the clock of this side. */
export function encodingViolations(bytes: Uint8Array, nowMs: number): readonly Violation[] {
  const found: Violation[] = []
  const keys: string[] = []
  try {
    const reader = tokens(bytes)
    let next = reader.next()
    for (; next.done !== true; next = reader.next()) {
      const token = next.value
      const key = token.depth === 1 && !token.isKey ? keys.at(-1) : undefined
      found.push(...tokenViolations(token))
      if (key !== undefined) found.push(...memberViolations(key, token.header, nowMs))
      if (token.depth === 1 && token.isKey) keys.push(token.header.text ?? "(not a text)")
      // The wire document requires uint64 for the envelope's timestamp; the rule of the smallest form applies to all
      // other integers.
      if (!token.header.isSmallest && key !== "timestamp")
        found.push({
          rule: "integers",
          found: `${token.header.value} with lead byte ${token.header.lead.toString(16)}`,
        })
    }
    if (next.value !== bytes.length)
      found.push({ rule: "one-object", found: `${bytes.length - next.value} bytes after the object` })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    found.push({ rule: "one-object", found: `bytes end inside the object (${error.message})` })
  }
  return [...envelopeOrder(bytes, keys), ...found]
}
