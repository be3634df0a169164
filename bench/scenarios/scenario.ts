// What a scenario is. One file each; scenarios.ts lists them.
import type { Trial } from "../trial/trial.ts"

export interface Pace {
  /** Shorter windows and fewer idle clients, for an indication. */
  readonly quick: boolean
}

/** Figures by name; each name says its unit. */
export type Figures = Readonly<Record<string, number>>

/** One row of the table: a scenario may have several, which share a server. */
export interface Measurement {
  readonly row: string
  readonly figures: Figures
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly purpose: "messages" | "world"
  /** What the rows are called, and what each of them is about. */
  readonly rows: readonly { readonly name: string; readonly title: string }[]
  /** Runs only when it is named. */
  readonly isExtra?: boolean
  /** True when a server that keeps a state instead of sending messages can take part. */
  readonly allowsConflation: boolean
  /** Clients whose players the world holds; 0 without a world. */
  readonly playerCount: number
  run(trial: Trial, pace: Pace): Promise<readonly Measurement[]>
}

/** CPU of the server, told per million of what it was spent on, and the other way round. */
export function costs(serverCpuMs: number, count: number): Figures {
  return {
    cpuSecondsPerMillion: (serverCpuMs * 1000) / count,
    perCpuSecond: (count * 1000) / serverCpuMs,
  }
}
