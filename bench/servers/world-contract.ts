// The world of the benchmark as a contract of Hawser: one replica, whose cells are those of the model.
import { defineContract, defineReplica, oneOf, real } from "@hawser/protocol"
import { cellTiles, directions, pixelsPerTile } from "./world-model.ts"

/** Larger than any world of the scenarios. */
const widestTiles = 1_024

const tiles = real({ min: 0, max: widestTiles, step: 1 / pixelsPerTile })

export const worldContract = defineContract({
  name: "bench-world",
  replicas: {
    players: defineReplica({
      fields: { x: tiles, y: tiles, dir: oneOf(directions) },
      area: { x: "x", y: "y", cellSize: cellTiles },
    }),
  },
})
