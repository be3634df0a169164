// Builds the answers to a log-in, by a password or by a renewal. Must not know which of the two it was.
import { z } from "zod"
import type { PlayerRecord } from "../store/player-record.ts"
import { jsonReply, refusal } from "./reply.ts"

/** Body of a log-in that succeeded. */
export const tokenBody = z
  .object({ access_token: z.string(), token_type: z.literal("bearer") })
  .meta({ title: "Token" })

export function tokenReply(token: string): Response {
  const body: z.infer<typeof tokenBody> = { access_token: token, token_type: "bearer" }
  return jsonReply(200, body)
}

/** Returns the refusal of a player who is banned or timed out, and `undefined` for any other player. */
export function barredReply({ isBanned, timeoutUntilMs }: PlayerRecord, nowMs: number): Response | undefined {
  if (isBanned) return refusal(403, "This account is banned")
  if (timeoutUntilMs === null || timeoutUntilMs <= nowMs) return undefined
  return refusal(403, `This account is timed out until ${isoTime(timeoutUntilMs)}`)
}

export function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
