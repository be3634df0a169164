// The tables of the database, as the newest migration leaves them.
import type { Generated } from "kysely"

/** The rows as SQLite holds them. */
export interface Tables {
  readonly players: {
    readonly id: Generated<number>
    readonly username: string
    readonly password_hash: string
    readonly role: Generated<"player" | "moderator" | "admin">
    readonly is_banned: Generated<number>
    readonly timeout_until_ms: number | null
    readonly map_id: string
    readonly x: number
    readonly y: number
    readonly facing: "UP" | "DOWN" | "LEFT" | "RIGHT"
    readonly current_hp: number
    readonly max_hp: number
    readonly appearance: string
    readonly created_at_ms: number
  }
  readonly skills: { readonly player_id: number; readonly skill: string; readonly xp: number }
  readonly goods: { readonly player_id: number; readonly item: string; readonly pieces: number }
  readonly logins: {
    readonly family: string
    readonly player_id: number
    readonly generation: number
    readonly previous: number | null
    readonly rotated_at_ms: number
    readonly expires_at_ms: number
    readonly created_at_ms: number
  }
  readonly migrations: { readonly id: number; readonly name: string; readonly applied_at_ms: number }
}
