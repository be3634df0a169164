// Goals, each a ratio of two servers in one run, or a figure of one. A rate where more is better must be at or above its target, a cost at
// or below it. Rates are per second of the server's CPU time, which does not include waiting for the load.
import type { MetricName } from "./metrics.ts"

export interface Comparison {
  /** The row of the scenario. */
  readonly scenario: string
  readonly metric: MetricName
  /** The server whose figure is divided by that of the other one. */
  readonly subject: string
  /** The server that it is compared with; of several, the one with the best figure. Empty: the figure itself is judged. */
  readonly against: readonly string[]
}

export interface Goal extends Comparison {
  /** `above` is not met by the target value itself. */
  readonly direction: "atLeast" | "above" | "atMost"
  readonly target: number
}

/** Goals of a rate, one for each server in `targets`. */
function rate(
  scenario: string,
  direction: "atLeast" | "above",
  targets: Readonly<Record<string, number>>,
): Goal[] {
  return Object.entries(targets).map(([against, target]) => ({
    scenario,
    metric: "perCpuSecond",
    subject: "hawser",
    against: [against],
    direction,
    target,
  }))
}

/** Goals of a cost, one for each server in `targets`. */
function cost(scenario: string, metric: MetricName, targets: Readonly<Record<string, number>>): Goal[] {
  return Object.entries(targets).map(([against, target]) =>
    costOf(scenario, metric, { against: [against], target }),
  )
}

function costOf(scenario: string, metric: MetricName, goal: Pick<Goal, "against" | "target">): Goal {
  return { scenario, metric, subject: "hawser", direction: "atMost", ...goal }
}

/** A goal of the journal: against Hawser without one, or of a figure itself. */
function journalGoal(
  scenario: string,
  metric: MetricName,
  goal: Pick<Goal, "direction" | "target"> & { readonly isFigure?: true },
): Goal {
  const { direction, target, isFigure = false } = goal
  return {
    scenario,
    metric,
    subject: "hawser-journal",
    against: isFigure ? [] : ["hawser"],
    direction,
    target,
  }
}

const everyPeer = { "socket.io": 1, colyseus: 1 }
/** All servers of the world but Hawser. */
const worldPeers = ["ws", "socket.io", "colyseus", "colyseus-view"]

/** Durable, and ahead of peers without any durability wherever Hawser without a journal is. */
const journalAhead: readonly Goal[] = [
  ...["request-reply-64x16", "request-reply-64x1", "fan-out-500", "fan-out-2000"].flatMap((scenario) =>
    rate(scenario, "above", everyPeer),
  ),
  ...cost("burst", "cpuSecondsPerMillion", { "socket.io": 1 }),
].map((goal) => ({ ...goal, subject: "hawser-journal" }))

export const goals: readonly Goal[] = [
  ...rate("request-reply-64x16", "atLeast", { ws: 2.5, "socket.io": 2.5, colyseus: 2.5 }),
  ...rate("request-reply-64x1", "atLeast", { ws: 1 }),
  ...rate("request-reply-64x1", "above", everyPeer),
  ...rate("fan-out-500", "atLeast", { "ws-framed": 0.95 }),
  ...rate("fan-out-500", "above", everyPeer),
  ...rate("fan-out-2000", "atLeast", { "ws-framed": 0.95 }),
  ...rate("fan-out-2000", "above", everyPeer),
  ...cost("burst", "cpuSecondsPerMillion", { ws: 0.15, "socket.io": 0.15 }),
  costOf("world-tick", "cpuSecondsPerMillion", { against: worldPeers, target: 0.8 }),
  costOf("world-tick", "bytesPerUpdate", { against: worldPeers, target: 0.15 }),
  ...cost("storm", "serverCpuSeconds", { ws: 1.2 }),
  ...cost("idle-memory", "heapBytesPerClient", { ws: 1.5, colyseus: 1 }),
  journalGoal("request-reply-64x16", "perCpuSecond", { direction: "atLeast", target: 0.85 }),
  journalGoal("request-reply-64x16", "p50Ms", { direction: "atMost", target: 1.1 }),
  journalGoal("request-reply-64x1", "perCpuSecond", { direction: "atLeast", target: 0.88 }),
  journalGoal("request-reply-64x1", "p50Ms", { direction: "atMost", target: 1.1 }),
  journalGoal("share-fan-out-500", "journalShare", { direction: "atMost", target: 0.03, isFigure: true }),
  journalGoal("share-fan-out-2000", "journalShare", { direction: "atMost", target: 0.03, isFigure: true }),
  journalGoal("share-burst", "journalShare", { direction: "atMost", target: 0.05, isFigure: true }),
  journalGoal("storm", "serverCpuSeconds", { direction: "atMost", target: 1.15 }),
  journalGoal("idle-memory", "heapBytesPerClient", { direction: "atMost", target: 1.05 }),
  journalGoal("recovery", "startMs", { direction: "atMost", target: 2_000, isFigure: true }),
  journalGoal("recovery", "longestStepMs", { direction: "atMost", target: 5, isFigure: true }),
  ...journalAhead,
]

/** Ratios that are printed and have no goal. */
export const shownRatios: readonly Comparison[] = ["request-reply-64x16", "fan-out-500", "fan-out-2000"].map(
  (scenario) => ({ scenario, metric: "perCpuSecond", subject: "hawser-bun", against: ["hawser"] }),
)
