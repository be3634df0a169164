// The goals, each a ratio of two servers in one run. Rates where more is better have to be at least the target, costs at
// most. Rates are per second of the server's CPU time: how long it waited for the load says nothing about it.
import type { MetricName } from "./metrics.ts"

export interface Goal {
  /** The row of the scenario. */
  readonly scenario: string
  readonly metric: MetricName
  /** The server that is to reach the goal, divided by the one that it is compared with. */
  readonly subject: string
  readonly against: string
  readonly direction: "atLeast" | "atMost"
  readonly target: number
}

/** One row of the table of goals: what is compared with whom. */
function rate(scenario: string, targets: Readonly<Record<string, number>>, subject = "hawser"): Goal[] {
  return Object.entries(targets).map(([against, target]) => ({
    scenario,
    metric: "perCpuSecond",
    subject,
    against,
    direction: "atLeast",
    target,
  }))
}

function cost(scenario: string, metric: MetricName, targets: Readonly<Record<string, number>>): Goal[] {
  return Object.entries(targets).map(([against, target]) => ({
    scenario,
    metric,
    subject: "hawser",
    against,
    direction: "atMost",
    target,
  }))
}

const loneEvents = { ws: 1.3, "socket.io": 1.6, colyseus: 1.2, "ws-framed": 0.95 }
const onBun = { hawser: 2 }

export const goals: readonly Goal[] = [
  ...rate("request-reply-64x16", { ws: 2.5, "socket.io": 2.5, colyseus: 2.5 }),
  ...rate("request-reply-64x1", { ws: 1, "socket.io": 1.4 }),
  ...rate("fan-out-500", loneEvents),
  ...rate("fan-out-2000", loneEvents),
  ...cost("burst", "cpuSecondsPerMillion", { ws: 0.15, "socket.io": 0.15 }),
  ...cost("world-tick", "cpuSecondsPerMillion", { "colyseus-view": 0.3, colyseus: 0.5 }),
  ...cost("world-tick", "bytesPerUpdate", { "colyseus-view": 0.25, colyseus: 0.15 }),
  ...cost("storm", "serverCpuSeconds", { ws: 1.3, colyseus: 0.45 }),
  ...cost("idle-memory", "heapBytesPerClient", { ws: 1.3, "socket.io": 0.6, colyseus: 0.6 }),
  ...rate("request-reply-64x16", onBun, "hawser-bun"),
  ...rate("fan-out-500", onBun, "hawser-bun"),
  ...rate("fan-out-2000", onBun, "hawser-bun"),
]
