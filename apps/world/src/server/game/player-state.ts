// Players in the world, with their sessions; where they stand and what they have is in the replicas. Absent players are in the store.
import type { Belongings, Departed, Player, PlayerFields, Position } from "../../contract.ts"
import type { KnownPlayer, Progress } from "../store/player-record.ts"
import type { Shown } from "./shown.ts"
import type { Sight } from "./sight.ts"
import { belongingsOf, piecesOf, playerFieldsOf, progressOf, standingOf, storedStanding } from "./standing.ts"
import type { Standing } from "./standing.ts"
import type { WorldSession } from "./world-types.ts"

/** A player with a session. */
export interface PlayerState {
  readonly id: string
  readonly record: KnownPlayer
  readonly session: WorldSession
  readonly sight: Sight
  /** Chunk around which chunks were pushed last. */
  pushedChunk: string | undefined
}

export interface PlayerRecords {
  readonly players: Shown<PlayerFields>
  readonly belongings: Shown<Belongings>
  readonly departed: Shown<Departed>
  /** Map on which all players are. */
  readonly mapId: string
}

/** All players in the world, by number and by name. */
export class Players {
  readonly #records: PlayerRecords
  readonly #byId = new Map<string, PlayerState>()
  readonly #byName = new Map<string, PlayerState>()

  constructor(records: PlayerRecords) {
    this.#records = records
  }

  get size(): number {
    return this.#byId.size
  }

  get all(): IterableIterator<PlayerState> {
    return this.#byId.values()
  }

  get ids(): IterableIterator<string> {
    return this.#byId.keys()
  }

  get(id: string): PlayerState | undefined {
    return this.#byId.get(id)
  }

  byName(username: string): PlayerState | undefined {
    return this.#byName.get(username.toLowerCase())
  }

  /** Returns where a player stands who is in the world, has left recently, or is in the store alone. */
  standingOf(record: KnownPlayer): Standing {
    return this.#kept(String(record.id)) ?? storedStanding(record)
  }

  /** Returns a player as others see one, also before the entry. */
  seen(record: KnownPlayer): Player {
    const fields = this.#records.players.get(String(record.id))
    return { id: record.id, ...(fields ?? playerFieldsOf(record, this.standingOf(record), false)) }
  }

  /** @throws Error for a player who is not in the world. */
  place(player: PlayerState): Position {
    const { x, y } = this.#fields(player)
    return { mapId: this.#records.mapId, x, y }
  }

  /** @throws Error for a player who is not in the world. */
  belongings({ id, record }: PlayerState): Belongings {
    const belongings = this.#records.belongings.get(id)
    if (belongings === undefined) throw new Error(`${record.username} has no belongings`)
    return belongings
  }

  /** Returns the progress of players who are in the world or have left recently, for the store. */
  progress(ids: Iterable<string>): Progress[] {
    return [...ids].flatMap((id) => {
      const standing = this.#kept(id)
      return standing === undefined ? [] : [progressOf(Number(id), this.#records.mapId, standing)]
    })
  }

  /**
   * Puts a player's records into the world. A player who is there, or has left recently, continues from the records. Returns the
   * number of pieces that the player has brought from the store.
   */
  stand(record: KnownPlayer, away: boolean): number {
    const { players, belongings, departed } = this.#records
    const id = String(record.id)
    const kept = this.#kept(id)
    const standing = kept ?? storedStanding(record)
    players.set(id, playerFieldsOf(record, standing, away))
    belongings.set(id, belongingsOf(standing))
    departed.remove(id)
    return kept === undefined ? piecesOf(standing) : 0
  }

  add(player: PlayerState): void {
    this.#byId.set(player.id, player)
    this.#byName.set(player.record.username.toLowerCase(), player)
  }

  delete(player: PlayerState): void {
    this.#byId.delete(player.id)
    this.#byName.delete(player.record.username.toLowerCase())
  }

  /** Takes the records of a player out of the world, and keeps them among the departed. No effect for one who is not there. */
  depart(id: string): void {
    const { players, belongings, departed } = this.#records
    const standing = this.#standing(id)
    if (standing !== undefined) departed.set(id, standing)
    players.remove(id)
    belongings.remove(id)
  }

  #kept(id: string): Standing | undefined {
    return this.#standing(id) ?? this.#records.departed.get(id)
  }

  #standing(id: string): Standing | undefined {
    const fields = this.#records.players.get(id)
    const belongings = this.#records.belongings.get(id)
    return fields && belongings && standingOf(fields, belongings)
  }

  #fields({ id, record }: PlayerState): Readonly<PlayerFields> {
    const fields = this.#records.players.get(id)
    if (fields === undefined) throw new Error(`${record.username} is not in the world`)
    return fields
  }
}
