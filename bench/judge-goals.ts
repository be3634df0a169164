// Compares what was measured with the goals. Servers are compared round by round, because neighbours in time were hurt by
// the same other work on the machine; the median of these ratios counts.
import type { Goal } from "./goals.ts"
import type { Results } from "./results.ts"
import { median } from "./statistics.ts"

export interface JudgedGoal extends Goal {
  /** Undefined when one of the two was not measured. */
  readonly measured: number | undefined
  readonly met: boolean
}

export function judgeGoal(goal: Goal, results: Results): JudgedGoal {
  const ratios = ratiosOf(goal, results)
  if (ratios.length === 0) return { ...goal, measured: undefined, met: false }
  const measured = median(ratios)
  const met = goal.direction === "atLeast" ? measured >= goal.target : measured <= goal.target
  return { ...goal, measured, met }
}

function ratiosOf({ scenario, metric, subject, against }: Goal, results: Results): number[] {
  const own = results.rounds(scenario, subject)
  const other = results.rounds(scenario, against)
  const ratios: number[] = []
  for (const [round, figures] of own.entries()) {
    const dividend = figures?.[metric]
    const divisor = other[round]?.[metric]
    if (dividend !== undefined && divisor !== undefined && divisor !== 0) ratios.push(dividend / divisor)
  }
  return ratios
}
