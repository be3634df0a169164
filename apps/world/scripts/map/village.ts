import type { RoofColour } from "./building-tiles.ts"
import { SIZE, type Cell, type Scene } from "./scene.ts"

interface House {
  readonly at: Cell
  readonly width: number
  readonly roof: RoofColour
  /** Rows of wall: one storey or two. */
  readonly storeys: 1 | 2
  /** Column of the door, from the left. */
  readonly door: number
}

const HOUSES: readonly House[] = [
  { at: [38, 35], width: 7, roof: "red", storeys: 2, door: 3 },
  { at: [51, 36], width: 6, roof: "blue", storeys: 2, door: 2 },
  { at: [59, 38], width: 5, roof: "straw", storeys: 1, door: 2 },
  { at: [33, 44], width: 5, roof: "straw", storeys: 1, door: 2 },
  { at: [37, 52], width: 6, roof: "blue", storeys: 1, door: 3 },
  { at: [55, 50], width: 7, roof: "red", storeys: 2, door: 3 },
]

function part(column: number, width: number): "left" | "middle" | "right" {
  if (column === 0) return "left"
  return column === width - 1 ? "right" : "middle"
}

function build(scene: Scene, { at: [left, top], width, roof, storeys, door }: House): void {
  for (let column = 0; column < width; column += 1) {
    const x = left + column
    const side = part(column, width)
    scene.put("above", [x, top], `roof-${roof}-top-${side}`)
    scene.put("objects", [x, top + 1], `roof-${roof}-middle-${side}`)
    scene.put("objects", [x, top + 2], `roof-${roof}-bottom-${side}`)
    const window = side === "middle" && column % 2 === door % 2 && column !== door
    const windowAbove = side === "middle" && column % 2 === door % 2
    if (storeys === 2) {
      scene.put("objects", [x, top + 3], windowAbove ? "house-upper-window" : `house-upper-${side}`)
    }
    const ground =
      window || (side === "middle" && Math.abs(column - door) === 2) ? "house-window" : `house-wall-${side}`
    scene.put("objects", [x, top + 2 + storeys], column === door ? "door" : ground)
  }
  scene.put("above", [left + width - 2, top + 1], "chimney")
  const front = top + 3 + storeys
  scene.put("objects", [left + door - 1, front], "flower-pot")
  if (width > 5) scene.put("objects", [left + door + 2, front], "barrel")
}

/** Places a tall object of two tiles: its foot blocks, its top is in the layer above. */
function stand(scene: Scene, [x, y]: Cell, name: string): void {
  scene.put("objects", [x, y], name)
  scene.put("above", [x, y - 1], `${name}-top`)
}

function field(scene: Scene, [left, top]: Cell, crops: readonly string[]): void {
  const width = 9
  const height = 7
  for (let x = left; x <= left + width; x += 1) {
    scene.put("objects", [x, top], "fence-across")
    scene.put("objects", [x, top + height], "fence-across")
  }
  for (let y = top; y <= top + height; y += 1) {
    scene.put("objects", [left, y], "fence-along")
    scene.put("objects", [left + width, y], "fence-along")
  }
  for (const x of [left, left + width])
    for (const y of [top, top + height]) scene.put("objects", [x, y], "fence-post")
  for (let y = top + 1; y < top + height; y += 1) {
    for (let x = left + 1; x < left + width; x += 1) {
      const crop = crops[Math.floor((y - top - 1) / 2) % crops.length] ?? "soil"
      scene.put("decoration", [x, y], scene.random() < 0.12 ? "soil" : crop)
    }
  }
}

function townWall(scene: Scene): void {
  const y = 30
  for (let x = 32; x <= 66; x += 1) {
    if (x > 45 && x < 50) continue
    const tower = x === 32 || x === 66 || x === 45 || x === 50 || x === 38 || x === 58
    scene.put("objects", [x, y], tower ? "stone-wall-tower" : "stone-wall-across")
  }
  for (let row = y + 1; row < 38; row += 1) scene.put("objects", [32, row], "stone-wall-along")
  scene.put("objects", [32, 38], "stone-wall-tower")
  for (const x of [44, 51]) scene.put("objects", [x, y + 1], "torch")
}

/** Places the remains of a keep among the rocks, open where its walls have fallen. */
function ruin(scene: Scene): void {
  const [left, top, right, bottom] = [83, 8, 92, 16]
  for (let x = left; x <= right; x += 1) {
    if (x !== 90) scene.put("objects", [x, top], "stone-wall-across")
    if (x < 86 || x > 88) scene.put("objects", [x, bottom], "stone-wall-across")
  }
  for (let y = top; y <= bottom; y += 1) {
    const corner = y === top || y === bottom
    if (y !== 12) scene.put("objects", [left, y], corner ? "stone-wall-tower" : "stone-wall-along")
    scene.put("objects", [right, y], corner ? "stone-wall-tower" : "stone-wall-along")
  }
  scene.put("objects", [87, 11], "ore-crystal")
  scene.put("objects", [90, 13], "ore-iron")
  scene.put("objects", [85, 10], "torch")
}

export function paveVillage(scene: Scene): void {
  for (let y = 9; y <= 16; y += 1) for (let x = 84; x <= 92; x += 1) scene.setCorner([x, y], "cobble")
}

export function buildVillage(scene: Scene): void {
  for (const house of HOUSES) build(scene, house)
  townWall(scene)
  ruin(scene)
  field(scene, [33, 61], ["crop-wheat", "crop-cabbage", "crop-carrot"])
  scene.clear("objects", [42, 65])
  scene.clear("objects", [42, 66])
  field(scene, [50, 62], ["crop-carrot", "crop-wheat", "crop-wheat"])
  scene.clear("objects", [50, 65])
  scene.put("objects", [44, 63], "hay")
  scene.put("objects", [44, 62], "hay")
  stand(scene, [51, 46], "well")
  for (const cell of [
    [43, 45],
    [53, 51],
    [43, 51],
    [53, 44],
    [46, 57],
    [49, 37],
    [66, 46],
  ] as const) {
    stand(scene, cell, "lamp")
  }
  stand(scene, [43, 48], "stall-left")
  stand(scene, [44, 48], "stall-right")
  for (const cell of [
    [46, 44],
    [50, 52],
  ] as const)
    scene.put("objects", cell, "bench")
  for (const cell of [
    [45, 59],
    [63, 46],
    [46, 29],
    [49, 81],
  ] as const)
    scene.put("objects", cell, "sign")
  for (const cell of [
    [42, 49],
    [50, 80],
    [58, 44],
  ] as const)
    scene.put("objects", cell, "crate")
  for (const cell of [
    [46, 80],
    [51, 80],
    [57, 44],
  ] as const)
    scene.put("objects", cell, "barrel")
}

/** Keeps plants off the doorsteps and the roads. */
export function clearAround(scene: Scene): void {
  for (const {
    at: [left, top],
    width,
    storeys,
  } of HOUSES) {
    for (let y = top - 1; y <= top + 4 + storeys; y += 1) {
      for (let x = left - 1; x <= left + width; x += 1) {
        if (x < 0 || x >= SIZE) continue
        const tile = scene.atlas.tile(scene.layers.objects[y * SIZE + x] ?? 0)
        if (tile?.resource !== "tree") continue
        scene.clear("objects", [x, y])
        const above = scene.atlas.tile(scene.layers.above[(y - 1) * SIZE + x] ?? 0)
        if (above?.name.endsWith("-crown") === true) scene.clear("above", [x, y - 1])
      }
    }
  }
}
