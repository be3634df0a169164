// Decides what is kept of a player, in the words of the world. Must not know how it is stored.

/** What a player may do beyond playing. */
export type Role = "player" | "moderator" | "admin"
/** Where a player looks. */
type Facing = "UP" | "DOWN" | "LEFT" | "RIGHT"
/** Experience by the name of the skill. */
export type SkillXp = Readonly<Record<string, number>>
/** Choices of the player's looks by field. */
type Appearance = Readonly<Record<string, string>>

/** A place and where the player looks there, in tiles. */
interface Position {
  readonly mapId: string
  readonly x: number
  readonly y: number
  readonly facing: Facing
}

/** What playing changes. A skill that is absent keeps its experience. */
export interface Progress extends Position {
  readonly id: number
  readonly currentHp: number
  readonly maxHp: number
  readonly skills: SkillXp
}

/** All that is kept of a player. */
export interface PlayerRecord extends Progress {
  /** As it was registered; names that differ in case only are the same. */
  readonly username: string
  readonly passwordHash: string
  readonly role: Role
  readonly isBanned: boolean
  /** Milliseconds since 1970 until which the player may not log in; null when there is no such time. */
  readonly timeoutUntilMs: number | null
  readonly appearance: Appearance
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** How a new player starts, with full hit points. */
export interface Spawn {
  readonly mapId: string
  readonly x: number
  readonly y: number
  readonly maxHp: number
  /** Default DOWN. */
  readonly facing?: Facing
  /** Default: none chosen. */
  readonly appearance?: Appearance
  /** Default: none learned. */
  readonly skills?: SkillXp
}

/** A player to be. */
export interface NewPlayer {
  readonly username: string
  readonly passwordHash: string
  readonly spawn: Spawn
}
