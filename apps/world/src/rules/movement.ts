// One step on the grid. Pure.
import type { Direction } from "../contract.ts"

export interface Tile {
  readonly x: number
  readonly y: number
}

/** The part of a map that movement needs. */
export interface Terrain {
  readonly width: number
  readonly height: number
  isWalkable(x: number, y: number): boolean
}

export type StepVerdict =
  | { readonly ok: true; readonly to: Tile }
  | { readonly ok: false; readonly code: "move_out_of_bounds" | "move_collision_detected" }

const offsets: Readonly<Record<Direction, Tile>> = {
  UP: { x: 0, y: -1 },
  DOWN: { x: 0, y: 1 },
  LEFT: { x: -1, y: 0 },
  RIGHT: { x: 1, y: 0 },
}

export function neighbour(from: Tile, direction: Direction): Tile {
  const offset = offsets[direction]
  return { x: from.x + offset.x, y: from.y + offset.y }
}

export function stepFrom(terrain: Terrain, from: Tile, direction: Direction): StepVerdict {
  const to = neighbour(from, direction)
  if (to.x < 0 || to.y < 0 || to.x >= terrain.width || to.y >= terrain.height)
    return { ok: false, code: "move_out_of_bounds" }
  return terrain.isWalkable(to.x, to.y) ? { ok: true, to } : { ok: false, code: "move_collision_detected" }
}
