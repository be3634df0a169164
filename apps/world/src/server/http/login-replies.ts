// Decides how a log-in is answered, by a password and by a renewal alike. Must not know which of the two it was.
import type { PlayerRecord } from "../store/player-record.ts"
import { jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"

export function tokenReply(token: string): Reply {
  return jsonReply(200, { access_token: token, token_type: "bearer" })
}

/** The refusal of a player who is banned or timed out; undefined for everybody else. */
export function barredReply({ isBanned, timeoutUntilMs }: PlayerRecord, nowMs: number): Reply | undefined {
  if (isBanned) return refusal(403, "This account is banned")
  if (timeoutUntilMs === null || timeoutUntilMs <= nowMs) return undefined
  return refusal(403, `This account is timed out until ${isoTime(timeoutUntilMs)}`)
}

export function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
