// State of one player in the world, and the set of all of them. Absent players are in the store only.
import type { Direction, ItemKind, Player, PlayerFields, Position } from "../../contract.ts"
import { outfitCount } from "../../rules/outfits.ts"
import { skillsOf } from "../../rules/skills.ts"
import type { SkillName } from "../../rules/skills.ts"
import type { KnownPlayer, Progress } from "../store/player-record.ts"
import type { Sight } from "./sight.ts"
import type { WorldSession } from "./world-types.ts"

export interface PlayerState {
  readonly record: KnownPlayer
  session: WorldSession | undefined
  /** Views of the session; undefined before the first session. */
  sight: Sight | undefined
  mapId: string
  x: number
  y: number
  facing: Direction
  hp: number
  readonly xp: Record<SkillName, number>
  /** Items that the player took up. They are not stored. */
  readonly carried: Record<ItemKind, number>
  /** Chunk around which chunks were pushed last. */
  pushedChunk: string | undefined
}

export function playerStateOf(record: KnownPlayer): PlayerState {
  return {
    record,
    session: undefined,
    sight: undefined,
    mapId: record.mapId,
    x: record.x,
    y: record.y,
    facing: record.facing,
    hp: record.currentHp,
    xp: skillsOf(record.skills),
    carried: { log: 0, ore: 0 },
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

/** Returns the fields that other players see. */
export function playerFields(player: PlayerState): PlayerFields {
  const { record, x, y, facing, hp, session } = player
  const { id, username, maxHp } = record
  const away = session?.attached === false
  return { username, x, y, facing, hp, maxHp, outfit: id % outfitCount, away }
}

/** Returns the same fields with the player's number. */
export function playerOf(player: PlayerState): Player {
  return { id: player.record.id, ...playerFields(player) }
}

/** All players in the world, by number and by name. */
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
