// What a player's session is shown of the world's replicas, around where the player stands.
import type { Tile } from "../../rules/movement.ts"
import type { WorldSession } from "./world-types.ts"
import type { WorldServer } from "./world-types.ts"

/** Around one place at a time; ends with the session. */
export interface Sight {
  moveTo(tile: Tile): void
}

export function openSight(server: WorldServer, session: WorldSession, from: Tile): Sight {
  const views = [
    // First, so that whoever comes is told of themselves before anything else.
    server.replica("players").view(session, from),
    server.replica("creatures").view(session, from),
    server.replica("resources").view(session, from),
    server.replica("groundItems").view(session, from),
  ]
  return {
    moveTo(tile) {
      for (const view of views) view.moveTo(tile)
    },
  }
}
