import { Atlas } from "./atlas.ts"
import { TILE } from "./paint.ts"
import { LAYERS, SIZE, type Cell, type Scene } from "./scene.ts"
import type { CreatureZone } from "../../src/rules/map.ts"

function property(name: string, value: string | number | boolean) {
  const type = typeof value === "number" ? "int" : typeof value === "boolean" ? "bool" : "string"
  return { name, type, value }
}

function tileset(atlas: Atlas) {
  const rows = Math.ceil(atlas.tiles.length / Atlas.columns)
  return {
    firstgid: 1,
    name: "harbour",
    image: "tileset.png",
    imagewidth: Atlas.columns * TILE,
    imageheight: rows * TILE,
    tilewidth: TILE,
    tileheight: TILE,
    columns: Atlas.columns,
    tilecount: rows * Atlas.columns,
    spacing: 0,
    margin: 0,
    tiles: atlas.tiles.map(({ name, walkable, resource }, id) => ({
      id,
      properties: [
        property("name", name),
        ...(walkable === undefined ? [] : [property("walkable", walkable)]),
        ...(resource === undefined ? [] : [property("resource", resource)]),
      ],
    })),
  }
}

function placesOf(start: Cell, zones: readonly CreatureZone[]) {
  const shape = { rotation: 0, visible: true }
  const spawn = {
    id: 1,
    name: "spawn",
    type: "spawn",
    x: start[0] * TILE,
    y: start[1] * TILE,
    width: 0,
    height: 0,
  }
  return [
    { ...spawn, point: true, ...shape, properties: [] },
    ...zones.map(({ kind, x, y, width, height, count }, index) => ({
      id: index + 2,
      name: kind,
      type: "creatures",
      x: x * TILE,
      y: y * TILE,
      width: width * TILE,
      height: height * TILE,
      ...shape,
      properties: [property("kind", kind), property("count", count)],
    })),
  ]
}

/** Returns the map as a document of the editor Tiled, version 1.10 of the format. */
export function toTiled(scene: Scene, start: Cell, zones: readonly CreatureZone[]) {
  const common = { opacity: 1, visible: true, x: 0, y: 0 }
  const layers = LAYERS.map((name, index) => ({
    id: index + 1,
    name,
    type: "tilelayer",
    width: SIZE,
    height: SIZE,
    ...common,
    data: [...scene.layers[name]],
  }))
  const objects = placesOf(start, zones)
  return {
    type: "map",
    version: "1.10",
    tiledversion: "1.10.2",
    orientation: "orthogonal",
    renderorder: "right-down",
    infinite: false,
    compressionlevel: -1,
    width: SIZE,
    height: SIZE,
    tilewidth: TILE,
    tileheight: TILE,
    nextlayerid: LAYERS.length + 2,
    nextobjectid: objects.length + 1,
    properties: [property("id", "harbour")],
    tilesets: [tileset(scene.atlas)],
    layers: [
      ...layers,
      {
        id: LAYERS.length + 1,
        name: "places",
        type: "objectgroup",
        draworder: "topdown",
        ...common,
        objects,
      },
    ],
  }
}
