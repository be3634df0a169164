// Queries the terrain around the player if the server has not pushed it.
import type { Client } from "@hawser/client"
import { hasConnection } from "./connection-view.ts"
import type { WorldContract } from "../contract.ts"
import { chunkKey, chunkTiles } from "../rules/chunk.ts"
import type { WorldState } from "./world-state.ts"

/** Delay before the query, in milliseconds: the server pushes terrain with its next tick. */
const patienceMs = 400

export interface ChunkWatch {
  /** Called after every change of the player's position. */
  look(): void
  stop(): void
}

export function watchChunks(client: Client<WorldContract>, world: WorldState): ChunkWatch {
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    timer = undefined
    const at = world.own?.moves.predicted
    if (at === undefined || !hasConnection(client.current) || !isChunkMissing(world)) return
    try {
      const { chunks } = await client.query("mapChunks", { centerX: at.x, centerY: at.y, radius: 1 })
      world.addChunks(chunks)
    } catch {
      // The next step checks again.
    }
  }

  return {
    look() {
      if (timer === undefined && isChunkMissing(world)) timer = setTimeout(() => void ask(), patienceMs)
    },
    stop() {
      clearTimeout(timer)
    },
  }
}

function isChunkMissing(world: WorldState): boolean {
  const at = world.own?.moves.predicted
  if (at === undefined) return false
  for (let dy = -1; dy <= 1; dy += 1) {
    for (let dx = -1; dx <= 1; dx += 1) {
      const chunkX = Math.floor(at.x / chunkTiles) + dx
      const chunkY = Math.floor(at.y / chunkTiles) + dy
      const isInside =
        chunkX >= 0 && chunkY >= 0 && chunkX * chunkTiles < world.width && chunkY * chunkTiles < world.height
      if (isInside && !world.chunks.has(chunkKey(chunkX, chunkY))) return true
    }
  }
  return false
}
