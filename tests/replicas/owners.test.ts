// Replicas with `visibleTo: "owner"`: a client receives the records that the server opened for its session, and no byte of
// another record or of its existence.
import { defineReplica, integer } from "@hawser/protocol"
import type { Dial } from "@hawser/protocol/core"
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, shown } from "./harness.ts"
import type { World } from "./harness.ts"

const tickMs = 60

/** Opens a client whose received bytes are recorded. */
async function openRecorded(world: World, user: string) {
  const frames: Buffer[] = []
  const dial: Dial = (url, protocols, events) =>
    world.network.dial(url, protocols, {
      ...events,
      message(bytes) {
        frames.push(Buffer.from(bytes))
        events.message(bytes)
      },
    })
  const client = await world.open(user, { dial })
  return { client, frames, contains: (text: string) => contains(frames, text) }
}

/** True if a frame contains the text, at any bit: packed texts do not begin at a byte, in either order of bits. */
function contains(frames: readonly Buffer[], text: string): boolean {
  return frames.some((frame) => {
    for (let shift = 0; shift < 8; shift += 1) {
      const low = Buffer.from(
        frame.map((byte, at) => (byte >>> shift) | ((frame[at + 1] ?? 0) << (8 - shift))),
      )
      const high = Buffer.from(
        frame.map((byte, at) => (byte << shift) | ((frame[at + 1] ?? 0) >>> (8 - shift))),
      )
      if (low.includes(text) || high.includes(text)) return true
    }
    return false
  })
}

describe("a view of one record", () => {
  it("shows its record alone, from the time at which it is set, until it is closed", async () => {
    const world = createWorld()
    const bags = world.server.replica("bags")
    const client = await world.open("ann")
    const view = bags.view(sessionOf(world, "ann"), { only: "ann" })
    bags.set("ben", { goods: "axe", gold: 1 })
    await world.clock.advance(tickMs)
    expect(shown(client, "bags")).toEqual({})
    bags.set("ann", { goods: "log", gold: 2 })
    await world.clock.advance(tickMs)
    expect(shown(client, "bags")).toEqual({ ann: { goods: "log", gold: 2 } })
    const second = bags.view(sessionOf(world, "ann"), { only: "ben" })
    bags.patch("ann", { gold: 3 })
    view.moveTo({ x: 0, y: 0 })
    await world.clock.advance(tickMs)
    expect(shown(client, "bags")).toEqual({
      ann: { goods: "log", gold: 3 },
      ben: { goods: "axe", gold: 1 },
    })
    second.close()
    bags.remove("ann")
    await world.clock.advance(tickMs)
    expect(shown(client, "bags")).toEqual({})
    bags.set("ann", { goods: "", gold: 0 })
    await world.clock.advance(tickMs)
    expect(shown(client, "bags")).toEqual({ ann: { goods: "", gold: 0 } })
    view.close()
    await world.clock.advance(tickMs)
    expect([shown(client, "bags"), world.errors]).toEqual([{}, []])
  })

  it("continues over a resume with the changes alone, and shows the latest values after backpressure", async () => {
    const world = createWorld()
    const bags = world.server.replica("bags")
    bags.set("ann", { goods: "a long list of goods ".repeat(50), gold: 1 })
    const { client, frames } = await openRecorded(world, "ann")
    bags.view(sessionOf(world, "ann"), { only: "ann" })
    await world.clock.advance(tickMs)
    const before = frames.length
    world.network.links.at(-1)?.cut()
    bags.patch("ann", { gold: 2 })
    await world.clock.advance(5_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    expect(shown(client, "bags")).toMatchObject({ ann: { gold: 2 } })
    expect(contains(frames.slice(0, before), "a long list")).toBe(true)
    expect(contains(frames.slice(before), "a long list")).toBe(false)
    world.network.links.at(-1)?.server.stall(true)
    for (let gold = 3; gold < 200; gold += 1) {
      bags.patch("ann", { gold })
      await world.clock.advance(tickMs)
    }
    world.network.links.at(-1)?.server.stall(false)
    await world.clock.advance(5_000)
    expect(shown(client, "bags")).toMatchObject({ ann: { gold: 199 } })
  })

  it("is the only viewpoint of a replica with owners, and of no other replica", async () => {
    const world = createWorld()
    await world.open("ann")
    const session = sessionOf(world, "ann")
    const { server } = world
    expect(() => server.replica("bags").view(session)).toThrow(
      "needs the id of one record: pass { only: id }",
    )
    expect(() => server.replica("bags").view(session, { x: 1, y: 1 })).toThrow(TypeError)
    expect(() => server.replica("bags").view(session, { follow: "ann" })).toThrow(TypeError)
    expect(() => server.replica("walkers").view(session, { only: "ann" })).toThrow("has no owners")
  })

  it("needs a replica without an area", () => {
    const fields = { x: integer(), y: integer() }
    const area = { x: "x", y: "y", cellSize: 1 } as const
    expect(() => defineReplica({ fields, area, visibleTo: "owner" })).toThrow(
      'visibleTo of a replica must be "owner", without an area',
    )
    // @ts-expect-error another audience than the owner
    expect(() => defineReplica({ fields, visibleTo: "everyone" })).toThrow('not "everyone"')
  })
})

describe("the bytes of a client", () => {
  it("contain no other record, in random worlds with cuts and stalls", { timeout: 30_000 }, async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed)
      const world = createWorld()
      const bags = world.server.replica("bags")
      const names = ["ann", "ben", "cem"]
      const ends: Awaited<ReturnType<typeof openRecorded>>[] = []
      for (const name of names) ends.push(await openRecorded(world, name))
      for (const name of names) bags.view(sessionOf(world, name), { only: `bag of ${name}` })
      for (let step = 0; step < 60; step += 1) {
        const name = names[Math.floor(random() * names.length)] ?? "ann"
        const draw = random()
        if (draw < 0.1) bags.remove(`bag of ${name}`)
        else if (draw < 0.2) world.network.links.at(-1 - Math.floor(random() * 3))?.cut()
        else bags.set(`bag of ${name}`, { goods: `secret of ${name} ${step}`, gold: step })
        await world.clock.advance(random() < 0.9 ? tickMs : 3_000)
      }
      await world.clock.advance(30_000)
      for (const [index, name] of names.entries()) {
        const seen = names.filter(
          (other) =>
            ends[index]?.contains(`bag of ${other}`) === true ||
            ends[index]?.contains(`secret of ${other}`) === true,
        )
        expect([seed, seen]).toEqual([seed, [name]])
        const own = bags.get(`bag of ${name}`)
        expect(ends[index] && shown(ends[index].client, "bags")).toEqual(
          own === undefined ? {} : { [`bag of ${name}`]: own },
        )
      }
      expect(world.errors).toEqual([])
    }
  })

  it("do not depend on other records: a quiet owner receives no frame of a replica", async () => {
    const world = createWorld()
    const bags = world.server.replica("bags")
    const { frames } = await openRecorded(world, "ann")
    bags.view(sessionOf(world, "ann"), { only: "ann" })
    bags.set("ann", { goods: "log", gold: 1 })
    await world.clock.advance(tickMs)
    const before = [frames.length, world.server.stats().replicaFramesSent]
    for (let count = 0; count < 100; count += 1)
      bags.set(`other ${count}`, { goods: "x".repeat(count), gold: count })
    await world.clock.advance(tickMs)
    expect([frames.length, world.server.stats().replicaFramesSent]).toEqual(before)
  })
})
