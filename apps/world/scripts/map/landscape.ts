import { createNoise } from "./paint.ts"
import { SIZE, type Cell, type Scene } from "./scene.ts"

const forest = createNoise(77, SIZE, 14)
const patches = createNoise(78, SIZE, 24)

/** Returns the distance of a point from the shore into the sea, a river or a pond; negative on land. */
function depth(x: number, y: number): { water: number; beach: number; deep: number } {
  const sea = y - (83 + 2.2 * Math.sin(x / 8) + 1.2 * Math.sin(x / 3.7 + 1))
  const river = 2.3 - Math.abs(x - (74 + 4 * Math.sin(y / 11) + 1.5 * Math.sin(y / 5)))
  const reach = Math.hypot((x - 20) / 7, (y - 62) / 5)
  const pond = (1 - reach) * 6 + Math.sin(x * 1.3) * 0.4
  return { water: Math.max(sea, river, pond), beach: sea + 3.5, deep: Math.max(sea - 3, pond - 3) }
}

function road(scene: Scene, points: readonly Cell[]): void {
  for (const [index, [toX, toY]] of points.entries()) {
    const [fromX, fromY] = points[index - 1] ?? [toX, toY]
    const steps = Math.max(1, Math.abs(toX - fromX), Math.abs(toY - fromY))
    for (let step = 0; step <= steps; step += 1) {
      const x = Math.round(fromX + ((toX - fromX) * step) / steps)
      const y = Math.round(fromY + ((toY - fromY) * step) / steps)
      for (const [dx, dy] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
        [0, 2],
        [2, 0],
      ] as const) {
        const here = scene.corner(x + dx, y + dy)
        if (here === "grass" || here === "sand") scene.setCorner([x + dx, y + dy], "dirt")
      }
    }
  }
}

/** Corners of the roads, from one end to the other. */
const roads: readonly (readonly Cell[])[] = [
  [
    [46, 2],
    [47, 12],
    [46, 20],
    [47, 32],
    [47, 48],
    [48, 60],
    [46, 70],
    [47, 86],
  ],
  [
    [2, 50],
    [14, 49],
    [22, 52],
    [32, 50],
    [48, 48],
    [60, 47],
    [66, 47],
    [84, 47],
    [94, 50],
  ],
  [
    [46, 20],
    [56, 21],
    [68, 21],
    [84, 21],
    [87, 15],
  ],
  [
    [41, 41],
    [41, 44],
    [46, 47],
  ],
  [
    [53, 42],
    [52, 46],
  ],
  [
    [61, 43],
    [61, 47],
  ],
  [
    [35, 49],
    [38, 49],
  ],
  [
    [40, 57],
    [44, 57],
    [47, 56],
  ],
  [
    [58, 56],
    [54, 57],
    [48, 56],
  ],
  [
    [46, 65],
    [43, 65],
  ],
]

export function shapeGround(scene: Scene): void {
  for (let y = 0; y <= SIZE; y += 1) {
    for (let x = 0; x <= SIZE; x += 1) {
      const { water, beach, deep } = depth(x, y)
      if (deep > 0) scene.setCorner([x, y], "deep")
      else if (water > 0) scene.setCorner([x, y], "water")
      else if (water > -1.1 || beach > 0) scene.setCorner([x, y], "sand")
      else if (x > 79 && y < 42 && patches(x, y) > 0.56) scene.setCorner([x, y], "dirt")
    }
  }
  for (let y = 42; y <= 54; y += 1) {
    for (let x = 38; x <= 58; x += 1) {
      if (Math.hypot((x - 48) / 8.2, (y - 48) / 5.2) < 1) scene.setCorner([x, y], "cobble")
    }
  }
  for (const points of roads) road(scene, points)
}

export function plantTree(scene: Scene, [x, y]: Cell, kind: string): void {
  scene.put("objects", [x, y], `${kind}-trunk`)
  scene.put("above", [x, y - 1], `${kind}-crown`)
}

function pickTree(scene: Scene, [x, y]: Cell): string {
  if (y < 22 || x > 78) return scene.random() < 0.75 ? "pine" : "oak"
  if (x > 54 && y > 56) return scene.random() < 0.45 ? "autumn" : scene.random() < 0.5 ? "olive" : "oak"
  return ["oak", "oak-round", "olive", "oak", "pine"][Math.floor(scene.random() * 5)] ?? "oak"
}

/** Returns the density of trees at a cell, from 0 to 1. */
function density([x, y]: Cell): number {
  if (Math.hypot((x - 48) / 17, (y - 48) / 16) < 1) return 0.012
  if (x > 78 && y < 42) return 0.03
  const edge = Math.min(x, y, SIZE - 1 - x)
  const wooded = (x < 34 && y < 46) || (x > 78 && y > 56) || (x > 54 && x < 70 && y > 58 && y < 76)
  const value = forest(x, y)
  if (edge < 3) return 0.7
  if (wooded) return value > 0.4 ? 0.5 : 0.12
  return value > 0.66 ? 0.4 : 0.03
}

export function growPlants(scene: Scene): void {
  const { random } = scene
  for (let y = 1; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      if (!scene.isFree([x, y])) continue
      const roll = random()
      const covered = scene.layers.above[(y - 1) * SIZE + x] !== 0
      const meadow = scene.isAll([x, y], "grass")
      if (meadow && roll < density([x, y]) && !covered) plantTree(scene, [x, y], pickTree(scene, [x, y]))
      else if (x > 78 && y < 42 && scene.isAll([x, y], "grass", "dirt")) scatterRocks(scene, [x, y])
      else if (meadow) scatterGreens(scene, [x, y])
      else if (scene.isAll([x, y], "water") && roll < 0.1 && x < 30 && y < 75)
        scene.put("decoration", [x, y], "lilies")
      else if (scene.isAll([x, y], "sand", "water") && scene.isWet([x, y]) && roll < 0.16 && y < 78) {
        scene.put("decoration", [x, y], "reeds")
      }
    }
  }
}

function scatterRocks(scene: Scene, cell: Cell): void {
  const roll = scene.random()
  const [x, y] = cell
  const onRoad = y > 19 && y < 25
  if (onRoad || roll > 0.27) return
  const ore = ["ore-copper", "ore-iron", "ore-crystal"][Math.floor(scene.random() * 3)] ?? "rock"
  if (patches(x, y) > 0.5 && roll < 0.1) scene.put("objects", cell, ore)
  else if (roll < 0.2) scene.put("objects", cell, roll < 0.14 ? "rock" : "rock-small")
  else scene.put("decoration", cell, "tall-grass")
}

function scatterGreens(scene: Scene, cell: Cell): void {
  const roll = scene.random()
  const [x, y] = cell
  const bloom = patches(x + 40, y + 13)
  const colour = bloom > 0.75 ? "flowers-red" : forest(x, y) > 0.5 ? "flowers-white" : "flowers-mixed"
  if (bloom > 0.66 && roll < 0.5) scene.put("decoration", cell, colour)
  else if (roll < 0.07) scene.put("decoration", cell, "tall-grass")
  else if (roll < 0.085) scene.put("objects", cell, roll < 0.078 ? "bush" : "bush-berries")
  else if (roll < 0.09) scene.put("objects", cell, roll < 0.088 ? "stump" : "rock-small")
  else if (roll < 0.1 && x < 34 && y < 46) scene.put("decoration", cell, "mushrooms")
}
