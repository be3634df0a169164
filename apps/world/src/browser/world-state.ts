// The world in the client: terrain, figures and their motion, the own player. Its inputs are the server's events, the
// replicas and own steps. Must not know sockets, the page or the clock (`nowMs` arrives with every change). Figures are
// the records of the replicas, and stay unchanged without a connection.
import type { EventPayloads } from "./event-payloads.ts"
import type { ChunkPayload, Direction, GroundItemFields } from "../contract.ts"
import { BareTiles } from "./bare-tiles.ts"
import { chunkKey, chunkTiles } from "../rules/chunk.ts"
import type { Entity } from "./entity.ts"
import { neighbour } from "../rules/movement.ts"
import type { Terrain, Tile } from "../rules/movement.ts"
import { headFor, restAt } from "./motion.ts"
import type { Motion } from "./motion.ts"
import { placeOwn, predictStep, settleStep, startOwnMoves } from "./own-moves.ts"
import type { OwnMoves } from "./own-moves.ts"

/** Maximum number of chunks; beyond it those furthest from the player are evicted. */
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

const figureKey = (entity: Pick<Entity, "kind" | "id">): string => `${entity.kind}:${entity.id}`

export class WorldState implements Terrain {
  #width = 0
  #height = 0
  #own: OwnPlayer | undefined
  readonly #figures = new Map<string, Figure>()
  readonly #chunks = new Map<string, ChunkPayload>()
  /** Bare trees and rocks. */
  readonly bareTiles = new BareTiles()
  /** Items by their id. */
  readonly groundItems = new Map<string, GroundItemFields>()

  /** Width in tiles; 0 before the first welcome. */
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
    return this.#own && this.#figures.get(figureKey({ kind: "player", id: String(this.#own.id) }))
  }

  /** Players and creatures in sight, the own player included. */
  get figures(): ReadonlyMap<string, Figure> {
    return this.#figures
  }

  get chunks(): ReadonlyMap<string, ChunkPayload> {
    return this.#chunks
  }

  /** Replaces the state of an earlier session, except for the figures: the replicas report their changes. */
  welcome({ player, mapId, mapWidth, mapHeight }: EventPayloads["welcome"]): void {
    const { id, ...fields } = player
    const entity: Entity = { kind: "player", id: String(id), ...fields }
    this.#chunks.clear()
    this.#width = mapWidth
    this.#height = mapHeight
    this.#own = { id, username: player.username, mapId, moves: startOwnMoves(player) }
    this.#figures.set(figureKey(entity), { entity, motion: restAt(entity) })
  }

  /** Adds a figure that entered the view, or updates it. */
  put(entity: Entity, nowMs: number): void {
    const key = figureKey(entity)
    const known = this.#figures.get(key)
    if (this.#own === undefined || known === undefined || !this.#isOwn(entity)) {
      const motion = known ? headFor(known.motion, entity, nowMs) : restAt(entity)
      this.#figures.set(key, { entity, motion })
      return
    }
    // The own facing is ahead of the server's while steps are unanswered.
    const facing = this.#own.moves.unanswered.length > 0 ? known.entity.facing : entity.facing
    this.#figures.set(key, { ...known, entity: { ...entity, facing } })
    this.#setMoves(placeOwn(this.#own.moves, entity), nowMs)
  }

  /** Removes a figure that left the view. The own figure never leaves: the view is around it. */
  remove(entity: Pick<Entity, "kind" | "id">): void {
    if (!this.#isOwn(entity)) this.#figures.delete(figureKey(entity))
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

  /** Returns false for a tile that is blocked, outside, or not known yet. */
  isWalkable(x: number, y: number): boolean {
    const chunk = this.#chunks.get(chunkKey(Math.floor(x / chunkTiles), Math.floor(y / chunkTiles)))
    return chunk?.blocked[(y % chunkTiles) * chunkTiles + (x % chunkTiles)] === 0
  }

  /** Turns, and predicts the step if the tile is free. `number` identifies the step for `settle`. */
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

  /** Applies the server's answer to a step: the player's position, or undefined if the server refused it. */
  settle(number: number, at: Tile | undefined, nowMs: number): void {
    if (this.#own !== undefined) this.#setMoves(settleStep(this.#own.moves, { number, at }, this), nowMs)
  }

  /** Returns the tile in front of the player. */
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

  #isOwn({ kind, id }: Pick<Entity, "kind" | "id">): boolean {
    return kind === "player" && id === String(this.#own?.id)
  }
}
