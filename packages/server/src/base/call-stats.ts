// Counts settled requests by call: number, latency, error codes. Names outside the contract count as `unknown`, so the number of
// rows is fixed.
import { CodeTally } from "@hawser/protocol/core"
import { Histogram, latencyBoundsMs } from "./histogram.ts"
import type { HistogramReading } from "./histogram.ts"

/** Statistics of one call since the server was created. */
export interface CallReading {
  /** Requests that were settled, with a result or an error. */
  readonly count: number
  /** Failed ones of these requests, by code. Up to 32 codes of the application have a row; further ones count as `other`. */
  readonly failedByCode: Readonly<Record<string, number>>
  /** Time from a request's arrival to its reply, including the wait in the queue; for a stream, to its start. */
  readonly latency: HistogramReading
}

/** Row of all names that the contract does not have. */
const unknownCall = "unknown"

const foreignCodesMax = 32

interface OneCall {
  readonly latency: Histogram
  readonly failures: CodeTally
}

export class CallStats {
  readonly #byName: ReadonlyMap<string, OneCall>
  readonly #unknown: OneCall

  /** @param names the calls of the contract. */
  constructor(names: Iterable<string>) {
    this.#unknown = newCall()
    const calls = new Map([...names].map((name) => [name, newCall()]))
    this.#byName = calls.set(unknownCall, this.#unknown)
  }

  /** Counts a settled request. @param failure code of its error; undefined for a success. */
  answered(name: string, latencyMs: number, failure: string | undefined): void {
    const call = this.#byName.get(name) ?? this.#unknown
    call.latency.record(latencyMs)
    if (failure !== undefined) call.failures.add(failure)
  }

  /** Returns the statistics by call. */
  read(): Readonly<Record<string, CallReading>> {
    return Object.fromEntries(
      [...this.#byName].map(([name, { latency, failures }]) => [
        name,
        { count: latency.count, failedByCode: failures.read(), latency: latency.read() },
      ]),
    )
  }
}

function newCall(): OneCall {
  return {
    latency: new Histogram(latencyBoundsMs),
    failures: new CodeTally({ foreignMax: foreignCodesMax }),
  }
}
