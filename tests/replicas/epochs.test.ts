// Epochs of replicas (F10, W18): two stores may have equal versions and different content. A client never keeps cells
// of one store as cells of the other.
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { boundlessDials } from "../faults/harness.ts"
import { createWorld, shown } from "./harness.ts"
import type { World } from "./harness.ts"

const tickMs = 60

/** Shows all scores to every session, from its start on. */
function showScores(world: World): void {
  world.server.onSession(({ session }) => void world.server.replica("scores").view(session))
}

/** Advances until the client has received WELCOME of a session at the current server, and no replica frame. */
async function untilOpen(world: World, user: string): Promise<void> {
  while (world.server.local.sessions(user).length === 0) await world.clock.advance(1)
  await world.clock.advance(10)
}

describe("a server that was replaced", () => {
  async function replaced() {
    const world = createWorld()
    showScores(world)
    world.server.replica("scores").set("ann", { points: 1 })
    world.server.replica("scores").set("old", { points: 1 })
    const client = await world.open("ann")
    await world.clock.advance(tickMs)
    const events: string[] = []
    for (const kind of ["enter", "change", "leave"] as const)
      client.replica("scores").on(kind, ({ id, record }) => events.push(`${kind} ${id} ${record.points}`))
    world.restart()
    showScores(world)
    // Same operations as at the first server: the cell has the same version.
    world.server.replica("scores").set("ann", { points: 2 })
    world.server.replica("scores").set("new", { points: 2 })
    return { world, client, events }
  }

  it("shows its own records, also if the first connection was lost before their snapshot", async () => {
    const { world, client, events } = await replaced()
    await untilOpen(world, "ann")
    world.network.links.at(-1)?.cut()
    await world.clock.advance(30_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    expect(shown(client, "scores")).toEqual({ ann: { points: 2 }, new: { points: 2 } })
    expect(client.replica("scores").stale).toBe(false)
    expect(events.toSorted()).toEqual(["change ann 2", "enter new 2", "leave old 1"])
    expect(world.errors).toEqual([])
  })

  it("leaves the earlier records readable until its snapshot, and reports each difference once", async () => {
    const { world, client, events } = await replaced()
    await untilOpen(world, "ann")
    expect(client.replica("scores")).toMatchObject({ stale: true, size: 2 })
    expect(events).toEqual([])
    await world.clock.advance(tickMs)
    expect(shown(client, "scores")).toEqual({ ann: { points: 2 }, new: { points: 2 } })
    expect(events.toSorted()).toEqual(["change ann 2", "enter new 2", "leave old 1"])
  })

  it("keeps sending deltas to a client that resumes in the same epoch", async () => {
    const { world, client } = await replaced()
    await world.clock.advance(30_000)
    for (let index = 0; index < 200; index += 1)
      world.server.replica("scores").set(`player ${index}`, { points: index })
    await world.clock.advance(tickMs)
    const before = client.stats().bytesReceived
    world.network.links.at(-1)?.cut()
    await world.clock.advance(1)
    world.server.replica("scores").patch("ann", { points: 3 })
    await world.clock.advance(30_000)
    expect(client.replica("scores").get("ann")).toEqual({ points: 3 })
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    // A snapshot contains 200 ids.
    expect(client.stats().bytesReceived - before).toBeLessThan(600)
  })
})

describe("replicas of servers that are replaced at any time", { timeout: 120_000 }, () => {
  it("are exact whenever it is quiet, in 60 worlds", async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      try {
        await run(seed)
      } catch (error) {
        throw new Error(`seed ${seed} failed`, { cause: error })
      }
    }
  })

  async function run(seed: number): Promise<void> {
    const random = seededRandom(seed)
    const below = (count: number): number => Math.floor(random() * count)
    const world = createWorld({ latencyMs: below(10) })
    showScores(world)
    const client = await world.open("ann", { limits: boundlessDials, reconnect: () => 5 })
    const copied = new Map<string, object>()
    client.replica("scores").on("enter", ({ id, record }) => copied.set(id, record))
    client.replica("scores").on("change", ({ id, record }) => copied.set(id, record))
    client.replica("scores").on("leave", ({ id }) => copied.delete(id))
    for (let turn = 0; turn < 120; turn += 1) {
      const scores = world.server.replica("scores")
      const id = `p${below(4)}`
      if (random() < 0.8) scores.set(id, { points: below(1_000) })
      else scores.remove(id)
      if (random() < 0.1) {
        world.restart()
        showScores(world)
      } else if (random() < 0.2) {
        world.network.links.at(-1)?.cut()
      }
      await world.clock.advance(below(80))
      if (turn % 40 !== 39) continue
      await world.clock.advance(60_000)
      const { server } = world
      const ids = [...server.replica("scores").ids()].toSorted()
      const expected = Object.fromEntries(ids.map((each) => [each, server.replica("scores").get(each)]))
      expect(client.replica("scores").stale).toBe(false)
      expect(shown(client, "scores")).toEqual(expected)
      expect(Object.fromEntries(copied)).toEqual(expected)
    }
    expect(world.errors).toEqual([])
  }
})
