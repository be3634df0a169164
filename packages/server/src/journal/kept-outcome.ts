// Converts outcomes of requests with an idempotency key between the call layer and a journal. Must not know records.
import type { ErrorCategory } from "@hawser/protocol"
import { createPayloadCodec, isMap, quoted } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"
import type { OutcomeRecord } from "../calls/outcome-record.ts"
import type { KeptOutcome } from "./kept-state.ts"

/** No bounds: outcomes come from servers, and limits bound them. */
const codec = createPayloadCodec({
  maxBytes: 2 ** 31,
  maxDepth: 64,
  maxElements: 2 ** 31,
  maxKeyBytes: 2 ** 31,
})

export function keptOutcomeOf({ userId, id, inMs, ...packed }: OutcomeRecord, wallMs: number): KeptOutcome {
  return { userId, id, untilMs: wallMs + inMs, packed: codec.encode(packed) }
}

/** @throws TypeError for an outcome that is not readable. */
export function outcomeRecordFrom(
  { userId, id, untilMs, packed }: KeptOutcome,
  wallMs: number,
): OutcomeRecord {
  const decoded = codec.decode(packed, 0)
  const fields = decoded.ok && isMap(decoded.value) ? decoded.value : {}
  const identity = { userId, id, inMs: untilMs - wallMs }
  const { ok, payload, error, isExecuted } = fields
  if (ok === true && payload === null) return { ...identity, ok, payload }
  if (ok === true && isMap(payload)) return { ...identity, ok, payload: payloadOf(payload) }
  if (ok === false && isMap(error))
    return { ...identity, ok, error: errorOf(error), isExecuted: isExecuted === true }
  throw new TypeError(`the outcome of ${quoted(id)} in the journal is not readable`)
}

type PackedPayload = Exclude<Extract<OutcomeRecord, { ok: true }>["payload"], null>

function payloadOf({
  bytes,
  depth,
  elements,
  longestKeyBytes,
}: Readonly<Record<string, unknown>>): PackedPayload {
  if (
    bytes instanceof Uint8Array &&
    typeof depth === "number" &&
    typeof elements === "number" &&
    typeof longestKeyBytes === "number"
  )
    return { bytes: bytes.slice(), depth, elements, longestKeyBytes }
  throw new TypeError("a result in the journal has no encoding")
}

function errorOf(fields: Readonly<Record<string, unknown>>): WireError {
  const { code, message, category, retryAfterMs, details } = fields
  if (typeof code !== "string" || typeof message !== "string" || !isErrorCategory(category))
    throw new TypeError("an error in the journal has no code, message or category")
  return {
    code,
    message,
    category,
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    ...(isMap(details) ? { details } : {}),
  }
}

const categories: readonly ErrorCategory[] = ["validation", "permission", "system", "rate_limit"]

function isErrorCategory(value: unknown): value is ErrorCategory {
  return categories.some((category) => category === value)
}
