// Memory of the changes that cells retain for viewers who missed some.
import { defaultServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, shown, walker } from "./harness.ts"
import type { World } from "./harness.ts"

const tickMs = 60
const { replicaDeltaMaxBytes, replicaDeltaMaxMs } = defaultServerLimits

/** Walkers on a diagonal: one in each of 16 cells. */
function walk(world: World, tick: number): void {
  for (let index = 0; index < 16; index += 1) {
    const at = (index - 8) * 10 + (tick % 4)
    world.server.replica("walkers").set(`w${index}`, walker(at, at, { hp: tick % 100 }))
  }
}

const deltaBytes = (world: World): number => world.server.stats().replicaDeltaBytes

describe("changes that cells retain", () => {
  it("surprise-C4 take no more memory than their bound, after any number of ticks", async () => {
    const world = createWorld()
    walk(world, 0)
    await world.open("ann")
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    for (let tick = 1; tick <= 600; tick += 1) {
      walk(world, tick)
      await world.clock.advance(tickMs)
    }
    const { replicaCells } = world.server.stats()
    // Nine cells are viewed, three of them have walkers.
    expect(replicaCells).toBeGreaterThanOrEqual(9)
    expect(deltaBytes(world)).toBeGreaterThan(3 * 1_000)
    expect(deltaBytes(world)).toBeLessThanOrEqual(3 * replicaDeltaMaxBytes)
  })

  it("surprise-C4 expire in a cell without further changes", async () => {
    const world = createWorld()
    walk(world, 0)
    await world.open("ann")
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    for (let tick = 1; tick <= 20; tick += 1) {
      walk(world, tick)
      await world.clock.advance(tickMs)
    }
    expect(deltaBytes(world)).toBeGreaterThan(0)
    await world.clock.advance(2 * replicaDeltaMaxMs)
    expect(deltaBytes(world)).toBe(0)
  })

  it("surprise-C4 are dropped with the last viewer of the cell, also when its view only moves", async () => {
    const world = createWorld()
    walk(world, 0)
    await world.open("ann")
    const view = world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    const walkOn = async (from: number): Promise<void> => {
      for (let tick = from; tick < from + 20; tick += 1) {
        walk(world, tick)
        await world.clock.advance(tickMs)
      }
    }
    await walkOn(1)
    expect(deltaBytes(world)).toBeGreaterThan(0)
    view.moveTo({ x: 150, y: -150 })
    await world.clock.advance(tickMs)
    expect(deltaBytes(world)).toBe(0)
    view.moveTo({ x: 1, y: 1 })
    await walkOn(21)
    expect(deltaBytes(world)).toBeGreaterThan(0)
    sessionOf(world, "ann").end()
    await world.clock.advance(tickMs)
    expect(deltaBytes(world)).toBe(0)
    await walkOn(41)
    expect(deltaBytes(world)).toBe(0)
  })

  it("surprise-C4 reach a viewer that missed some as the shorter of deltas and a snapshot", async () => {
    const world = createWorld()
    for (let index = 0; index < 40; index += 1)
      world.server.replica("walkers").set(`w${index}`, walker(index % 10, 5, { name: "x".repeat(20) }))
    const client = await world.open("ann")
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 5, y: 5 })
    await world.clock.advance(tickMs)
    const missed = async (ticks: number, each: number): Promise<number> => {
      const before = client.stats().bytesReceived
      world.network.listening = false
      world.network.links.at(-1)?.cut()
      for (let tick = 0; tick < ticks; tick += 1) {
        for (let index = 0; index < each; index += 1)
          world.server.replica("walkers").patch(`w${index}`, { x: (7 * index + 3 * tick) % 10, hp: tick })
        await world.clock.advance(tickMs)
      }
      world.network.listening = true
      await world.clock.advance(12_000)
      expect(client.replica("walkers").stale).toBe(false)
      for (const [id, record] of Object.entries(shown(client)))
        expect(record).toEqual(world.server.replica("walkers").get(id))
      return client.stats().bytesReceived - before
    }
    // A snapshot has 40 names of 20 letters.
    expect(await missed(10, 1)).toBeLessThan(600)
    const snapshot = await missed(60, 40)
    expect(snapshot).toBeGreaterThan(1_000)
    expect(snapshot).toBeLessThan(2_000)
  })
})
