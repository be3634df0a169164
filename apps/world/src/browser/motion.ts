// Computes where a figure is drawn between two steps. Pure.
import type { Tile } from "../rules/movement.ts"

/** Duration of a step: the shortest time between two of them. */
export const stepMs = 150
/** A longer distance is no step: the figure is drawn at its new tile at once. */
const glideMaxTiles = 2.5

export interface Motion {
  readonly from: Tile
  readonly to: Tile
  readonly startedAtMs: number
}

export function restAt(tile: Tile): Motion {
  return { from: tile, to: tile, startedAtMs: 0 }
}

/** Returns the drawn position in tiles, fractions included. */
export function placeAt(motion: Motion, nowMs: number): Tile {
  const part = Math.min(1, Math.max(0, (nowMs - motion.startedAtMs) / stepMs))
  if (part === 1) return motion.to
  return {
    x: motion.from.x + (motion.to.x - motion.from.x) * part,
    y: motion.from.y + (motion.to.y - motion.from.y) * part,
  }
}

/** Sets another destination. The motion begins at the currently drawn position. */
export function headFor(motion: Motion, to: Tile, nowMs: number): Motion {
  if (to.x === motion.to.x && to.y === motion.to.y) return motion
  const from = placeAt(motion, nowMs)
  const isFar = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) > glideMaxTiles
  return isFar ? restAt(to) : { from, to, startedAtMs: nowMs }
}

export function isMoving(motion: Motion, nowMs: number): boolean {
  return motion.from !== motion.to && nowMs - motion.startedAtMs < stepMs
}
