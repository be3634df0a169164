/**
 * Draws the pictures and the map of the world into `apps/world/assets`. The same seed gives the same files. Command:
 * `node --import tsx apps/world/scripts/generate-map.ts`. With `--preview FILE` it also draws the whole map into that
 * file.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { PNG } from "pngjs"
import { closePockets, verify } from "./map/checks.ts"
import { buildBridges } from "./map/bridges.ts"
import { growPlants, shapeGround } from "./map/landscape.ts"
import { Canvas, TILE } from "./map/paint.ts"
import { LAYERS, Scene, SIZE, type Cell } from "./map/scene.ts"
import type { CreatureZone } from "../src/rules/map.ts"
import { drawSprites } from "./map/sprites.ts"
import { toTiled } from "./map/tiled.ts"
import { buildVillage, clearAround, paveVillage } from "./map/village.ts"

const SPAWN: Cell = [48, 49]
const ZONES: readonly CreatureZone[] = [
  { kind: "rabbit", x: 50, y: 57, width: 14, height: 14, count: 6 },
  { kind: "rabbit", x: 20, y: 46, width: 12, height: 8, count: 4 },
  { kind: "slime", x: 10, y: 54, width: 20, height: 18, count: 6 },
  { kind: "slime", x: 78, y: 50, width: 14, height: 16, count: 4 },
  { kind: "wolf", x: 6, y: 8, width: 26, height: 26, count: 5 },
  { kind: "wolf", x: 80, y: 24, width: 14, height: 16, count: 3 },
]

function encode({ width, height, data }: Canvas): Buffer {
  const png = new PNG({ width, height })
  png.data.set(data)
  return PNG.sync.write(png)
}

function paint(scene: Scene): Canvas {
  const canvas = new Canvas(SIZE * TILE, SIZE * TILE)
  for (const layer of LAYERS) {
    for (const [index, number] of scene.layers[layer].entries()) {
      const tile = scene.atlas.tile(number)
      if (tile !== undefined) canvas.paste(tile.art, (index % SIZE) * TILE, Math.floor(index / SIZE) * TILE)
    }
  }
  return canvas
}

const scene = new Scene()
shapeGround(scene)
paveVillage(scene)
scene.layGround()
buildBridges(scene)
buildVillage(scene)
growPlants(scene)
clearAround(scene)
const closed = closePockets(scene, SPAWN)
const { walkable, free } = verify(scene, SPAWN)

const assets = fileURLToPath(new URL("../assets/", import.meta.url))
mkdirSync(assets, { recursive: true })
const sprites = drawSprites()
writeFileSync(`${assets}tileset.png`, encode(scene.atlas.picture()))
writeFileSync(`${assets}sprites.png`, encode(sprites.canvas))
writeFileSync(`${assets}sprites.json`, JSON.stringify(sprites.description))
writeFileSync(`${assets}map.json`, JSON.stringify(toTiled(scene, SPAWN, ZONES)))
execFileSync("npx", ["--no-install", "oxfmt", `${assets}sprites.json`, `${assets}map.json`])
const preview = process.argv.indexOf("--preview")
if (preview > 0) writeFileSync(process.argv[preview + 1] ?? "preview.png", encode(paint(scene)))
console.log(
  `${scene.atlas.tiles.length} tiles, ${walkable} walkable cells, ${free} near the spawn point, ${closed} closed`,
)
