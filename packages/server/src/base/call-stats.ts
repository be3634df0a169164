// How requests went, by the names of the contract: how many, how long, and which codes they failed with. The number of
// names never grows: what is not in the contract counts as `unknown`.
import { CodeTally } from "@hawser/protocol/core"
import { Histogram, latencyBoundsMs } from "./histogram.ts"
import type { HistogramReading } from "./histogram.ts"

export interface CallReading {
  /** Requests that were answered, with a result or an error. */
  readonly count: number
  /** Of these, the ones that failed, by code. A code of the application is one of its own up to 32 per name. */
  readonly failedByCode: Readonly<Record<string, number>>
  /** From the arrival of the request to its answer, waiting behind other requests included; of a stream, to its start. */
  readonly latency: HistogramReading
}

/** Stands for every name that the contract does not have. */
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
    const calls = new Map([...names, unknownCall].map((name) => [name, newCall()]))
    this.#byName = calls
    this.#unknown = calls.get(unknownCall) ?? newCall()
  }

  /** A request was answered. `failure` is its code, undefined when it succeeded. */
  answered(name: string, latencyMs: number, failure: string | undefined): void {
    const call = this.#byName.get(name) ?? this.#unknown
    call.latency.record(latencyMs)
    if (failure !== undefined) call.failures.add(failure)
  }

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
