// Metrics of the world beside those of the server: saves, log, log-ins, HTTP requests. Values are read at collection.
import { Counter, Gauge } from "prom-client"
import type { Registry } from "prom-client"
import type { PiecesCount } from "./game/game.ts"
import type { SaveHealth } from "./store/saver.ts"

export interface WorldMetricsSources {
  readonly saves: () => SaveHealth
  readonly lostLogLines: () => number
  /** Peers' violations so far, by kind. */
  readonly violations: () => ReadonlyMap<string, number>
  /** Passwords that are queued or being hashed. */
  readonly hashes: () => number
  /** HTTP requests whose answers are not complete. */
  readonly requestsUnderWay: () => number
  readonly pieces: () => PiecesCount
}

export interface WorldMetrics {
  /** Counts a renewal of a log-in. */
  renewed(outcome: string): void
  /** Counts a connection that was closed by a bound of its request. */
  readonly requestDropped: (reason: string) => void
}

type About = readonly [name: string, help: string]

/** Registers a gauge that reads its value when it is collected. */
function addGauge(registry: Registry, [name, help]: About, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value())
    },
  })
}

/** Registers a counter that reads its value when it is collected. */
function addCounter(registry: Registry, [name, help]: About, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(value())
    },
  })
}

function addPlainMetrics(registry: Registry, sources: WorldMetricsSources): void {
  const { saves, lostLogLines, hashes, requestsUnderWay } = sources
  const failing = "1 from a failed save until the next one that succeeds, else 0."
  addGauge(registry, ["world_saves_failing", failing], () => (saves().isFailing ? 1 : 0))
  const unsaved = "Players whose progress is not in the database yet."
  addGauge(registry, ["world_unsaved_players", unsaved], () => saves().pending)
  const failures = "Saves that the database refused."
  addCounter(registry, ["world_save_failures_total", failures], () => saves().failures)
  const lost = "Records of players' progress that were dropped unsaved."
  addCounter(registry, ["world_progress_lost_total", lost], () => saves().lost)
  const lines = "Lines of the log that could not be written."
  addCounter(registry, ["world_log_lines_lost_total", lines], lostLogLines)
  const hashing = "Passwords that wait to be hashed, or are being hashed."
  addGauge(registry, ["world_password_hashes", hashing], hashes)
  const requests = "HTTP requests whose answers are not complete."
  addGauge(registry, ["world_requests_under_way", requests], requestsUnderWay)
}

/** Registers where the pieces of wood and ore are: grown = decayed + stored + standing + ground + carried. */
function addPieces(registry: Registry, pieces: () => PiecesCount): void {
  new Gauge({
    name: "world_pieces",
    help: "Pieces of wood and ore by place, and since the journal began those that grew, decayed, or went to the database.",
    labelNames: ["place"],
    registers: [registry],
    collect() {
      const counts: Readonly<Record<string, number>> = { ...pieces() }
      for (const [place, count] of Object.entries(counts)) this.set({ place }, count)
    },
  })
}

/** Registers the world's metrics of docs/metrics.md. */
export function registerWorldMetrics(registry: Registry, sources: WorldMetricsSources): WorldMetrics {
  const registers = [registry]
  addPlainMetrics(registry, sources)
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
  addPieces(registry, sources.pieces)
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
