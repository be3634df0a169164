// Chunks of the map, each encoded once and shared by all players who receive it.
import { encodeOnce } from "@hawser/server"
import type { Encoded } from "@hawser/server"
import { chunkSchema } from "../../contract.ts"
import type { ChunkPayload } from "../../contract.ts"
import { chunkKey, chunkTiles } from "../../rules/chunk.ts"
import type { WorldMap } from "../../rules/map.ts"

/** Radius of the chunks that are pushed around a player's chunk: 3×3. */
export const pushRadius = 1
/** Maximum radius of a query around its centre: 5×5. A larger radius is reduced to it. */
export const queryRadiusMax = 2

export class ChunkStore {
  readonly #map: WorldMap
  readonly #encoded = new Map<string, Encoded<ChunkPayload>>()

  constructor(map: WorldMap) {
    this.#map = map
  }

  /** Returns the chunks around a tile, row by row; fewer at the map's edge. */
  around(tile: { readonly x: number; readonly y: number }, radius: number): Encoded<ChunkPayload>[] {
    const centerX = Math.floor(tile.x / chunkTiles)
    const centerY = Math.floor(tile.y / chunkTiles)
    const found: Encoded<ChunkPayload>[] = []
    for (let chunkY = centerY - radius; chunkY <= centerY + radius; chunkY++) {
      for (let chunkX = centerX - radius; chunkX <= centerX + radius; chunkX++) {
        const chunk = this.#chunk(chunkX, chunkY)
        if (chunk !== undefined) found.push(chunk)
      }
    }
    return found
  }

  #chunk(chunkX: number, chunkY: number): Encoded<ChunkPayload> | undefined {
    const key = chunkKey(chunkX, chunkY)
    const known = this.#encoded.get(key)
    if (known !== undefined) return known
    const chunk = this.#map.chunk(chunkX, chunkY)
    if (chunk === undefined) return undefined
    const layers = chunk.layers.map(({ name, gids }) => ({ name, gids: [...gids] }))
    const encoded = encodeOnce(chunkSchema, { chunkX, chunkY, layers, blocked: [...chunk.blocked] })
    this.#encoded.set(key, encoded)
    return encoded
  }
}

export function chunkKeyAt(tile: { readonly x: number; readonly y: number }): string {
  return chunkKey(Math.floor(tile.x / chunkTiles), Math.floor(tile.y / chunkTiles))
}
