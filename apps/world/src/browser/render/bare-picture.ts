// Chooses the tiles of bare trees and rocks by the tileset's numbers. Must not know the map.
import type { Bareness } from "../bare-tiles.ts"

/** A crown is the tile before its trunk. */
const trunks: ReadonlySet<number> = new Set([96, 98, 100, 102, 104])
const stump = 107
const smallRock = 109
const lastRock = 112

/**
 * Returns the gid to draw. `here` is the bare kind on the tile; `below` is the one on the tile below, whose crown is on
 * this tile.
 */
export function bareGid(gid: number, here: Bareness, below: Bareness): number {
  if (here === "tree" && trunks.has(gid)) return stump
  // A bare small rock disappears.
  if (here === "rock" && gid === smallRock) return 0
  if (here === "rock" && gid >= smallRock - 1 && gid <= lastRock) return smallRock
  if (below === "tree" && trunks.has(gid + 1)) return 0
  return gid
}
