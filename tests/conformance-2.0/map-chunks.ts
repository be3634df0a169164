// Sections 4 and 10: query_map_chunks.
import type { CaseContext, ConformanceCase } from "./case.ts"
import { expectEqual, expectThat, intAt, listAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { MAX_FRAME_BYTES } from "./limits.ts"
import { enter, type Player } from "./player.ts"
import { expectError, expectReplyWithContent } from "./reply.ts"
import { expectShape } from "./shape.ts"
import { chunkOf, positionOf } from "./walking.ts"
import { mapChunksShape } from "./world-shapes.ts"

async function askAround(player: Player, extra: Readonly<Record<string, unknown>> = {}): Promise<Frame> {
  const { x, y } = positionOf(player)
  return await player.client.request("query_map_chunks", { center_x: x, center_y: y, ...extra })
}

function chunkNames(frame: Frame): readonly string[] {
  return listAt(frame.payload, "chunks")
    .map((chunk) => `${intAt(chunk, "chunk_x")},${intAt(chunk, "chunk_y")}`)
    .toSorted()
}

/** Requires chunks no farther than the radius, none twice, the one at the centre among them. */
function expectWithin(player: Player, frame: Frame, radius: number): void {
  expectReplyWithContent(frame)
  const center = chunkOf(positionOf(player))
  const names = chunkNames(frame)
  const isNear = listAt(frame.payload, "chunks").every(
    (chunk) =>
      Math.abs(intAt(chunk, "chunk_x") - center.x) <= radius &&
      Math.abs(intAt(chunk, "chunk_y") - center.y) <= radius,
  )
  expectThat(
    isNear && new Set(names).size === names.length,
    `chunks within ${radius} of the centre, none twice`,
    names,
  )
  expectThat(names.includes(`${center.x},${center.y}`), "the chunk at the centre", names)
}

async function checkReply(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const reply = await askAround(player)
  expectReplyWithContent(reply)
  expectShape("resp_data", reply.payload, mapChunksShape)
  expectEqual("center", reply.payload["center"], positionOf(player))
  expectEqual("map_id", reply.payload["map_id"], player.account.mapId)
  expectThat(!Object.hasOwn(reply.payload, "data"), "the flat form only", Object.keys(reply.payload))
  expectThat(reply.bytes.length < MAX_FRAME_BYTES, `less than ${MAX_FRAME_BYTES} bytes`, reply.bytes.length)
}

async function checkDefaultRadius(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const byDefault = await askAround(player)
  const byTwo = await askAround(player, { radius: 2 })
  expectWithin(player, byDefault, 2)
  expectEqual("radius", byDefault.payload["radius"], 2)
  expectEqual("chunks by default", chunkNames(byDefault), chunkNames(byTwo))
}

async function capRadius(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const byFive = await askAround(player, { radius: 5 })
  expectWithin(player, byFive, 2)
  expectEqual("radius", byFive.payload["radius"], 2)
  expectEqual("chunks", chunkNames(byFive), chunkNames(await askAround(player, { radius: 2 })))
  expectThat(byFive.bytes.length < MAX_FRAME_BYTES, `less than ${MAX_FRAME_BYTES} bytes`, byFive.bytes.length)
}

async function refuseBadCentre(context: CaseContext): Promise<void> {
  const player = await enter(context)
  for (const extra of [{ center_x: "x" }, { center_y: null }, { center_x: 1.5 }])
    expectError(await askAround(player, extra), { category: "validation" })
}

export const mapChunkCases: readonly ConformanceCase[] = [
  {
    name: "answers query_map_chunks with chunks, map_id, center and radius, flat only, below 1 MiB",
    section: "10",
    run: checkReply,
  },
  {
    name: "uses the radius 2 in query_map_chunks when none is given",
    section: "4",
    run: checkDefaultRadius,
  },
  { name: "caps the radius of query_map_chunks at 2", section: "4", run: capRadius },
  {
    name: "honours a radius of 1",
    section: "4",
    run: async (context) => {
      const player = await enter(context)
      expectWithin(player, await askAround(player, { radius: 1 }), 1)
    },
  },
  {
    name: "refuses a radius of 0, of 6 or that is no integer as a validation error",
    section: "4",
    run: async (context) => {
      const player = await enter(context)
      for (const radius of [0, 6, -1, 1.5, "x"])
        expectError(await askAround(player, { radius }), { category: "validation" })
    },
  },
  {
    name: "refuses a centre that is no pair of integers as a validation error",
    section: "4",
    run: refuseBadCentre,
  },
  {
    name: "refuses a centre more than 80 tiles away",
    section: "4",
    run: async (context) => {
      const player = await enter(context)
      expectError(await askAround(player, { center_x: positionOf(player).x + 10_000 }))
    },
  },
]
