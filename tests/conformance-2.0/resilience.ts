// Sections 12.1 and 12.5: clients that vanish or stall must not affect the others.
import { randomUUID } from "node:crypto"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { enterWhole, standsAt, waitForEventAbout } from "./player.ts"
import { expectReplyWithContent } from "./reply.ts"
import { createWalker, positionOf, takeFreeStep } from "./walking.ts"

async function surviveVanishing(context: CaseContext): Promise<void> {
  const watcher = await enterWhole(context)
  const vanishing = await enterWhole(context)
  const { x, y } = positionOf(vanishing)
  for (let count = 0; count < 30; count += 1)
    vanishing.client.send({
      id: randomUUID(),
      type: "query_map_chunks",
      payload: { center_x: x, center_y: y },
    })
  // One reply has come, so the others are in flight when the connection breaks off.
  await vanishing.client.waitFor("the first of many replies", ({ type }) => type.startsWith("resp_"))
  vanishing.client.terminate()
  await waitForEventAbout(watcher, "event_player_left", vanishing.account.id)
  expectReplyWithContent(await watcher.client.request("query_stats", {}))
  const fresh = await enterWhole(context)
  expectReplyWithContent(await fresh.client.request("query_stats", {}))
}

async function surviveStalling(context: CaseContext): Promise<void> {
  const watcher = await enterWhole(context)
  const stalled = await enterWhole(context)
  const mover = await enterWhole(context)
  const { x, y } = positionOf(stalled)
  stalled.client.pause()
  // Enough to fill the buffers of the kernel and then those of the server.
  for (let count = 0; count < 40; count += 1)
    stalled.client.send({ id: randomUUID(), type: "query_map_chunks", payload: { center_x: x, center_y: y } })
  const { to } = await takeFreeStep(createWalker(mover))
  await watcher.client.waitFor(`the mover at ${to.x},${to.y}, while another client does not read`, (frame) =>
    standsAt(frame, mover.account.id, to),
  )
  expectReplyWithContent(await mover.client.request("query_stats", {}))
}

export const resilienceCases: readonly ConformanceCase[] = [
  {
    name: "serves others when a client vanishes while replies are in flight",
    section: "12.1",
    run: surviveVanishing,
  },
  { name: "serves others while a client does not read", section: "12.5", run: surviveStalling },
]
