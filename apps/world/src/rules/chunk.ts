// Chunks: square parts of the map, each sent, cached and drawn as a whole.

/** Side of a chunk, in tiles. */
export const chunkTiles = 16

export function chunkKey(chunkX: number, chunkY: number): string {
  return `${chunkX},${chunkY}`
}
