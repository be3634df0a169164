import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { parseTiledMap } from "./map.ts"

const text = readFileSync(new URL("../../assets/map.json", import.meta.url), "utf8")
const harbour = parseTiledMap(JSON.parse(text))

const tileset = {
  firstgid: 1,
  name: "small",
  image: "small.png",
  imagewidth: 64,
  imageheight: 32,
  tilewidth: 16,
  tileheight: 16,
  columns: 4,
  tilecount: 8,
  spacing: 0,
  margin: 0,
  tiles: [
    { id: 1, properties: [{ name: "walkable", type: "bool", value: false }] },
    { id: 2, properties: [{ name: "walkable", type: "bool", value: true }] },
    {
      id: 3,
      properties: [
        { name: "walkable", type: "bool", value: false },
        { name: "resource", type: "string", value: "tree" },
      ],
    },
  ],
}
const spawn = { type: "spawn", x: 0, y: 16 }
const ground = { type: "tilelayer", name: "ground", data: [1, 2, 2, 1, 1, 1] }
const objects = { type: "tilelayer", name: "objects", data: [0, 0, 3, 0, 4, 0] }
const places = { type: "objectgroup", name: "places", objects: [spawn] }

function small(changes: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    orientation: "orthogonal",
    width: 3,
    height: 2,
    tilewidth: 16,
    tileheight: 16,
    properties: [{ name: "id", type: "string", value: "small" }],
    tilesets: [tileset],
    layers: [ground, objects, places],
    ...changes,
  }
}

describe("parseTiledMap", () => {
  it("reads sizes, layers, the tileset and the spawn point", () => {
    const map = parseTiledMap(small())
    expect(map).toMatchObject({
      id: "small",
      width: 3,
      height: 2,
      tileWidth: 16,
      tileHeight: 16,
      spawn: { x: 0, y: 1 },
    })
    expect(map.layers.map(({ name, gids }) => [name, [...gids]])).toEqual([
      ["ground", [1, 2, 2, 1, 1, 1]],
      ["objects", [0, 0, 3, 0, 4, 0]],
    ])
    expect(map.tileset).toMatchObject({
      name: "small",
      firstGid: 1,
      tileCount: 8,
      columns: 4,
      imageWidth: 64,
    })
  })

  it("uses the last layer that defines whether a cell is walkable", () => {
    const map = parseTiledMap(small())
    expect([0, 1, 2].map((x) => map.isWalkable(x, 0))).toEqual([true, false, true])
    expect([0, 1, 2].map((x) => map.isWalkable(x, 1))).toEqual([true, false, true])
    expect(map.resourceAt(1, 1)).toBe("tree")
    expect(map.resourceAt(0, 0)).toBeUndefined()
  })

  it("blocks cells beyond the edge, and fractions of cells", () => {
    const map = parseTiledMap(small())
    for (const [x, y] of [
      [-1, 0],
      [3, 0],
      [0, 2],
      [0.5, 0],
      [Number.NaN, 0],
    ] as const) {
      expect(map.isWalkable(x, y)).toBe(false)
      expect(map.resourceAt(x, y)).toBeUndefined()
    }
  })

  it("reads creature zones in tiles", () => {
    const properties = [
      { name: "kind", type: "string", value: "slime" },
      { name: "count", type: "int", value: 2 },
    ]
    const zone = { type: "creatures", x: 16, y: 0, width: 32, height: 20, properties }
    const map = parseTiledMap(small({ layers: [ground, { ...places, objects: [spawn, zone] }] }))
    expect(map.creatureZones).toEqual([{ kind: "slime", x: 1, y: 0, width: 2, height: 2, count: 2 }])
  })

  it("pads the chunks at the edge with empty blocked cells", () => {
    const chunk = parseTiledMap(small()).chunk(0, 0)
    expect(chunk?.layers.map(({ gids }) => gids.length)).toEqual([256, 256])
    expect(chunk?.layers[1]?.gids.slice(16, 20)).toEqual([0, 4, 0, 0])
    expect(chunk?.blocked.slice(16, 20)).toEqual([0, 1, 0, 1])
  })

  it.each([
    ["map: expected an object", null],
    ["map.orientation: only orthogonal", small({ orientation: "hexagonal" })],
    ["map.infinite", small({ infinite: true })],
    ["map.width: expected a whole number from 1", small({ width: 0 })],
    ['map: property "id"', small({ properties: [] })],
    ["map.tilesets: 0 tilesets", small({ tilesets: [] })],
    ["an external tileset", small({ tilesets: [{ firstgid: 1, source: "small.tsx" }] })],
    ["layers[0].data: 1 cells, expected 6", small({ layers: [{ ...ground, data: [1] }] })],
    ["layers[0].data: encoded", small({ layers: [{ ...ground, data: "AAAA" }] })],
    ["the tileset has no tile 9", small({ layers: [{ ...ground, data: [9, 1, 1, 1, 1, 1] }] })],
    ['layers[0].type: "imagelayer"', small({ layers: [{ type: "imagelayer" }] })],
    ["there is no tile layer", small({ layers: [places] })],
    ['no object of the type "spawn"', small({ layers: [ground] })],
    [
      "map.layers: the spawn point 1,0 is blocked",
      small({ layers: [ground, { ...places, objects: [{ ...spawn, x: 16, y: 0 }] }] }),
    ],
  ])("names the fault: %s", (message, json) => {
    expect(() => parseTiledMap(json)).toThrow(message)
  })
})

