import { chunkTiles } from "./chunk.ts"

export type Resource = "tree" | "rock"

interface MapLayer {
  readonly name: string
  readonly gids: Uint16Array
}

/** Zone in which creatures of one kind live, in tiles. */
export interface CreatureZone {
  readonly kind: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Number of creatures that live here at once. */
  readonly count: number
}

interface Tileset {
  readonly name: string
  readonly image: string
  readonly firstGid: number
  readonly tileCount: number
  readonly columns: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly imageWidth: number
  readonly imageHeight: number
  readonly spacing: number
  readonly margin: number
}

/** A square part of the map, row by row. Cells beyond the edge of the map are empty and blocked. */
interface Chunk {
  readonly chunkX: number
  readonly chunkY: number
  readonly layers: readonly { readonly name: string; readonly gids: readonly number[] }[]
  readonly blocked: readonly number[]
}

export interface WorldMap {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly layers: readonly MapLayer[]
  readonly spawn: { readonly x: number; readonly y: number }
  readonly creatureZones: readonly CreatureZone[]
  readonly tileset: Tileset
  readonly chunksWide: number
  readonly chunksHigh: number
  /** Returns true if a player or creature can stand on the cell; false beyond the edge of the map. */
  isWalkable(x: number, y: number): boolean
  resourceAt(x: number, y: number): Resource | undefined
  /** Returns the same object on every call; undefined beyond the edge of the map. */
  chunk(chunkX: number, chunkY: number): Chunk | undefined
}

interface TileTraits {
  readonly walkable: boolean | undefined
  readonly resource: Resource | undefined
}

interface Size {
  readonly width: number
  readonly height: number
}

type Fields = Readonly<Record<string, unknown>>
type Properties = ReadonlyMap<string, unknown>

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function readFields(value: unknown, where: string): Fields {
  if (!isFields(value)) throw new Error(`${where}: expected an object`)
  return value
}

