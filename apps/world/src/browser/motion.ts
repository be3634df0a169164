// Decides where something that steps from tile to tile is drawn between two steps. Pure.
import type { Tile } from "../rules/movement.ts"

/** A step takes as long as the shortest time between two of them. */
export const stepMs = 150
/** Further than this is no step: it is drawn at its new place at once. */
const glideMaxTiles = 2.5

export interface Motion {
  readonly from: Tile
  readonly to: Tile
  readonly startedAtMs: number
}

export function restAt(tile: Tile): Motion {
  return { from: tile, to: tile, startedAtMs: 0 }
}

/** The drawn place in tiles, fractions included. */
export function placeAt(motion: Motion, nowMs: number): Tile {
  const part = Math.min(1, Math.max(0, (nowMs - motion.startedAtMs) / stepMs))
  if (part === 1) return motion.to
  return {
    x: motion.from.x + (motion.to.x - motion.from.x) * part,
    y: motion.from.y + (motion.to.y - motion.from.y) * part,
  }
}

/** Heads for another tile from wherever it is drawn now. */
export function headFor(motion: Motion, to: Tile, nowMs: number): Motion {
  if (to.x === motion.to.x && to.y === motion.to.y) return motion
  const from = placeAt(motion, nowMs)
  const isFar = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) > glideMaxTiles
  return isFar ? restAt(to) : { from, to, startedAtMs: nowMs }
}

export function isMoving(motion: Motion, nowMs: number): boolean {
  return motion.from !== motion.to && nowMs - motion.startedAtMs < stepMs
}
