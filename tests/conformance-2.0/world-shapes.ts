// The payload shapes of events and chunks in the superset dialect (sections 3.4, 5 and 10).
import { CHUNK_TILES } from "./limits.ts"
import {
  anyMap,
  dictionary,
  either,
  exactly,
  fields,
  flag,
  int,
  list,
  nil,
  nonEmptyText,
  numeric,
  oneOf,
  onlyFields,
  positive,
  text,
  type Shape,
} from "./shape.ts"

const tilePosition = fields({ x: int, y: int })

const visualState = fields({ appearance: anyMap, equipment: anyMap })

export const welcomeShape = fields({
  message: nonEmptyText,
  motd: text,
  player: fields({
    id: int,
    username: nonEmptyText,
    position: fields({
      player_id: int,
      x: int,
      y: int,
      map_id: nonEmptyText,
      direction: nonEmptyText,
      is_moving: flag,
    }),
    hp: fields({ current_hp: int, max_hp: int }),
  }),
  config: fields({ move_cooldown: positive, animation_duration: positive, protocol_version: exactly("2.0") }),
  player_id: int,
  username: nonEmptyText,
  // Old models validate this map and refuse any value but integers in it.
  position: onlyFields({ x: int, y: int }),
  map_id: nonEmptyText,
  current_hp: int,
  max_hp: int,
  visual_state: visualState,
})

export const noticeShape = fields({
  sender: oneOf("Server", "System"),
  message: nonEmptyText,
  channel: oneOf("system", "local", "global"),
})

export const chatShape = fields({
  sender: nonEmptyText,
  username: nonEmptyText,
  message: nonEmptyText,
  channel: oneOf("local", "global", "dm"),
  timestamp: int,
})

export const skillsUpdateShape = fields({
  update_type: exactly("full"),
  target: exactly("personal"),
  systems: fields({ skills: dictionary(fields({ level: int, xp: int })) }),
  timestamp: numeric,
  sequence: int,
  entities: list(anyMap, 0),
  player: nil,
})

const tileShape = fields({
  layers: list(fields({ gid: int, layer_name: text })),
  properties: fields({ walkable: flag }),
  gid: int,
})

const chunkShape = fields({
  chunk_x: int,
  chunk_y: int,
  width: exactly(CHUNK_TILES),
  height: exactly(CHUNK_TILES),
  tiles: list(list(tileShape, CHUNK_TILES), CHUNK_TILES),
})

export const chunkUpdateShape = fields({
  map_id: nonEmptyText,
  chunks: list(chunkShape),
  player_position: tilePosition,
})

/** The reply to query_map_chunks. */
export const mapChunksShape = fields({
  map_id: nonEmptyText,
  chunks: list(chunkShape),
  center: tilePosition,
  radius: int,
})

export const gameUpdateShape = fields({
  entities: list(anyMap),
  removed_entities: list(either(int, nonEmptyText)),
  ground_items: list(anyMap),
  removed_ground_item_ids: list(int),
  map_id: nonEmptyText,
  update_type: nonEmptyText,
  scope: nonEmptyText,
  sequence: int,
  timestamp: numeric,
  player: nil,
})

const facing = oneOf("UP", "DOWN", "LEFT", "RIGHT")

export function playerEntityShape(playerId: number, username: string): Shape {
  return fields({
    type: exactly("player"),
    id: exactly(`player_${playerId}`),
    player_id: exactly(playerId),
    username: exactly(username),
    name: exactly(username),
    x: int,
    y: int,
    current_hp: int,
    max_hp: int,
    facing_direction: facing,
    visual_hash: nonEmptyText,
  })
}

export const npcEntityShape = fields({
  type: oneOf("npc", "monster"),
  id: int,
  entity_type: nonEmptyText,
  name: nonEmptyText,
  display_name: nonEmptyText,
  behavior_type: nonEmptyText,
  x: int,
  y: int,
  current_hp: int,
  max_hp: int,
  state: nonEmptyText,
  is_attackable: flag,
})

export function joinedShape(playerId: number, username: string): Shape {
  return fields({
    player_id: exactly(playerId),
    username: exactly(username),
    position: tilePosition,
    player: fields({
      player_id: exactly(playerId),
      username: exactly(username),
      type: exactly("player"),
      position: tilePosition,
    }),
    visual_hash: nonEmptyText,
    visual_state: visualState,
  })
}

export function leftShape(playerId: number, username: string): Shape {
  return fields({ player_id: exactly(playerId), username: exactly(username), reason: nonEmptyText })
}
