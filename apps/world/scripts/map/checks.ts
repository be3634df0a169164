import { plantTree } from "./landscape.ts"
import { SIZE, type Cell, type Scene } from "./scene.ts"

const STEPS = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const

/** Returns the cells that can be reached by walking, one flag per cell. */
function flood(scene: Scene, [startX, startY]: Cell): Uint8Array {
  const seen = new Uint8Array(SIZE * SIZE)
  const open: Cell[] = [[startX, startY]]
  seen[startY * SIZE + startX] = 1
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    for (const [dx, dy] of STEPS) {
      const next: Cell = [cell[0] + dx, cell[1] + dy]
      const at = next[1] * SIZE + next[0]
      if (!scene.isWalkable(next) || seen[at] === 1) continue
      seen[at] = 1
      open.push(next)
    }
  }
  return seen
}

/** Fills the unreachable cells with trees and bushes, or with rocks at the water. */
export function closePockets(scene: Scene, start: Cell): number {
  const seen = flood(scene, start)
  let closed = 0
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      if (seen[y * SIZE + x] === 1 || !scene.isWalkable([x, y])) continue
      scene.clear("decoration", [x, y])
      const covered = scene.layers.above[(y - 1) * SIZE + x] !== 0
      if (!scene.isAll([x, y], "grass")) scene.put("objects", [x, y], "rock-small")
      else if (covered) scene.put("objects", [x, y], "bush")
      else plantTree(scene, [x, y], ["oak", "olive", "pine"][(x * 3 + y) % 3] ?? "oak")
      closed += 1
    }
  }
  return closed
}

/** @throws Error if a walkable cell is unreachable, or if the start is too narrow. */
export function verify(scene: Scene, start: Cell): { walkable: number; free: number } {
  const [startX, startY] = start
  if (!scene.isWalkable(start)) throw new Error(`the spawn point ${startX},${startY} is blocked`)
  const seen = flood(scene, start)
  let walkable = 0
  let free = 0
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      if (!scene.isWalkable([x, y])) continue
      if (seen[y * SIZE + x] !== 1) throw new Error(`the cell ${x},${y} is walkable but unreachable`)
      walkable += 1
      if (Math.hypot(x - startX, y - startY) <= 10) free += 1
    }
  }
  if (free < 30) throw new Error(`${free} cells are free around the spawn point; at least 30 are needed`)
  return { walkable, free }
}
