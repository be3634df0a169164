// What the client knows of the world: terrain, figures and their motion, the own player. Fed by the server's events and
// by own steps; must not know sockets, the page or the clock (`nowMs` arrives with every change).
import type { EventPayloads } from "./event-payloads.ts"
import type { ChunkPayload, Direction, Entity, PlayerEntity } from "../contract.ts"
import { neighbour } from "../rules/movement.ts"
import type { Terrain, Tile } from "../rules/movement.ts"
import { headFor, restAt } from "./motion.ts"
import type { Motion } from "./motion.ts"
import { placeOwn, predictStep, settleStep, startOwnMoves } from "./own-moves.ts"
import type { OwnMoves } from "./own-moves.ts"

export const chunkTiles = 16
/** Chunks kept; beyond it those furthest from the player go. */
const maxChunks = 64

export interface Figure {
  readonly entity: Entity
  readonly motion: Motion
}

export interface OwnPlayer {
  readonly id: number
  readonly username: string
  readonly mapId: string
  readonly moves: OwnMoves
}

export function chunkKey(chunkX: number, chunkY: number): string {
  return `${chunkX},${chunkY}`
}

const figureKey = (entity: Pick<Entity, "kind" | "id">): string => `${entity.kind}:${entity.id}`

export class WorldState implements Terrain {
  #width = 0
  #height = 0
  #own: OwnPlayer | undefined
  readonly #figures = new Map<string, Figure>()
  readonly #chunks = new Map<string, ChunkPayload>()

  /** Tiles; 0 before the first welcome. */
  get width(): number {
    return this.#width
  }

  get height(): number {
    return this.#height
  }

  get own(): OwnPlayer | undefined {
    return this.#own
  }

  get ownFigure(): Figure | undefined {
    return this.#own && this.#figures.get(figureKey({ kind: "player", id: this.#own.id }))
  }

  /** Players and creatures in sight, oneself included. */
  get figures(): ReadonlyMap<string, Figure> {
    return this.#figures
  }

  get chunks(): ReadonlyMap<string, ChunkPayload> {
    return this.#chunks
  }

  /** Everything known belongs to an older session: only what the server says from now on counts. */
  welcome({ player, mapId, mapWidth, mapHeight }: EventPayloads["welcome"]): void {
    this.#figures.clear()
    this.#chunks.clear()
    this.#width = mapWidth
    this.#height = mapHeight
    this.#own = { id: player.id, username: player.username, mapId, moves: startOwnMoves(player) }
    this.#figures.set(figureKey(player), { entity: player, motion: restAt(player) })
  }

  gameUpdate(update: EventPayloads["gameUpdate"], nowMs: number): void {
    if (this.#own === undefined || update.mapId !== this.#own.mapId) return
    for (const id of update.removedPlayers) this.#remove({ kind: "player", id })
    for (const id of update.removedCreatures) this.#remove({ kind: "creature", id })
    for (const entity of update.entities) this.#put(entity, nowMs)
  }

  /** A player who joins is drawn when the next update places them in sight; a known one is kept current. */
  playerJoined(player: PlayerEntity, nowMs: number): void {
    if (this.#figures.has(figureKey(player))) this.#put(player, nowMs)
  }

  playerLeft(id: number): void {
    this.#remove({ kind: "player", id })
  }

  addChunks(chunks: readonly ChunkPayload[]): void {
    for (const chunk of chunks) this.#chunks.set(chunkKey(chunk.chunkX, chunk.chunkY), chunk)
    const at = this.#own?.moves.predicted
    if (this.#chunks.size <= maxChunks || at === undefined) return
    const distance = ({ chunkX, chunkY }: ChunkPayload): number =>
      Math.max(
        Math.abs(chunkX - Math.floor(at.x / chunkTiles)),
        Math.abs(chunkY - Math.floor(at.y / chunkTiles)),
      )
    const byDistance = [...this.#chunks].toSorted(([, one], [, other]) => distance(other) - distance(one))
    for (const [key] of byDistance.slice(0, this.#chunks.size - maxChunks)) this.#chunks.delete(key)
  }

  /** False for what is blocked, outside, or not known yet. */
  isWalkable(x: number, y: number): boolean {
    const chunk = this.#chunks.get(chunkKey(Math.floor(x / chunkTiles), Math.floor(y / chunkTiles)))
    return chunk?.blocked[(y % chunkTiles) * chunkTiles + (x % chunkTiles)] === 0
  }

  /** Turns, and takes the step if the way is free. `number` names the step for `settle`. */
  step(
    direction: Direction,
    nowMs: number,
  ): { readonly number: number | undefined; readonly turned: boolean } {
    const figure = this.ownFigure
    if (this.#own === undefined || figure === undefined) return { number: undefined, turned: false }
    const { moves } = this.#own
    const turned = figure.entity.facing !== direction
    if (turned)
      this.#figures.set(figureKey(figure.entity), {
        ...figure,
        entity: { ...figure.entity, facing: direction },
      })
    const predicted = predictStep(moves, direction, this)
    if (predicted === undefined) return { number: undefined, turned }
    this.#setMoves(predicted, nowMs)
    return { number: moves.next, turned }
  }

  /** The server's answer to a step: where the player stands, or undefined when it refused. */
  settle(number: number, at: Tile | undefined, nowMs: number): void {
    if (this.#own !== undefined) this.#setMoves(settleStep(this.#own.moves, { number, at }, this), nowMs)
  }

  /** The tile in front of the player. */
  facedTile(): Tile | undefined {
    const figure = this.ownFigure
    return this.#own && figure && neighbour(this.#own.moves.predicted, figure.entity.facing)
  }

  #setMoves(moves: OwnMoves, nowMs: number): void {
    const figure = this.ownFigure
    if (this.#own === undefined || figure === undefined) return
    this.#own = { ...this.#own, moves }
    const motion = headFor(figure.motion, moves.predicted, nowMs)
    this.#figures.set(figureKey(figure.entity), { entity: figure.entity, motion })
  }

  #put(entity: Entity, nowMs: number): void {
    const key = figureKey(entity)
    const known = this.#figures.get(key)
    if (
      this.#own !== undefined &&
      entity.kind === "player" &&
      entity.id === this.#own.id &&
      known !== undefined
    ) {
      // The own facing is ahead of the server's while steps are unanswered.
      const facing = this.#own.moves.unanswered.length > 0 ? known.entity.facing : entity.facing
      this.#figures.set(key, { ...known, entity: { ...entity, facing } })
      this.#setMoves(placeOwn(this.#own.moves, entity), nowMs)
      return
    }
    this.#figures.set(key, { entity, motion: known ? headFor(known.motion, entity, nowMs) : restAt(entity) })
  }

  #remove(entity: Pick<Entity, "kind" | "id">): void {
    if (entity.kind === "player" && entity.id === this.#own?.id) return
    this.#figures.delete(figureKey(entity))
  }
}
