// Messages of a client of profile 2.0, as far as the tests need them: payloads are those of 2.0, names are ours.
import { defineContract } from "@hawser/protocol"
import { z } from "zod"
import { directionSchema } from "../../apps/world/src/contract.ts"

const tile = z.object({ x: z.int(), y: z.int() })
const player = z.object({
  type: z.literal("player"),
  player_id: z.int(),
  username: z.string(),
  ...tile.shape,
})
const other = z.object({ type: z.string() })
const chunk = z.object({
  chunk_x: z.int(),
  chunk_y: z.int(),
  tiles: z.array(z.array(z.object({ gid: z.int() }))),
})

export const world20 = defineContract({
  name: "world",
  commands: {
    move: { input: z.object({ direction: directionSchema }), output: z.object({ new_position: tile }) },
    chatSend: {
      input: z.object({ channel: z.string(), message: z.string(), recipient: z.string().optional() }),
      output: z.object({ channel: z.string(), message: z.string() }),
    },
  },
  queries: {
    mapChunks: {
      input: z.object({ center_x: z.int(), center_y: z.int(), radius: z.int() }),
      output: z.object({ chunks: z.array(chunk) }),
    },
  },
  events: {
    gameUpdate: {
      payload: z.object({
        entities: z.array(z.union([player, other])),
        removed_entities: z.array(z.union([z.string(), z.int()])),
      }),
    },
    stateUpdate: { payload: z.object({ update_type: z.string() }) },
    chunkUpdate: { payload: z.object({ chunks: z.array(chunk) }) },
    playerJoined: { payload: z.object({ player_id: z.int() }) },
    playerLeft: { payload: z.object({ player_id: z.int() }) },
    chatMessage: { payload: z.object({ sender: z.string(), message: z.string(), channel: z.string() }) },
  },
})
