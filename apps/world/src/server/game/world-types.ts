// The world's own names for what the server library gives it.
import type { Server, Session } from "@hawser/server"
import type { WorldContract } from "../../contract.ts"
import type { PlayerRecord } from "../store/player-record.ts"

/** What `authenticate` resolves to. */
export interface WorldUser {
  /** The player's number as text. */
  readonly id: string
  readonly expiresAtMs: number
  readonly record: PlayerRecord
}

export type WorldSession = Session<WorldUser, WorldContract>

export type WorldServer = Server<WorldContract, WorldUser>
