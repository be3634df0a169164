// The report for programs: the goals, and every figure of every round.
import type { JudgedGoal } from "../judge-goals.ts"
import type { Machine } from "../machine.ts"
import { metrics } from "../metrics.ts"
import type { BenchRun } from "../run-bench.ts"

export interface ReportOptions {
  readonly run: BenchRun
  readonly judged: readonly JudgedGoal[]
  readonly machine: Machine
  readonly quick: boolean
  readonly rounds: number
}

export function renderJson({ run, judged, machine, quick, rounds }: ReportOptions): string {
  const { results } = run
  const figures = results.rowNames().flatMap((row) =>
    results.servers(row).map((server) => ({
      scenario: row,
      server,
      rounds: results.rounds(row, server).map((round) => round ?? null),
    })),
  )
  const goals = judged.map(({ metric, measured, ...goal }) => ({
    ...goal,
    metric: metrics[metric].label,
    figure: metric,
    measured: measured ?? null,
  }))
  const report = {
    goals,
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
