// A map in Tiled's JSON format → what the world needs of it. Pure; validated once, typed ever after.
import { z } from "zod"
import type { Terrain } from "./movement.ts"

const chunkTiles = 16

const propertySchema = z.object({ name: z.string(), value: z.union([z.string(), z.number(), z.boolean()]) })
const propertiesSchema = z.array(propertySchema).default([])

const tileLayerSchema = z.object({
  type: z.literal("tilelayer"),
  name: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  data: z.array(z.int().nonnegative()),
})

const objectSchema = z.object({
  name: z.string(),
  type: z.string(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  properties: propertiesSchema,
})

const objectLayerSchema = z.object({
  type: z.literal("objectgroup"),
  name: z.string(),
  objects: z.array(objectSchema),
})

const tilesetSchema = z.object({
  name: z.string(),
  firstgid: z.int().positive(),
  image: z.string(),
  tilewidth: z.int().positive(),
  tileheight: z.int().positive(),
  tilecount: z.int().positive(),
  columns: z.int().positive(),
  imagewidth: z.int().positive(),
  imageheight: z.int().positive(),
  spacing: z.int().default(0),
  margin: z.int().default(0),
  tiles: z.array(z.object({ id: z.int(), properties: propertiesSchema })).default([]),
})

const mapSchema = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  tilewidth: z.int().positive(),
  tileheight: z.int().positive(),
  properties: propertiesSchema,
  layers: z.array(z.discriminatedUnion("type", [tileLayerSchema, objectLayerSchema])),
  tilesets: z.array(tilesetSchema).length(1),
})
type TiledMap = z.infer<typeof mapSchema>

export type Resource = "tree" | "rock"

export interface MapLayer {
  readonly name: string
  /** Row by row; 0 is nothing. */
  readonly gids: Uint16Array
}

/** 16×16 tiles, row by row. */
export interface Chunk {
  readonly chunkX: number
  readonly chunkY: number
  readonly layers: readonly { readonly name: string; readonly gids: readonly number[] }[]
  /** 1 where nobody can walk. */
  readonly blocked: readonly number[]
}

export interface Zone {
  readonly kind: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly count: number
}

export interface Tileset {
  readonly name: string
  readonly image: string
  readonly firstGid: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly tileCount: number
  readonly columns: number
  readonly imageWidth: number
  readonly imageHeight: number
  readonly spacing: number
  readonly margin: number
}

export interface WorldMap extends Terrain {
  readonly id: string
  readonly tileWidth: number
  readonly tileHeight: number
  readonly layers: readonly MapLayer[]
  readonly spawn: { readonly x: number; readonly y: number }
  readonly creatureZones: readonly Zone[]
  readonly tileset: Tileset
  readonly chunksWide: number
  readonly chunksHigh: number
  resourceAt(x: number, y: number): Resource | undefined
  /** The same object at every call; undefined outside of the map. */
  chunk(chunkX: number, chunkY: number): Chunk | undefined
}

/** @throws Error that says what of the map is missing or wrong. */
export function parseTiledMap(json: unknown): WorldMap {
  const tiled = mapSchema.parse(json)
  const [set] = tiled.tilesets
  const id = tiled.properties.find(({ name }) => name === "id")?.value
  if (set === undefined || typeof id !== "string")
    throw new Error('the map needs one tileset and a text property "id"')
  const { width, height } = tiled
  const layers = tiled.layers.flatMap((layer) =>
    layer.type === "tilelayer" ? [tileLayer(layer, width * height)] : [],
  )
  const tileset = tilesetOf(set)
  const traits = traitsOf(set)
  const inside = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height
  const isWalkable = (x: number, y: number): boolean =>
    inside(x, y) && !layers.some(({ gids }) => traits.blocking.has(gids[y * width + x] ?? 0))
  const chunksWide = Math.ceil(width / chunkTiles)
  const chunksHigh = Math.ceil(height / chunkTiles)
  const chunks = Array.from({ length: chunksWide * chunksHigh }, (_, index) =>
    cutChunk({ width, layers, inside, isWalkable }, index % chunksWide, Math.floor(index / chunksWide)),
  )
  return {
    id,
    width,
    height,
    tileWidth: tiled.tilewidth,
    tileHeight: tiled.tileheight,
    layers,
    tileset,
    chunksWide,
    chunksHigh,
    isWalkable,
    ...places(tiled),
    resourceAt(x, y) {
      if (!inside(x, y)) return undefined
      for (const { gids } of layers) {
        const resource = traits.resources.get(gids[y * width + x] ?? 0)
        if (resource !== undefined) return resource
      }
      return undefined
    },
    chunk: (x, y) =>
      x < 0 || y < 0 || x >= chunksWide || y >= chunksHigh ? undefined : chunks[y * chunksWide + x],
  }
}

