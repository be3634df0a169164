// The schema of the world, for the server that holds it and for the reader that checks it. Places are fractions of
// tiles, so they are floats. 32 bits hold them exactly, and are shorter than the type `number` of the documentation's
// examples.
import { schema, t } from "@colyseus/schema"

export const PlayerState = schema({ x: t.float32(), y: t.float32(), dir: t.uint8() }, "PlayerState")
export const WorldState = schema({ players: t.map(PlayerState).view() }, "WorldState")
