// The world's own metrics beside those of the server: saves, the log, strangers at the door. Read when they are asked for.
import { Counter, Gauge } from "prom-client"
import type { Registry } from "prom-client"
import type { SaveHealth } from "./store/saver.ts"

export interface WorldMetricsSources {
  readonly saves: () => SaveHealth
  readonly lostLogLines: () => number
  /** Peers' violations so far, by kind. */
  readonly violations: () => ReadonlyMap<string, number>
  /** Passwords that wait to be hashed, or are. */
  readonly hashes: () => number
  /** HTTP requests whose answers are not complete. */
  readonly requestsUnderWay: () => number
}

export interface WorldMetrics {
  /** Counts a renewal of a log-in. */
  renewed(outcome: string): void
  /** Counts a connection that a bound of its request has closed. */
  readonly requestDropped: (reason: string) => void
}

/** Described in docs/metrics.md. */
export function registerWorldMetrics(registry: Registry, sources: WorldMetricsSources): WorldMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  }
  /** Of a number that is counted elsewhere. */
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  gauge("world_saves_failing", "1 from a failed save until the next one that succeeds, else 0.", () =>
    sources.saves().isFailing ? 1 : 0,
  )
  gauge(
    "world_unsaved_players",
    "Players whose progress is not in the database yet.",
    () => sources.saves().pending,
  )
  counter("world_save_failures_total", "Saves that the database refused.", () => sources.saves().failures)
  counter(
    "world_progress_lost_total",
    "Times that a player's progress was given up.",
    () => sources.saves().lost,
  )
  counter("world_log_lines_lost_total", "Lines of the log that could not be written.", sources.lostLogLines)
  gauge("world_password_hashes", "Passwords that wait to be hashed, or are being hashed.", sources.hashes)
  gauge("world_requests_under_way", "HTTP requests whose answers are not complete.", sources.requestsUnderWay)
  new Counter({
    name: "world_peer_violations_total",
    help: "Errors that peers caused: bytes against HTTP or WebSocket, connections cut.",
    labelNames: ["kind"],
    registers,
    collect() {
      this.reset()
      for (const [kind, count] of sources.violations()) this.inc({ kind }, count)
    },
  })
  const renewals = new Counter({
    name: "world_login_renewals_total",
    help: "Requests to renew a log-in, by how they ended.",
    labelNames: ["outcome"],
    registers,
  })
  const dropped = new Counter({
    name: "world_requests_dropped_total",
    help: "HTTP connections closed because a body did not end, or an answer was not taken.",
    labelNames: ["reason"],
    registers,
  })
  return {
    renewed: (outcome) => renewals.inc({ outcome }),
    requestDropped: (reason) => dropped.inc({ reason }),
  }
}
