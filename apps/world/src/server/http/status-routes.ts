// Reports the state of the server to any caller. Must not know how it is measured.
import { z } from "zod"
import type { TickTimes } from "../game/tick.ts"
import { jsonReply } from "./reply.ts"
import { json } from "./route.ts"
import type { Route } from "./route.ts"

/** Current state of the world. */
interface WorldStatus {
  readonly motd: string
  readonly maxPlayers: number
  readonly currentPlayers: number
  readonly tick: TickTimes
}

export interface StatusOptions {
  readonly status: () => WorldStatus
  /** Returns true while the world accepts players; false while it starts or drains. */
  readonly isOpen: () => boolean
  /** Reasons why the world should get no further players, in the words of the log; empty if there are none. */
  readonly troubles: () => readonly string[]
  readonly version: string
}

/** Body of an answer that confirms, or of a sign of life. */
export const okBody = z.object({ status: z.literal("ok") }).meta({ title: "Ok" })

const unavailableBody = z
  .object({ status: z.literal("unavailable"), reasons: z.array(z.string()).optional() })
  .meta({ title: "Unavailable" })

const statusBody = z
  .object({
    status: z.literal("ok"),
    motd: z.string(),
    capacity: z.object({
      max_players: z.int(),
      current_players: z.int(),
      available_slots: z.int(),
      over_capacity: z.boolean(),
      utilization_percent: z.number(),
      admin_overrides_active: z.boolean(),
    }),
    performance: z.object({
      avg_tick_time_ms: z.number().nullable(),
      tick_time_p50_ms: z.number().nullable(),
      tick_time_p99_ms: z.number().nullable(),
    }),
  })
  .meta({ title: "Status" })

/**
 * `GET /status`, `/healthz`, `/readyz`, `/version`. `/healthz` fails only while the world is closing: supervisors
 * restart the process by it, and a restart does not repair a full disk. `/readyz` also fails while `troubles` returns a
 * reason.
 */
export function statusRoutes({ status, isOpen, troubles, version }: StatusOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/status",
      summary: "Message of the day, capacity and tick times",
      replies: { 200: json("The state of the world", statusBody) },
      answer: () => jsonReply(200, statusWire(status())),
    },
    {
      method: "GET",
      path: "/healthz",
      summary: "Health for a supervisor that restarts the world",
      replies: {
        200: json("The world takes players", okBody),
        503: json("The world is closing", unavailableBody),
      },
      answer: () => (isOpen() ? jsonReply(200, { status: "ok" }) : jsonReply(503, { status: "unavailable" })),
    },
    {
      method: "GET",
      path: "/readyz",
      summary: "Readiness for an alert or a load balancer",
      replies: {
        200: json("The world takes players, and keeps what they do", okBody),
        503: json(
          "The world is closing, progress cannot be saved, or the journal's disk takes no records",
          unavailableBody,
        ),
      },
      answer() {
        const reasons = isOpen() ? troubles() : ["closing"]
        return reasons.length === 0
          ? jsonReply(200, { status: "ok" })
          : jsonReply(503, { status: "unavailable", reasons })
      },
    },
    {
      method: "GET",
      path: "/version",
      summary: "Version of the world",
      replies: { 200: json("The version", z.object({ version: z.string() }).meta({ title: "Version" })) },
      answer: () => jsonReply(200, { version }),
    },
  ]
}

function statusWire({ motd, maxPlayers, currentPlayers, tick }: WorldStatus): z.infer<typeof statusBody> {
  return {
    status: "ok",
    motd,
    capacity: {
      max_players: maxPlayers,
      current_players: currentPlayers,
      available_slots: Math.max(0, maxPlayers - currentPlayers),
      over_capacity: currentPlayers > maxPlayers,
      utilization_percent: maxPlayers > 0 ? Math.round((currentPlayers / maxPlayers) * 1000) / 10 : 100,
      // Only roles that may enter a full world exceed the capacity.
      admin_overrides_active: currentPlayers > maxPlayers,
    },
    performance: {
      avg_tick_time_ms: tick.averageMs,
      tick_time_p50_ms: tick.p50Ms,
      tick_time_p99_ms: tick.p99Ms,
    },
  }
}
