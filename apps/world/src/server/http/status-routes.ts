// Decides what the server tells anybody about itself. Must not know how any of it is measured.
import type { TickTimes } from "../game/tick.ts"
import { jsonReply } from "./reply.ts"
import type { Route } from "./routes.ts"

/** The world's state of the moment. */
interface WorldStatus {
  readonly motd: string
  readonly maxPlayers: number
  readonly currentPlayers: number
  readonly tick: TickTimes
}

export interface StatusOptions {
  readonly status: () => WorldStatus
  /** Whether the world takes players: not while it starts or drains. */
  readonly isOpen: () => boolean
  /** Why the world should get no further players, in words of the log; empty while all is well. */
  readonly troubles: () => readonly string[]
  readonly version: string
}

/**
 * `GET /status`, `/healthz`, `/readyz`, `/version`. `/healthz` fails only while the world is closing, because supervisors
 * restart by it, and a restart cures no full disk. `/readyz` fails also while `troubles` has any.
 */
export function statusRoutes({ status, isOpen, troubles, version }: StatusOptions): readonly Route[] {
  return [
    { method: "GET", path: "/status", answer: () => jsonReply(200, statusWire(status())) },
    {
      method: "GET",
      path: "/healthz",
      answer: () => (isOpen() ? jsonReply(200, { status: "ok" }) : jsonReply(503, { status: "unavailable" })),
    },
    {
      method: "GET",
      path: "/readyz",
      answer() {
        const reasons = isOpen() ? troubles() : ["closing"]
        return reasons.length === 0
          ? jsonReply(200, { status: "ok" })
          : jsonReply(503, { status: "unavailable", reasons })
      },
    },
    { method: "GET", path: "/version", answer: () => jsonReply(200, { version }) },
  ]
}

function statusWire({ motd, maxPlayers, currentPlayers, tick }: WorldStatus) {
  return {
    status: "ok",
    motd,
    capacity: {
      max_players: maxPlayers,
      current_players: currentPlayers,
      available_slots: Math.max(0, maxPlayers - currentPlayers),
      over_capacity: currentPlayers > maxPlayers,
      utilization_percent: maxPlayers > 0 ? Math.round((currentPlayers / maxPlayers) * 1000) / 10 : 100,
      // Only those who may enter a full world make it more than full.
      admin_overrides_active: currentPlayers > maxPlayers,
    },
    performance: {
      avg_tick_time_ms: tick.averageMs,
      tick_time_p50_ms: tick.p50Ms,
      tick_time_p99_ms: tick.p99Ms,
    },
  }
}
