import { Atlas } from "./atlas.ts"
import { buildingTiles } from "./building-tiles.ts"
import { natureTiles } from "./nature-tiles.ts"
import { plantTiles } from "./plant-tiles.ts"
import { objectTiles } from "./object-tiles.ts"
import { createRandom } from "./paint.ts"
import { drawCorners, TERRAINS, type Corners, type Terrain } from "./terrain-tiles.ts"

export const SIZE = 96
export const LAYERS = ["ground", "decoration", "objects", "above"] as const
export type LayerName = (typeof LAYERS)[number]
export type Cell = readonly [number, number]

/** Number of variants of a full tile of one material. */
const VARIANTS = 4
/** Pairs of materials whose borders are drawn for every arrangement of corners. */
const PAIRS: readonly (readonly [Terrain, Terrain])[] = [
  ["grass", "dirt"],
  ["grass", "cobble"],
  ["grass", "sand"],
  ["sand", "water"],
  ["water", "deep"],
]

export class Scene {
  readonly atlas = new Atlas()
  readonly random = createRandom(20_417)
  readonly layers: Readonly<Record<LayerName, Uint16Array>>
  readonly #corners: Terrain[] = Array.from({ length: (SIZE + 1) ** 2 }, () => "grass")

  constructor() {
    const layer = () => new Uint16Array(SIZE * SIZE)
    this.layers = { ground: layer(), decoration: layer(), objects: layer(), above: layer() }
    for (const terrain of TERRAINS) {
      for (let variant = 0; variant < VARIANTS; variant += 1) {
        this.#cornerTile([terrain, terrain, terrain, terrain], variant)
      }
    }
    for (const [low, high] of PAIRS) {
      for (let mask = 1; mask < 15; mask += 1) {
        const at = (bit: number) => ((mask >> bit) & 1 ? high : low)
        this.#cornerTile([at(0), at(1), at(2), at(3)], 1)
      }
    }
    this.atlas.add(...natureTiles(), ...plantTiles(), ...buildingTiles(), ...objectTiles())
  }

  corner(x: number, y: number): Terrain {
    const column = Math.max(0, Math.min(SIZE, x))
    return this.#corners[Math.max(0, Math.min(SIZE, y)) * (SIZE + 1) + column] ?? "grass"
  }

  setCorner([x, y]: Cell, terrain: Terrain): void {
    if (x >= 0 && y >= 0 && x <= SIZE && y <= SIZE) this.#corners[y * (SIZE + 1) + x] = terrain
  }

  /** Returns true if all corners of a cell are of these materials. */
  isAll([x, y]: Cell, ...terrains: readonly Terrain[]): boolean {
    return this.#around([x, y]).every((terrain) => terrains.includes(terrain))
  }

  /** Returns true if any corner of a cell is water. */
  isWet(cell: Cell): boolean {
    return this.#around(cell).filter((terrain) => terrain === "water" || terrain === "deep").length > 0
  }

  put(layer: LayerName, [x, y]: Cell, name: string): void {
    if (x >= 0 && y >= 0 && x < SIZE && y < SIZE) this.layers[layer][y * SIZE + x] = this.atlas.number(name)
  }

  clear(layer: LayerName, [x, y]: Cell): void {
    this.layers[layer][y * SIZE + x] = 0
  }

  /** Returns true if a cell has only its ground. */
  isFree([x, y]: Cell): boolean {
    const at = y * SIZE + x
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return false
    return this.layers.objects[at] === 0 && this.layers.decoration[at] === 0
  }

  /** Returns the value of the topmost tile that defines one; true without any. */
  isWalkable([x, y]: Cell): boolean {
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return false
    let walkable = true
    for (const layer of LAYERS) {
      walkable = this.atlas.tile(this.layers[layer][y * SIZE + x] ?? 0)?.walkable ?? walkable
    }
    return walkable
  }

  layGround(): void {
    for (let y = 0; y < SIZE; y += 1) {
      for (let x = 0; x < SIZE; x += 1) {
        const corners = this.#around([x, y])
        const variant = new Set(corners).size > 1 ? 1 : Math.floor(this.random() * VARIANTS)
        this.layers.ground[y * SIZE + x] = this.#cornerTile(corners, variant)
      }
    }
  }

  #around([x, y]: Cell): Corners {
    return [this.corner(x, y), this.corner(x + 1, y), this.corner(x, y + 1), this.corner(x + 1, y + 1)]
  }

  #cornerTile(corners: Corners, variant: number): number {
    const uniform = new Set(corners).size === 1
    const name = uniform ? `${corners[0]}-${variant}` : `edge-${corners.join("-")}`
    if (!this.atlas.has(name)) {
      const wet = corners.filter((corner) => corner === "water" || corner === "deep").length
      const art = drawCorners(corners, variant)
      this.atlas.add(wet >= 2 ? { name, art, walkable: false } : { name, art })
    }
    return this.atlas.number(name)
  }
}
