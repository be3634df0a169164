// A player who is in the world, and everyone who is. The store holds those who are not.
import type { Session } from "@hawser/server"
import type { Direction, PlayerEntity, Position, WorldContract } from "../../contract.ts"
import { skillsOf } from "../../rules/skills.ts"
import type { SkillName } from "../../rules/skills.ts"
import type { PlayerRecord, Progress } from "../store/player-record.ts"

/** What `authenticate` resolves to. */
export interface WorldUser {
  /** The player's number as text. */
  readonly id: string
  readonly expiresAtMs: number
  readonly record: PlayerRecord
}

export type WorldSession = Session<WorldUser, WorldContract>

export interface PlayerState {
  readonly record: PlayerRecord
  session: WorldSession | undefined
  mapId: string
  x: number
  y: number
  facing: Direction
  hp: number
  readonly xp: Record<SkillName, number>
  /** Grows with every change that others can see. */
  version: number
  /** Entities that this player's client holds, with the version it has. */
  readonly known: Map<number, number>
  /** The chunk around which chunks were pushed last. */
  pushedChunk: string | undefined
}

export function playerStateOf(record: PlayerRecord): PlayerState {
  return {
    record,
    session: undefined,
    mapId: record.mapId,
    x: record.x,
    y: record.y,
    facing: record.facing,
    hp: record.currentHp,
    xp: skillsOf(record.skills),
    version: 0,
    known: new Map(),
    pushedChunk: undefined,
  }
}

export function positionOf({ mapId, x, y }: PlayerState): Position {
  return { mapId, x, y }
}

export function progressOf(player: PlayerState): Progress {
  const { mapId, x, y, facing, hp, xp, record } = player
  return { id: record.id, mapId, x, y, facing, currentHp: hp, maxHp: record.maxHp, skills: { ...xp } }
}

const outfitCount = 6

export function playerEntity(player: PlayerState): PlayerEntity {
  const { record, x, y, facing, hp, session } = player
  const { id, username, maxHp } = record
  const away = session?.attached === false
  return { kind: "player", id, username, x, y, facing, hp, maxHp, outfit: id % outfitCount, away }
}

/** Everyone in the world, by number and by name. */
export class Players {
  readonly #byId = new Map<number, PlayerState>()
  readonly #byName = new Map<string, PlayerState>()

  get size(): number {
    return this.#byId.size
  }

  get all(): readonly PlayerState[] {
    return [...this.#byId.values()]
  }

  get(id: number): PlayerState | undefined {
    return this.#byId.get(id)
  }

  byName(username: string): PlayerState | undefined {
    return this.#byName.get(username.toLowerCase())
  }

  add(player: PlayerState): void {
    this.#byId.set(player.record.id, player)
    this.#byName.set(player.record.username.toLowerCase(), player)
  }

  delete(player: PlayerState): void {
    this.#byId.delete(player.record.id)
    this.#byName.delete(player.record.username.toLowerCase())
  }
}
