// The report for programs: the goals, and every figure of every round.
import type { JudgedChange } from "../judge-change.ts"
import type { JudgedGoal, MeasuredRatio } from "../judge-goals.ts"
import type { Machine } from "../machine.ts"
import { metrics } from "../metrics.ts"
import type { BenchRun } from "../run-bench.ts"

export interface ReportOptions {
  readonly run: BenchRun
  readonly judged: readonly JudgedGoal[]
  /** Measured ratios without a goal. */
  readonly ratios: readonly MeasuredRatio[]
  /** Empty without another checkout. */
  readonly changes: readonly JudgedChange[]
  readonly machine: Machine
  readonly quick: boolean
  readonly rounds: number
}

/** `against` names the server that divided the figure, or all candidates if nothing was measured. */
function shownAsJson<T extends MeasuredRatio>({ metric, measured, peer, against, ...more }: T) {
  return {
    ...more,
    against: peer ?? against.join(", "),
    among: against,
    metric: metrics[metric].label,
    figure: metric,
    measured: measured ?? null,
  }
}

export function renderJson(options: ReportOptions): string {
  const { run, judged, ratios, changes, machine, quick, rounds } = options
  const { results } = run
  const figures = results.rowNames().flatMap((row) =>
    results.servers(row).map((server) => ({
      scenario: row,
      server,
      rounds: results.rounds(row, server).map((round) => round ?? null),
    })),
  )
  const report = {
    goals: judged.map(shownAsJson),
    ratios: ratios.map(shownAsJson),
    changes: changes.map(({ metric, ...change }) => ({
      ...change,
      metric: metrics[metric].label,
      figure: metric,
    })),
    figures,
    failures: results.failures,
    absent: run.absent,
    quick,
    rounds,
    seconds: run.seconds,
    pinned: run.pinned,
    machine,
  }
  return `${JSON.stringify(report, undefined, 2)}\n`
}
