// Types of the server library with the world's contract and user.
import type { Server, Session } from "@hawser/server"
import type { WorldContract } from "../../contract.ts"
import type { KnownPlayer } from "../store/player-record.ts"

/** User of a session: the result of `authenticate`. */
export interface WorldUser {
  /** The player's number as text. */
  readonly id: string
  readonly expiresAtMs: number
  readonly record: KnownPlayer
}

export type WorldSession = Session<WorldUser, WorldContract>

export type WorldServer = Server<WorldContract, WorldUser>
