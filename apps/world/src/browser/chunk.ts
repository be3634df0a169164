// How the map is cut up: square parts that are sent, kept and drawn as a whole.

/** Tiles along a chunk's side. */
export const chunkTiles = 16

export function chunkKey(chunkX: number, chunkY: number): string {
  return `${chunkX},${chunkY}`
}
