// What the reconnect machine remembers from one attempt to the next.
import type { HawserError } from "@hawser/protocol"

export interface Row {
  /** Failures in a row. */
  readonly failures: number
  readonly firstFailureAtMs: number | undefined
  readonly refusedTokens: readonly string[]
  /** Why the last of them was refused. */
  readonly refusal: HawserError | undefined
  readonly lastError: HawserError | undefined
  /** True once any session was open. */
  readonly wasOpen: boolean
  /** Number of the last dial. */
  readonly dial: number
}

/** Nothing has failed yet. */
export function freshRow(dial: number, wasOpen: boolean): Row {
  return {
    failures: 0,
    firstFailureAtMs: undefined,
    refusedTokens: [],
    refusal: undefined,
    lastError: undefined,
    wasOpen,
    dial,
  }
}
