// The reconnect machine's memory from one attempt to the next.
import type { HawserError } from "@hawser/protocol"

export interface Row {
  /** Failures in a row: lost connections that were not proven, and attempts without WELCOME. */
  readonly failures: number
  /** Attempts in a row of which a dial failed or a time limit was reached; each doubles the limits of the next one. */
  readonly failedDials: number
  readonly firstFailureAtMs: number | undefined
  readonly refusedTokens: readonly string[]
  /** Error of the last refusal. */
  readonly refusal: HawserError | undefined
  readonly lastError: HawserError | undefined
  /** True once any session was open. */
  readonly wasOpen: boolean
  /** Number of the last dial. */
  readonly dial: number
  /** Number of the last renewal of a token on an open connection. */
  readonly renewal: number
  /** The time at which the dial budget is whole again; in the past while it is. */
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

/** A row without a failure. Numbers go on, and the budget is not refilled. */
export function freshRow({ dial, renewal, budgetFullAtMs }: Row, wasOpen: boolean): Row {
  return { ...firstRow, dial, renewal, budgetFullAtMs, wasOpen }
}
