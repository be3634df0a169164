// Views of a player's session on the world's replicas, around the player's tile.
import type { Tile } from "../../rules/movement.ts"
import type { WorldSession } from "./world-types.ts"
import type { WorldServer } from "./world-types.ts"

/** Views around one tile at a time; they end with the session. */
export interface Sight {
  moveTo(tile: Tile): void
}

export function openSight(server: WorldServer, session: WorldSession, from: Tile): Sight {
  const views = [
    // First, so that a client receives the record of its player before any other record.
    server.replica("players").view(session, from),
    server.replica("creatures").view(session, from),
    server.replica("resources").view(session, from),
    server.replica("groundItems").view(session, from),
  ]
  server.replica("belongings").view(session, { only: session.user.id })
  return {
    moveTo(tile) {
      for (const view of views) view.moveTo(tile)
    },
  }
}
