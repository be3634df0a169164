// Types of a scenario. One file each; scenarios.ts lists them.
import type { Purpose } from "../servers.ts"
import type { Trial } from "../trial/trial.ts"

export interface Pace {
  /** Shorter windows and fewer idle clients, for an indication. */
  readonly quick: boolean
}

/** Figures by name; each name carries its unit. */
export type Figures = Readonly<Record<string, number>>

/** One row of the table. A scenario may have several rows, which share a server. */
export interface Measurement {
  readonly row: string
  readonly figures: Figures
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly purpose: Purpose
  /** Names and titles of the rows. */
  readonly rows: readonly { readonly name: string; readonly title: string }[]
  /** Runs only by name. */
  readonly isExtra?: boolean
  /** True if a server that holds a state instead of sending messages can take part. */
  readonly allowsConflation: boolean
  /** Number of players in the world; 0 without a world. */
  readonly playerCount: number
  run(trial: Trial, pace: Pace): Promise<readonly Measurement[]>
}

/** Two figures from the server's CPU time: operations per CPU second, and CPU seconds per million operations. */
export function costs(serverCpuMs: number, count: number): Figures {
  return {
    cpuSecondsPerMillion: (serverCpuMs * 1000) / count,
    perCpuSecond: (count * 1000) / serverCpuMs,
  }
}
