// State of the reconnect machine that one attempt passes to the next.
import type { HawserError } from "@hawser/protocol"

export interface Row {
  /** Failures in a row: attempts without WELCOME, and lost connections that were not proven. */
  readonly failures: number
  /** Attempts in a row with a failed dial or a reached time limit. Each doubles the limits of the next attempt. */
  readonly failedDials: number
  readonly firstFailureAtMs: number | undefined
  readonly refusedTokens: readonly string[]
  /** Error of the last refused token. */
  readonly refusal: HawserError | undefined
  readonly lastError: HawserError | undefined
  /** True after a session was open. */
  readonly wasOpen: boolean
  /** Number of the last dial. */
  readonly dial: number
  /** Number of the last renewal of a token on an open connection. */
  readonly renewal: number
  /** Time at which the dial budget is full. */
  readonly budgetFullAtMs: number
}

export const firstRow: Row = {
  failures: 0,
  failedDials: 0,
  firstFailureAtMs: undefined,
  refusedTokens: [],
  refusal: undefined,
  lastError: undefined,
  wasOpen: false,
  dial: 0,
  renewal: 0,
  budgetFullAtMs: 0,
}

/** Returns a row without failures. Numbers and the budget continue. */
export function freshRow({ dial, renewal, budgetFullAtMs }: Row, wasOpen: boolean): Row {
  return { ...firstRow, dial, renewal, budgetFullAtMs, wasOpen }
}
