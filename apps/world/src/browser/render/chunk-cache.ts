// Draws each chunk once, and again if a tree or rock in it became bare or regrew, or if the tileset has arrived: one
// picture below the figures, and one above them. A frame costs two copies for each chunk.
import type { ChunkPayload } from "../../contract.ts"
import type { BareTiles } from "../bare-tiles.ts"
import { chunkTiles } from "../../rules/chunk.ts"
import { bareGid } from "./bare-picture.ts"
import { createSurface } from "./surface.ts"

const tileSize = 32
const tilesetColumns = 16
/** Maximum number of drawn chunks, 2 MiB each; beyond it the least recently used one is evicted. */
const maxDrawn = 24

export interface DrawnChunk {
  readonly chunk: ChunkPayload
  /** Version of the bare tiles in it. */
  readonly bareVersion: number
  /** Undefined if it was drawn as plain shapes. */
  readonly tileset: HTMLImageElement | undefined
  readonly below: HTMLCanvasElement
  /** Undefined if no tile is above the figures. */
  readonly above: HTMLCanvasElement | undefined
}

export type ChunkCache = (key: string, chunk: ChunkPayload) => DrawnChunk

export function createChunkCache(
  currentTileset: () => HTMLImageElement | undefined,
  bare: BareTiles,
): ChunkCache {
  const drawn = new Map<string, DrawnChunk>()
  return (key, chunk) => {
    const known = drawn.get(key)
    const tileset = currentTileset()
    const bareVersion = bare.versionOf(chunk.chunkX, chunk.chunkY)
    const isCurrent = known?.chunk === chunk && known.bareVersion === bareVersion && known.tileset === tileset
    const current = isCurrent ? known : { chunk, bareVersion, tileset, ...drawChunk(chunk, tileset, bare) }
    drawn.delete(key)
    drawn.set(key, current)
    if (drawn.size > maxDrawn) {
      for (const oldest of drawn.keys()) {
        drawn.delete(oldest)
        break
      }
    }
    return current
  }
}

function drawChunk(
  chunk: ChunkPayload,
  tileset: HTMLImageElement | undefined,
  bare: BareTiles,
): Pick<DrawnChunk, "below" | "above"> {
  const layers = chunk.layers.map((layer) => ({ ...layer, gids: shownGids(chunk, layer, bare) }))
  const above = layers.filter(({ name, gids }) => isAbove(name) && gids.some((gid) => gid !== 0))
  const below = layers.filter(({ name }) => !isAbove(name))
  if (tileset === undefined) return { below: drawPlain(chunk), above: undefined }
  return {
    below: drawLayers(below, tileset),
    above: above.length === 0 ? undefined : drawLayers(above, tileset),
  }
}

function shownGids(
  { chunkX, chunkY }: ChunkPayload,
  { gids }: ChunkPayload["layers"][number],
  bare: BareTiles,
): number[] {
  return gids.map((gid, index) => {
    const x = chunkX * chunkTiles + (index % chunkTiles)
    const y = chunkY * chunkTiles + Math.floor(index / chunkTiles)
    return bareGid(gid, bare.kindAt(x, y), bare.kindAt(x, y + 1))
  })
}

function isAbove(layer: string): boolean {
  return layer === "above"
}

function drawLayers(layers: ChunkPayload["layers"], tileset: HTMLImageElement): HTMLCanvasElement {
  const { canvas, context } = createSurface(chunkTiles * tileSize, chunkTiles * tileSize)
  for (const { gids } of layers) {
    for (const [index, gid] of gids.entries()) {
      if (gid <= 0) continue
      const tile = gid - 1
      const fromX = (tile % tilesetColumns) * tileSize
      const fromY = Math.floor(tile / tilesetColumns) * tileSize
      const x = (index % chunkTiles) * tileSize
      const y = Math.floor(index / chunkTiles) * tileSize
      context.drawImage(tileset, fromX, fromY, tileSize, tileSize, x, y, tileSize, tileSize)
    }
  }
  return canvas
}

/** Draws a chunk without pictures: blocked tiles, and a checkerboard of the others. */
function drawPlain(chunk: ChunkPayload): HTMLCanvasElement {
  const { canvas, context } = createSurface(chunkTiles * tileSize, chunkTiles * tileSize)
  for (const [index, blocked] of chunk.blocked.entries()) {
    const x = index % chunkTiles
    const y = Math.floor(index / chunkTiles)
    const even = (x + y) % 2 === 0
    context.fillStyle = blocked === 0 ? (even ? "#3f5a3c" : "#425e3f") : even ? "#3a4150" : "#3d4454"
    context.fillRect(x * tileSize, y * tileSize, tileSize, tileSize)
  }
  return canvas
}
