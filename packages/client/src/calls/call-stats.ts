// How a client's commands and queries went, by the contract's names: how many, how long, and why they failed.
import { HawserError } from "@hawser/protocol"
import { CodeTally } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"

export interface CallReading {
  /** Calls that were settled, with a result or an error. */
  readonly count: number
  /** Of these, the ones that rejected, by code; `other` beyond 32 codes of the application. */
  readonly failedByCode: Readonly<Record<string, number>>
  /** Milliseconds from the call to its outcome, waiting for the connection included: all together, and the longest. */
  readonly totalMs: number
  readonly longestMs: number
}

/** Told how one call ended; exactly one of the two, once. */
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
   * A call begins. Whoever makes its promise tells the outcome: to watch the promise would count as handling it, and a
   * failure that nobody awaits must not vanish.
   * @param name of the contract, so that the names have a bound.
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
