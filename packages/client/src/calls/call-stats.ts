// Counts, durations and failures of a client's calls, by the contract's names. Must not know sessions.
import { HawserError } from "@hawser/protocol"
import { CodeTally } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"

/** Numbers of one command or query. */
export interface CallReading {
  /** Settled calls, with a result or an error. */
  readonly count: number
  /** Rejected calls, by error code; the first 32 codes of the application by name, all others as `other`. */
  readonly failedByCode: Readonly<Record<string, number>>
  /** Time from the calls to their outcomes, in milliseconds, all calls together. Waiting for the connection is included. */
  readonly totalMs: number
  /** Longest time from a call to its outcome, in milliseconds. */
  readonly longestMs: number
}

/** Receives the outcome of one call: exactly one of the two is called, once. */
export interface CallWatch {
  readonly succeeded: () => void
  readonly failed: (error: unknown) => void
}

interface OneCall {
  count: number
  totalMs: number
  longestMs: number
  readonly failures: CodeTally
}

const foreignCodes = { foreignMax: 32 }

export class CallStats {
  readonly #clock: Clock
  readonly #byName = new Map<string, OneCall>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Notes the begin of a call. The creator of its promise reports the outcome: a handler on the promise itself would hide an
   * unhandled rejection.
   * @param name of the contract, which bounds the number of names.
   */
  watch(name: string): CallWatch {
    const startedAtMs = this.#clock.now()
    return {
      succeeded: () => void this.#settled(name, startedAtMs),
      failed: (error) =>
        this.#settled(name, startedAtMs).failures.add(HawserError.is(error) ? error.code : "other"),
    }
  }

  read(): Readonly<Record<string, CallReading>> {
    return Object.fromEntries(
      [...this.#byName].map(([name, { failures, ...numbers }]) => [
        name,
        { ...numbers, failedByCode: failures.read() },
      ]),
    )
  }

  #settled(name: string, startedAtMs: number): OneCall {
    const known = this.#byName.get(name)
    const call = known ?? { count: 0, totalMs: 0, longestMs: 0, failures: new CodeTally(foreignCodes) }
    if (known === undefined) this.#byName.set(name, call)
    const tookMs = this.#clock.now() - startedAtMs
    call.count += 1
    call.totalMs += tookMs
    call.longestMs = Math.max(call.longestMs, tookMs)
    return call
  }
}