function readArray(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${where}: expected an array`)
  return value
}

function readText(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") throw new Error(`${where}: expected a text`)
  return value
}

function readCount(value: unknown, where: string, least = 0): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= 65_535) return value
  throw new Error(`${where}: expected a whole number from ${least} to 65535`)
}

function readProperties(value: unknown, where: string): Properties {
  const entries = readArray(value ?? [], `${where}.properties`).map((entry, index): [string, unknown] => {
    const place = `${where}.properties[${index}]`
    const property = readFields(entry, place)
    return [readText(property["name"], `${place}.name`), property["value"]]
  })
  return new Map(entries)
}

function parseTileset(value: unknown): { tileset: Tileset; traits: ReadonlyMap<number, TileTraits> } {
  const where = "tilesets[0]"
  const record = readFields(value, where)
  if ("source" in record) throw new Error(`${where}: an external tileset is not supported; embed it`)
  const count = (key: string, least = 0) => readCount(record[key], `${where}.${key}`, least)
  const tileset: Tileset = {
    name: readText(record["name"], `${where}.name`),
    image: readText(record["image"], `${where}.image`),
    firstGid: count("firstgid", 1),
    tileCount: count("tilecount", 1),
    columns: count("columns", 1),
    tileWidth: count("tilewidth", 1),
    tileHeight: count("tileheight", 1),
    imageWidth: count("imagewidth", 1),
    imageHeight: count("imageheight", 1),
    spacing: count("spacing"),
    margin: count("margin"),
  }
  const traits = new Map<number, TileTraits>()
  for (const [index, entry] of readArray(record["tiles"] ?? [], `${where}.tiles`).entries()) {
    const place = `${where}.tiles[${index}]`
    const tile = readFields(entry, place)
    const properties = readProperties(tile["properties"], place)
    traits.set(readCount(tile["id"], `${place}.id`) + tileset.firstGid, parseTraits(properties, place))
  }
  return { tileset, traits }
}

function parseTraits(properties: Properties, where: string): TileTraits {
  const walkable = properties.get("walkable")
  const resource = properties.get("resource")
  if (walkable !== undefined && typeof walkable !== "boolean")
    throw new Error(`${where}: "walkable" is not a boolean`)
  if (resource !== undefined && resource !== "tree" && resource !== "rock") {
    throw new Error(`${where}: "resource" is neither "tree" nor "rock"`)
  }
  return { walkable, resource }
}

function parseLayer(layer: Fields, where: string, limits: Size & { lastGid: number }): MapLayer {
  const name = readText(layer["name"], `${where}.name`)
  const data = layer["data"]
  if (typeof data === "string")
    throw new Error(`${where}.data: encoded tile data is not supported; save it as CSV`)
  const cells = readArray(data, `${where}.data`)
  if (cells.length !== limits.width * limits.height) {
    throw new Error(`${where}.data: ${cells.length} cells, expected ${limits.width * limits.height}`)
  }
  const gids = Uint16Array.from(cells, (cell, index) => {
    const gid = readCount(cell, `${where}.data[${index}]`)
    if (gid > limits.lastGid) throw new Error(`${where}.data[${index}]: the tileset has no tile ${gid}`)
    return gid
  })
  return { name, gids }
}

interface Places {
  spawn: { x: number; y: number } | undefined
  readonly zones: CreatureZone[]
}

function parsePlaces(layer: Fields, where: string, context: { tile: Size; places: Places }): void {
  const { tile, places } = context
  for (const [index, entry] of readArray(layer["objects"], `${where}.objects`).entries()) {
    const place = `${where}.objects[${index}]`
    const object = readFields(entry, place)
    const pixels = (key: string) => {
      const value = object[key]
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new Error(`${place}.${key}: expected a number`)
      return value
    }
    const x = Math.floor(pixels("x") / tile.width)
    const y = Math.floor(pixels("y") / tile.height)
    if (object["type"] === "spawn") places.spawn ??= { x, y }
    if (object["type"] !== "creatures") continue
    const properties = readProperties(object["properties"], place)
    places.zones.push({
      kind: readText(properties.get("kind"), `${place}: property "kind"`),
      x,
      y,
      width: Math.ceil(pixels("width") / tile.width),
      height: Math.ceil(pixels("height") / tile.height),
      count: readCount(properties.get("count"), `${place}: property "count"`),
    })
  }
}

function buildChunks(layers: readonly MapLayer[], blocked: Uint8Array, { width, height }: Size): Chunk[] {
  const chunks: Chunk[] = []
  for (let chunkY = 0; chunkY * chunkTiles < height; chunkY += 1) {
    for (let chunkX = 0; chunkX * chunkTiles < width; chunkX += 1) {
      const cells = (source: ArrayLike<number>, beyond: number) =>
        Array.from({ length: chunkTiles * chunkTiles }, (_, index) => {
          const x = chunkX * chunkTiles + (index % chunkTiles)
          const y = chunkY * chunkTiles + Math.floor(index / chunkTiles)
          return x < width && y < height ? (source[y * width + x] ?? beyond) : beyond
        })
      const parts = layers.map(({ name, gids }) => ({ name, gids: cells(gids, 0) }))
      chunks.push({ chunkX, chunkY, layers: parts, blocked: cells(blocked, 1) })
    }
  }
  return chunks
}

/** Returns blocked cells and resources, by the traits of their tiles. A later layer takes precedence. */
function readCells(layers: readonly MapLayer[], traits: ReadonlyMap<number, TileTraits>, cellCount: number) {
  const blocked = new Uint8Array(cellCount)
  const resources = new Map<number, Resource>()
  for (const { gids } of layers) {
    for (const [cell, gid] of gids.entries()) {
      const trait = traits.get(gid)
      if (trait?.walkable !== undefined) blocked[cell] = trait.walkable ? 0 : 1
      if (trait?.resource !== undefined) resources.set(cell, trait.resource)
    }
  }
  return { blocked, resources }
}

/**
 * Parses a map in the JSON format of the editor Tiled.
 * @throws Error that names the faulty place.
 */
export function parseTiledMap(json: unknown): WorldMap {
  const map = readFields(json, "map")
  if (map["orientation"] !== "orthogonal")
    throw new Error("map.orientation: only orthogonal maps are supported")
  if (map["infinite"] === true) throw new Error("map.infinite: infinite maps are not supported")
  const width = readCount(map["width"], "map.width", 1)
  const height = readCount(map["height"], "map.height", 1)
  const tileWidth = readCount(map["tilewidth"], "map.tilewidth", 1)
  const tileHeight = readCount(map["tileheight"], "map.tileheight", 1)
  const id = readText(readProperties(map["properties"], "map").get("id"), 'map: property "id"')
  const tilesets = readArray(map["tilesets"], "map.tilesets")
  if (tilesets.length !== 1) throw new Error(`map.tilesets: ${tilesets.length} tilesets, expected one`)
  const { tileset, traits } = parseTileset(tilesets[0])

  const layers: MapLayer[] = []
  const places: Places = { spawn: undefined, zones: [] }
  const limits = { width, height, lastGid: tileset.firstGid + tileset.tileCount - 1 }
  const tile = { width: tileWidth, height: tileHeight }
  for (const [index, entry] of readArray(map["layers"], "map.layers").entries()) {
    const where = `layers[${index}]`
    const layer = readFields(entry, where)
    if (layer["type"] === "tilelayer") layers.push(parseLayer(layer, where, limits))
    else if (layer["type"] === "objectgroup") parsePlaces(layer, where, { tile, places })
    else throw new Error(`${where}.type: ${JSON.stringify(layer["type"])} is not supported`)
  }
  if (layers.length === 0) throw new Error("map.layers: there is no tile layer")

  const { blocked, resources } = readCells(layers, traits, width * height)
  const within = (x: number, y: number) =>
    Number.isInteger(x) && Number.isInteger(y) && x >= 0 && y >= 0 && x < width && y < height
  const isWalkable = (x: number, y: number) => within(x, y) && blocked[y * width + x] === 0
  const { spawn } = places
  if (spawn === undefined) throw new Error('map.layers: there is no object of the type "spawn"')
  if (!isWalkable(spawn.x, spawn.y))
    throw new Error(`map.layers: the spawn point ${spawn.x},${spawn.y} is blocked`)

  const chunksWide = Math.ceil(width / chunkTiles)
  const chunksHigh = Math.ceil(height / chunkTiles)
  const chunks = buildChunks(layers, blocked, { width, height })
  return {
    id,
    width,
    height,
    tileWidth,
    tileHeight,
    layers,
    spawn,
    creatureZones: places.zones,
    tileset,
    chunksWide,
    chunksHigh,
    isWalkable,
    resourceAt: (x, y) => (within(x, y) ? resources.get(y * width + x) : undefined),
    chunk: (chunkX, chunkY) =>
      chunkX >= 0 && chunkX < chunksWide ? chunks[chunkY * chunksWide + chunkX] : undefined,
  }
}
