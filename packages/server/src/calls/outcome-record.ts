// Converts outcomes of settled requests to plain data and back.
import { Encoded } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"
import type { Outcome } from "./job.ts"

/** Encoded result, with the members of the protocol's `Encoding`. */
interface PayloadRecord {
  readonly bytes: Uint8Array
  readonly depth: number
  readonly elements: number
  readonly longestKeyBytes: number
}

type PackedOutcome =
  /** `payload`: null if the call has no result. */
  | { readonly ok: true; readonly payload: PayloadRecord | null }
  | { readonly ok: false; readonly error: WireError; readonly isExecuted: boolean }

/** Remembered outcome of one request. */
export type OutcomeRecord = PackedOutcome & {
  readonly userId: string
  /** Name of the call and idempotency key. */
  readonly id: string
  /** Remaining time to live, in milliseconds. */
  readonly inMs: number
}

/** Converts an outcome to plain data. Returns undefined for the start of a stream. */
export function outcomeRecordOf(outcome: Outcome): PackedOutcome | undefined {
  if (!outcome.ok) return { ok: false, error: outcome.error, isExecuted: outcome.isExecuted === true }
  if ("items" in outcome) return undefined
  const { payload } = outcome
  if (!(payload instanceof Encoded)) return { ok: true, payload: null }
  const encoding = payload.encoding(() => {
    throw new TypeError("a remembered result has no encoding")
  })
  return { ok: true, payload: encoding }
}

/** Converts plain data to an outcome. */
export function outcomeOf(record: PackedOutcome): Outcome {
  if (!record.ok)
    return { ok: false, error: record.error, ...(record.isExecuted ? { isExecuted: true } : {}) }
  const { payload } = record
  return { ok: true, payload: payload === null ? undefined : Encoded.of(undefined, payload) }
}
