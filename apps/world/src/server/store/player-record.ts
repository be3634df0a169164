// Stored fields of a player, in the terms of the world. Must not know the storage.

/** Permissions of a player. */
export type Role = "player" | "moderator" | "admin"
/** Direction in which a player looks. */
type Facing = "UP" | "DOWN" | "LEFT" | "RIGHT"
/** Experience by the name of the skill. */
export type SkillXp = Readonly<Record<string, number>>
/** Number of carried pieces by the kind of item. */
type StoredGoods = Readonly<Record<string, number>>
/** Choices of the player's appearance, by field. */
type Appearance = Readonly<Record<string, string>>

/** Position of a player, in tiles, and direction. */
interface Position {
  readonly mapId: string
  readonly x: number
  readonly y: number
  readonly facing: Facing
}

/** Fields that change by playing. A skill that is absent keeps its experience, and a kind of goods its number. */
export interface Progress extends Position {
  readonly id: number
  readonly currentHp: number
  readonly maxHp: number
  readonly skills: SkillXp
  readonly goods: StoredGoods
}

/** All stored fields of a player. */
export interface PlayerRecord extends Progress {
  /** Name as registered; names that differ only in case are the same. */
  readonly username: string
  readonly passwordHash: string
  readonly role: Role
  readonly isBanned: boolean
  /** End of the player's time-out from log-ins, in milliseconds since 1970; null without one. */
  readonly timeoutUntilMs: number | null
  readonly appearance: Appearance
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** Fields of a player for sessions. Records of sessions are written to disk, so the hash of the password is not among them. */
export type KnownPlayer = Omit<PlayerRecord, "passwordHash">

/** Returns the fields for a session. */
export function knownPlayer(record: PlayerRecord): KnownPlayer {
  const { passwordHash: _, ...known } = record
  return known
}

/** Initial state of a new player, with full hit points. */
export interface Spawn {
  readonly mapId: string
  readonly x: number
  readonly y: number
  readonly maxHp: number
  /** Default DOWN. */
  readonly facing?: Facing
  /** Default: empty. */
  readonly appearance?: Appearance
  /** Default: empty. */
  readonly skills?: SkillXp
}

/** Fields of a registration. */
export interface NewPlayer {
  readonly username: string
  readonly passwordHash: string
  readonly spawn: Spawn
}
