// The messages of the board, shared by server and page.
import { defineContract, defineTopic } from "@hawser/client"
import * as z from "zod"

/** Size of the board, in units of its drawing. */
export const [width, height] = [1000, 600]
/** Most strokes on a board. The oldest disappear. */
export const strokesMaxCount = 1000

const place = { x: z.number().min(0).max(width), y: z.number().min(0).max(height) }

export const contract = defineContract({
  name: "board",
  events: { stroke: { payload: z.object({ points: z.array(z.object(place)).min(1).max(1000) }) } },
  // Members show where their pointer is: null while it is outside.
  topics: {
    board: defineTopic({ events: ["stroke"], presence: z.object({ pointer: z.object(place).nullable() }) }),
  },
})
