// Trees and ground items as players receive them, in both profiles.
import { setTimeout as pause } from "node:timers/promises"
import { afterAll, beforeAll, expect, it, vi } from "vitest"
import { moveCooldownMs } from "../../apps/world/src/contract.ts"
import type { Direction } from "../../apps/world/src/contract.ts"
import { listAt } from "../conformance-2.0/expect.ts"
import { enterWhole, newAccount } from "../conformance-2.0/player.ts"
import { createWalker } from "../conformance-2.0/walking.ts"
import { caseContext } from "./case-context.ts"
import { ResumingPlayer } from "./resuming-player.ts"
import { WorldProcess } from "./start-world.ts"

const world = new WorldProcess()
beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 20 })

async function enter(): Promise<ResumingPlayer> {
  const player = new ResumingPlayer(world.webSocketUrl, await newAccount(caseContext(world)))
  await player.client.connect()
  return player
}

async function walk(player: ResumingPlayer, direction: Direction, count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) {
    await player.move(direction)
    await pause(moveCooldownMs)
  }
}

it(
  "shows nearby players a tree that becomes bare and regrows, and the log that a player takes up",
  { timeout: 60_000 },
  async () => {
    const [feller, watcher] = [await enter(), await enter()]
    const old = await enterWhole(caseContext(world))
    // At this distance the tree and the tiles behind it are in sight.
    await walk(watcher, "UP", 4)
    const oldWalker = createWalker(old)
    for (let step = 0; step < 4; step += 1) await oldWalker.step("UP")
    await walk(feller, "UP", 17)
    await walk(feller, "RIGHT", 8)
    const { x = 0, y = 0 } = feller.at ?? {}
    const tree = { x: x + 1, y }
    const treeSeen = (): unknown =>
      [...watcher.client.replica("resources").values()].find((one) => one.x === tree.x && one.y === tree.y)
    await eventually(() => expect(treeSeen()).toMatchObject({ kind: "tree", stock: 3 }))
    for (const stock of [2, 1, 0]) {
      await feller.gather(tree)
      await eventually(() => expect(treeSeen()).toMatchObject({ stock }))
      await pause(1_000)
    }
    expect(await feller.gather(tree)).toBeUndefined()

    const logs = (): readonly { readonly x: number; readonly y: number }[] => [
      ...watcher.client.replica("groundItems").values(),
    ]
    await eventually(() => expect(logs()).toHaveLength(1))
    const [log] = logs()
    if (log === undefined) throw new Error("the replica groundItems is empty")
    expect(Math.max(Math.abs(log.x - tree.x), Math.abs(log.y - tree.y))).toBe(1)
    const dropped = await old.client.waitFor(
      "a log on the ground",
      ({ type, payload }) => type === "event_game_update" && listAt(payload, "ground_items").length > 0,
    )
    const { x: logX, y: logY } = log
    const [id = 0] = [...watcher.client.replica("groundItems").ids()].map(Number)
    expect(listAt(dropped.payload, "ground_items")).toMatchObject([
      { type: "ground_item", id, item_name: "log", display_name: "Log", quantity: 1, x: logX, y: logY },
    ])

    // The log is left of the tree's upper neighbour, directly above the player who felled the tree.
    expect(log).toMatchObject({ x, y: y - 1 })
    await walk(feller, "UP", 1)
    await eventually(() => expect(logs()).toEqual([]))
    expect(await feller.client.query("inventory")).toMatchObject({
      slots: [{ slot: 0, item: "log", quantity: 3 }],
    })
    await old.client.waitFor(
      "the log's removal",
      ({ type, payload }) =>
        type === "event_game_update" && listAt(payload, "removed_ground_item_ids").includes(id),
    )
    await eventually(() => expect(treeSeen()).toMatchObject({ stock: 3 }))
    expect([feller.errors, watcher.errors]).toEqual([[], []])
  },
)

it("reports the health of the world", async () => {
  const player = await enter()
  const health = await player.client.query("worldHealth")
  expect(health.players).toBeGreaterThan(0)
  expect(health.tickP99Ms).toBeGreaterThanOrEqual(health.tickP50Ms ?? Infinity)
})
