// The shapes of HTTP answers (section 2).
import {
  anyMap,
  either,
  exactly,
  fields,
  flag,
  int,
  nil,
  nonEmptyText,
  numeric,
  positive,
  text,
} from "./shape.ts"

/** The 15 fields of an account that registering returns (section 2). */
export const registeredShape = fields({
  id: int,
  username: nonEmptyText,
  x: int,
  y: int,
  map_id: nonEmptyText,
  current_hp: int,
  max_hp: int,
  role: nonEmptyText,
  is_banned: flag,
  is_online: flag,
  facing_direction: nonEmptyText,
  animation_state: nonEmptyText,
  total_level: int,
  timeout_until: either(text, nil),
  appearance: anyMap,
})

export const statusShape = fields({
  status: nonEmptyText,
  motd: text,
  capacity: fields({
    max_players: int,
    current_players: int,
    available_slots: int,
    over_capacity: either(flag, int),
    utilization_percent: numeric,
    admin_overrides_active: either(flag, int),
  }),
  performance: fields({ avg_tick_time_ms: either(numeric, nil) }),
})

export const tilesetShape = fields({
  id: either(int, nonEmptyText),
  type: exactly("manual"),
  image_source: nonEmptyText,
  first_gid: positive,
  last_gid: positive,
  tile_width: positive,
  tile_height: positive,
  tile_count: positive,
  columns: positive,
  spacing: int,
  margin: int,
})
