// All figures of a run: for each row of a scenario and each server, one set per round.
import type { Figures, Measurement } from "./scenarios/scenario.ts"
import { isMetricName } from "./metrics.ts"
import type { MetricName } from "./metrics.ts"
import { spreadOf } from "./statistics.ts"
import type { Spread } from "./statistics.ts"

/** A trial that failed. */
export interface Failure {
  readonly scenario: string
  readonly server: string
  readonly round: number
  readonly message: string
}

/** By round; undefined where a trial failed. */
type Rounds = (Figures | undefined)[]

export class Results {
  readonly #rows = new Map<string, Map<string, Rounds>>()
  readonly failures: Failure[] = []

  add(server: string, round: number, measurements: readonly Measurement[]): void {
    for (const { row, figures } of measurements) {
      const servers = this.#rows.get(row) ?? new Map<string, Rounds>()
      this.#rows.set(row, servers)
      const rounds = servers.get(server) ?? []
      servers.set(server, rounds)
      rounds[round] = figures
    }
  }

  rowNames(): readonly string[] {
    return [...this.#rows.keys()]
  }

  servers(row: string): readonly string[] {
    return [...(this.#rows.get(row)?.keys() ?? [])]
  }

  rounds(row: string, server: string): readonly (Figures | undefined)[] {
    return this.#rows.get(row)?.get(server) ?? []
  }

  /** Undefined when no round has this figure. */
  spread(row: string, server: string, metric: MetricName): Spread | undefined {
    const values = this.rounds(row, server).flatMap((figures) => figures?.[metric] ?? [])
    return values.length === 0 ? undefined : spreadOf(values)
  }

  /** The metrics that a row has, in the order in which its scenario names them. */
  metricNames(row: string): MetricName[] {
    const names = this.servers(row).flatMap((server) =>
      this.rounds(row, server).flatMap((figures) => Object.keys(figures ?? {})),
    )
    return [...new Set(names)].filter(isMetricName)
  }
}
