// Which tile stands for a tree or a rock that has nothing left. Knows the tileset's numbers, and no map.
import type { Bareness } from "../bare-tiles.ts"

/** A crown is the tile before its trunk. */
const trunks: ReadonlySet<number> = new Set([96, 98, 100, 102, 104])
const stump = 107
const smallRock = 109
const lastRock = 112

/** `here` and `below`: what is bare on the tile itself, and on the one below it, whose crown would hang over it. */
export function bareGid(gid: number, here: Bareness, below: Bareness): number {
  if (here === "tree" && trunks.has(gid)) return stump
  // What was small to begin with is gone.
  if (here === "rock" && gid === smallRock) return 0
  if (here === "rock" && gid >= smallRock - 1 && gid <= lastRock) return smallRock
  if (below === "tree" && trunks.has(gid + 1)) return 0
  return gid
}
