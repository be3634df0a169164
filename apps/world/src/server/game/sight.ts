// What changed around one player since the client was told last.
import type { Entity } from "../../contract.ts"
import { isNear } from "../../rules/chat.ts"
import { firstCreatureId } from "./creatures.ts"
import type { Creatures } from "./creatures.ts"
import { playerEntity } from "./player-state.ts"
import type { PlayerState, Players } from "./player-state.ts"

/** Tiles within which entities are seen, both ways. */
const sightTiles = 32

export interface SightChange {
  readonly entities: Entity[]
  readonly removedPlayers: number[]
  readonly removedCreatures: number[]
}

export interface SightWorld {
  readonly players: Players
  readonly creatures: Creatures
  readonly mapId: string
}

/** Updates `viewer.known`. Undefined when nothing changed. */
export function lookAround(world: SightWorld, viewer: PlayerState): SightChange | undefined {
  const change: SightChange = { entities: [], removedPlayers: [], removedCreatures: [] }
  const gone = new Map(viewer.known)
  const see = (id: number, version: number, entityOf: () => Entity): void => {
    gone.delete(id)
    if (viewer.known.get(id) === version) return
    viewer.known.set(id, version)
    change.entities.push(entityOf())
  }
  for (const player of world.players.all) {
    if (isNear(viewer, player, sightTiles)) see(player.record.id, player.version, () => playerEntity(player))
  }
  for (const [id, creature] of world.creatures.all) {
    const { x, y } = creature.entity
    if (isNear(viewer, { mapId: world.mapId, x, y }, sightTiles))
      see(id, creature.version, () => creature.entity)
  }
  for (const id of gone.keys()) {
    viewer.known.delete(id)
    if (!isCreatureId(id)) change.removedPlayers.push(id)
    else change.removedCreatures.push(id)
  }
  const { entities, removedPlayers, removedCreatures } = change
  return entities.length + removedPlayers.length + removedCreatures.length === 0 ? undefined : change
}

function isCreatureId(id: number): boolean {
  return id > firstCreatureId
}
