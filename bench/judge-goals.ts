// Compares the measured figures with the goals. Servers are compared round by round, because other work on the machine
// affects neighbouring trials equally; the median of these ratios counts.
import type { Comparison, Goal } from "./goals.ts"
import { metrics } from "./metrics.ts"
import type { Results } from "./results.ts"
import { median } from "./statistics.ts"

interface Measured {
  /**
   * The server whose figure divided the subject's: of several, the one with the best median. Undefined if not measured.
   */
  readonly peer: string | undefined
  /** Undefined if the subject or one of its comparison servers was not measured. */
  readonly measured: number | undefined
}

export interface JudgedGoal extends Goal, Measured {
  readonly met: boolean
}

export interface MeasuredRatio extends Comparison, Measured {}

export function judgeGoal(goal: Goal, results: Results): JudgedGoal {
  const { peer, measured } = measureRatio(goal, results)
  return { ...goal, peer, measured, met: measured !== undefined && isMet(goal, measured) }
}

function isMet({ direction, target }: Goal, measured: number): boolean {
  switch (direction) {
    case "atLeast":
      return measured >= target
    case "above":
      return measured > target
    case "atMost":
      return measured <= target
  }
}

/** Returns the ratio, or the figure itself if there is nothing to compare it with. */
export function measureRatio(comparison: Comparison, results: Results): MeasuredRatio {
  if (comparison.against.length === 0) {
    const { scenario: row, subject: server, metric: name } = comparison
    return { ...comparison, peer: undefined, measured: results.spread(row, server, name)?.median }
  }
  const peer = bestOf(comparison, results)
  if (peer === undefined) return { ...comparison, peer: undefined, measured: undefined }
  const { scenario, metric, subject } = comparison
  const ratios = ratiosOf(results, { scenario, metric, subject, against: peer })
  return ratios.length === 0
    ? { ...comparison, peer: undefined, measured: undefined }
    : { ...comparison, peer, measured: median(ratios) }
}

/** Undefined if one of the servers has no figure, because that server could be the best. */
function bestOf({ scenario, metric, against }: Comparison, results: Results): string | undefined {
  const peers = against.map((name) => ({ name, median: results.spread(scenario, name, metric)?.median }))
  const sign = metrics[metric].better === "less" ? 1 : -1
  let best: { readonly name: string; readonly median: number } | undefined
  for (const { name, median: figure } of peers) {
    if (figure === undefined) return undefined
    if (best === undefined || sign * figure < sign * best.median) best = { name, median: figure }
  }
  return best?.name
}

export interface Pair extends Omit<Comparison, "against"> {
  readonly against: string
}

/** The subject's figure divided by the other server's, for each round in which both have one. */
export function ratiosOf(results: Results, { scenario, metric, subject, against }: Pair): number[] {
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
