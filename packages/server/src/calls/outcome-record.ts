// Outcomes of settled requests as plain data.
import { Encoded } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"
import type { Outcome } from "./job.ts"

/** Encoding of a result, as `Encoding` of the protocol. */
interface PayloadRecord {
  readonly bytes: Uint8Array
  readonly depth: number
  readonly elements: number
  readonly longestKeyBytes: number
}

type PackedOutcome =
  /** `payload`: null for a call without a result. */
  | { readonly ok: true; readonly payload: PayloadRecord | null }
  | { readonly ok: false; readonly error: WireError; readonly isExecuted: boolean }

/** A remembered outcome of one request. */
export type OutcomeRecord = PackedOutcome & {
  readonly userId: string
  /** Name and key of the request. */
  readonly id: string
  /** Remaining time to live, in milliseconds. */
  readonly inMs: number
}

/** Returns undefined for the start of a stream, which is not remembered. */
export function outcomeRecordOf(outcome: Outcome): PackedOutcome | undefined {
  if (!outcome.ok) return { ok: false, error: outcome.error, isExecuted: outcome.isExecuted === true }
  if ("items" in outcome) return undefined
  const { payload } = outcome
  if (!(payload instanceof Encoded)) return { ok: true, payload: null }
  const { bytes, depth, elements, longestKeyBytes } = payload.encoding(() => {
    throw new TypeError("a remembered result is encoded when its request is settled")
  })
  return { ok: true, payload: { bytes, depth, elements, longestKeyBytes } }
}

export function outcomeOf(record: PackedOutcome): Outcome {
  if (!record.ok)
    return { ok: false, error: record.error, ...(record.isExecuted ? { isExecuted: true } : {}) }
  const { payload } = record
  return { ok: true, payload: payload === null ? undefined : Encoded.of(undefined, { ...payload }) }
}