describe("the harbour map", () => {
  it("has the layers and the size that the world expects", () => {
    expect(harbour).toMatchObject({ id: "harbour", width: 96, height: 96, chunksWide: 6, chunksHigh: 6 })
    expect(harbour.layers.map(({ name }) => name)).toEqual(["ground", "decoration", "objects", "above"])
  })

  it("shares its chunks, and has none beyond its edge", () => {
    expect(harbour.chunk(2, 3)).toBe(harbour.chunk(2, 3))
    expect(harbour.chunk(2, 3)).toMatchObject({ chunkX: 2, chunkY: 3 })
    for (const [x, y] of [
      [-1, 0],
      [6, 0],
      [0, 6],
      [0, -1],
    ] as const)
      expect(harbour.chunk(x, y)).toBeUndefined()
  })

  it("has the same blocked cells as its chunks", () => {
    for (let y = 0; y < 96; y += 1) {
      for (let x = 0; x < 96; x += 1) {
        const chunk = harbour.chunk(Math.floor(x / 16), Math.floor(y / 16))
        if ((chunk?.blocked[(y % 16) * 16 + (x % 16)] === 0) !== harbour.isWalkable(x, y))
          throw new Error(`${x}, ${y}`)
      }
    }
  })

  it("has a way from the spawn point to every walkable cell", () => {
    const seen = new Set<number>()
    const open = [harbour.spawn]
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      const { x, y } = cell
      if (!harbour.isWalkable(x, y) || seen.has(y * 96 + x)) continue
      seen.add(y * 96 + x)
      open.push({ x: x + 1, y }, { x: x - 1, y }, { x, y: y + 1 }, { x, y: y - 1 })
    }
    const walkable = Array.from({ length: 96 * 96 }, (_, at) => at).filter((at) =>
      harbour.isWalkable(at % 96, Math.floor(at / 96)),
    )
    expect(seen.size).toBe(walkable.length)
  })

  it("has enough tiles for all creatures, and both resources", () => {
    const resources = new Set<string | undefined>()
    for (let at = 0; at < 96 * 96; at += 1) resources.add(harbour.resourceAt(at % 96, Math.floor(at / 96)))
    expect(resources).toEqual(new Set([undefined, "tree", "rock"]))
    expect(new Set(harbour.creatureZones.map(({ kind }) => kind))).toEqual(
      new Set(["rabbit", "slime", "wolf"]),
    )
  })
})