function tileLayer(layer: z.infer<typeof tileLayerSchema>, size: number): MapLayer {
  if (layer.data.length !== size) {
    throw new Error(`layer "${layer.name}" has ${layer.data.length} tiles; the map has ${size}`)
  }
  return { name: layer.name, gids: Uint16Array.from(layer.data) }
}

function tilesetOf(set: z.infer<typeof tilesetSchema>): Tileset {
  const {
    name,
    image,
    firstgid,
    tilewidth,
    tileheight,
    tilecount,
    columns,
    imagewidth,
    imageheight,
    spacing,
    margin,
  } = set
  const size = {
    tileWidth: tilewidth,
    tileHeight: tileheight,
    imageWidth: imagewidth,
    imageHeight: imageheight,
  }
  return { name, image, firstGid: firstgid, tileCount: tilecount, columns, spacing, margin, ...size }
}

interface TileTraits {
  readonly blocking: ReadonlySet<number>
  readonly resources: ReadonlyMap<number, Resource>
}

function traitsOf(set: z.infer<typeof tilesetSchema>): TileTraits {
  const blocking = new Set<number>()
  const resources = new Map<number, Resource>()
  for (const tile of set.tiles) {
    const gid = tile.id + set.firstgid
    for (const { name, value } of tile.properties) {
      if (name === "walkable" && value === false) blocking.add(gid)
      if (name === "resource" && (value === "tree" || value === "rock")) resources.set(gid, value)
    }
  }
  return { blocking, resources }
}

interface ChunkSource {
  readonly width: number
  readonly layers: readonly MapLayer[]
  readonly inside: (x: number, y: number) => boolean
  readonly isWalkable: (x: number, y: number) => boolean
}

function cutChunk(source: ChunkSource, chunkX: number, chunkY: number): Chunk {
  const tiles = Array.from({ length: chunkTiles * chunkTiles }, (_, index) => ({
    x: chunkX * chunkTiles + (index % chunkTiles),
    y: chunkY * chunkTiles + Math.floor(index / chunkTiles),
  }))
  const layers = source.layers.map(({ name, gids }) => ({
    name,
    gids: tiles.map(({ x, y }) => (source.inside(x, y) ? (gids[y * source.width + x] ?? 0) : 0)),
  }))
  return { chunkX, chunkY, layers, blocked: tiles.map(({ x, y }) => (source.isWalkable(x, y) ? 0 : 1)) }
}

/** Spawn point and creature zones; Tiled measures objects in pixels. */
function places(tiled: TiledMap): Pick<WorldMap, "spawn" | "creatureZones"> {
  const objects = tiled.layers.flatMap((layer) => (layer.type === "objectgroup" ? layer.objects : []))
  const inTiles = (
    object: z.infer<typeof objectSchema>,
  ): { x: number; y: number; width: number; height: number } => ({
    x: Math.floor(object.x / tiled.tilewidth),
    y: Math.floor(object.y / tiled.tileheight),
    width: Math.max(1, Math.floor(object.width / tiled.tilewidth)),
    height: Math.max(1, Math.floor(object.height / tiled.tileheight)),
  })
  const start = objects.find(({ type }) => type === "spawn")
  if (start === undefined) throw new Error('the map needs an object of type "spawn"')
  const { x, y } = inTiles(start)
  const creatureZones = objects
    .filter(({ type }) => type === "creatures")
    .map((object) => {
      const count = object.properties.find(({ name }) => name === "count")?.value
      return { kind: object.name, ...inTiles(object), count: typeof count === "number" ? count : 1 }
    })
  return { spawn: { x, y }, creatureZones }
}
