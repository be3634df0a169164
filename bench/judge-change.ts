// Compares Hawser with the one of another checkout, row by row and figure by figure. Both ran in the same rounds with
// the same load. A figure has changed if the median of the rounds' ratios is further from 1 than the rounds are from
// one another.
import { ratiosOf } from "./judge-goals.ts"
import { metrics } from "./metrics.ts"
import type { MetricName } from "./metrics.ts"
import type { Results } from "./results.ts"
import { otherHawserName } from "./servers.ts"
import { spreadOf } from "./statistics.ts"
import type { Spread } from "./statistics.ts"

/** `one round`: a single ratio has no spread to be judged by. */
type ChangeVerdict = "better" | "worse" | "within its spread" | "one round"

export interface JudgedChange {
  readonly scenario: string
  readonly metric: MetricName
  /** This checkout's figure divided by the other one's. */
  readonly ratio: Spread
  readonly verdict: ChangeVerdict
}

/** Metrics that have goals. Latencies are left out, because their spread on a shared machine hides any change. */
const judgedMetrics: readonly MetricName[] = [
  "perCpuSecond",
  "serverCpuSeconds",
  "bytesPerMessage",
  "bytesPerUpdate",
  "heapBytesPerClient",
]

/**
 * Smaller changes are ignored. Bytes hardly differ between rounds, but the number of acknowledgements in a window does.
 */
const leastChange = 0.01

export function judgeChanges(results: Results): JudgedChange[] {
  return results.rowNames().flatMap((scenario) =>
    judgedMetrics.flatMap((metric) => {
      const pair = { scenario, metric, subject: "hawser", against: otherHawserName }
      const ratios = ratiosOf(results, pair)
      return ratios.length === 0 ? [] : [{ scenario, metric, ...judgeRatios(metric, ratios) }]
    }),
  )
}

/** @throws RangeError without ratios. */
export function judgeRatios(
  metric: MetricName,
  ratios: readonly number[],
): Pick<JudgedChange, "ratio" | "verdict"> {
  const ratio = spreadOf(ratios)
  if (ratios.length < 2) return { ratio, verdict: "one round" }
  const change = ratio.median - 1
  if (Math.abs(change) <= Math.max(ratio.most - ratio.least, leastChange))
    return { ratio, verdict: "within its spread" }
  return { ratio, verdict: change > 0 === (metrics[metric].better === "more") ? "better" : "worse" }
}
