// Entities, chunks and replies in the shapes that clients of both revisions of `2.0` read.
import { encodedArray, encodedMap } from "@hawser/server"
import type { Encoded } from "@hawser/server"
import type { ChunkPayload, CreatureFields, Player, PlayerFields, SkillDetail } from "../../contract.ts"
import { chunkTiles } from "../../rules/chunk.ts"
import { speciesName } from "../../rules/species.ts"
import { visualHash, visualState } from "./looks.ts"

/** A record of a replica with its id. */
export type Identified<Fields> = Fields & { readonly id: string }

export function player20(player: Identified<PlayerFields>): object {
  const { id, username, x, y, hp, maxHp, facing } = player
  return {
    type: "player",
    id: `player_${id}`,
    player_id: Number(id),
    username,
    name: username,
    x,
    y,
    current_hp: hp,
    max_hp: maxHp,
    facing_direction: facing,
    visual_hash: visualHash,
    visual_state: visualState,
  }
}

export function creature20(creature: Identified<CreatureFields>): object {
  const { id, species, x, y, hp, maxHp, facing, state } = creature
  const name = speciesName(species)
  return {
    type: "monster",
    id: Number(id),
    entity_type: "monster",
    entity_name: species,
    name,
    display_name: name,
    behavior_type: "PASSIVE",
    x,
    y,
    current_hp: hp,
    max_hp: maxHp,
    state,
    is_attackable: false,
    facing_direction: facing,
    sprite_sheet_id: species,
  }
}

export function joined20(player: Player, mapId: string): object {
  const { id, username, x, y } = player
  const position = { player_id: id, x, y, map_id: mapId, direction: "south", is_moving: false }
  return {
    player_id: id,
    username,
    position: { x, y },
    player: { ...player20({ ...player, id: String(id) }), position },
    visual_hash: visualHash,
    visual_state: visualState,
  }
}

/** Chunks in the shape of `2.0`, about 24 KB each. Each is encoded once and shared by all its recipients. */
export class Chunks20 {
  readonly #encoded = new WeakMap<ChunkPayload, Encoded<object>>()

  encode(chunks: readonly ChunkPayload[]): Encoded<object[]> {
    return encodedArray(chunks.map((chunk) => this.#chunk(chunk)))
  }

  #chunk(chunk: ChunkPayload): Encoded<object> {
    const known = this.#encoded.get(chunk)
    if (known !== undefined) return known
    const encoded = encodedMap(chunk20(chunk))
    this.#encoded.set(chunk, encoded)
    return encoded
  }
}

function chunk20({ chunkX, chunkY, layers, blocked }: ChunkPayload): object {
  const tile = (index: number): object => {
    const present = layers
      .map(({ name, gids }) => ({ gid: gids[index] ?? 0, layer_name: name }))
      .filter(({ gid }) => gid > 0)
    return { layers: present, properties: { walkable: blocked[index] !== 1 }, gid: present[0]?.gid ?? 0 }
  }
  const rows = Array.from({ length: chunkTiles }, (_, y) =>
    Array.from({ length: chunkTiles }, (__, x) => tile(y * chunkTiles + x)),
  )
  return { chunk_x: chunkX, chunk_y: chunkY, tiles: rows, width: chunkTiles, height: chunkTiles }
}

export function skill20(skill: SkillDetail): object {
  const { name, category, description, level, xp, xpForLevel, xpForNextLevel, maxLevel } = skill
  const span = xpForNextLevel - xpForLevel
  return {
    name,
    category,
    description,
    current_level: level,
    experience: xp,
    xp_for_current_level: xpForLevel,
    xp_for_next_level: xpForNextLevel,
    xp_to_next_level: Math.max(0, xpForNextLevel - xp),
    xp_multiplier: 1,
    progress_percent: span === 0 ? 100 : Math.floor(((xp - xpForLevel) / span) * 100),
    max_level: maxLevel,
  }
}

/** Returns the fields flat and also under `data`: each revision of the clients reads one of the two places. */
export function success20(fields: object): object {
  return { ...fields, data: fields }
}

export function data20(type: string, fields: object): object {
  return { data_type: type, data: fields, ...fields }
}
