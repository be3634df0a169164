// Hundreds of seeded worlds: records enter, walk and leave, views move, connections break and stall. In every quiet
// state each client has exactly the records in its view. At no time does a client have a record that the server never
// had.
import type { Client } from "@hawser/client"
import { cellOf } from "@hawser/protocol/core"
import { seededRandom } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { boundlessDials } from "../faults/harness.ts"
import { around, cellSize, createWorld, sessionOf, shown, walker } from "./harness.ts"
import type { ReplicaContract, Walker, World } from "./harness.ts"

interface Watcher {
  readonly client: Client<ReplicaContract>
  readonly user: string
  readonly view: { moveTo(place: { x: number; y: number }): void }
  place: { x: number; y: number }
  /** Records of its copy, reconstructed from its events alone. */
  readonly copied: Map<string, object>
}

interface Draw {
  int(from: number, to: number): number
  chance(of: number): boolean
}

function drawFrom(seed: number): Draw {
  const random = seededRandom(seed)
  return {
    int: (from, to) => from + Math.floor(random() * (to - from + 1)),
    chance: (of) => random() < of,
  }
}

async function watch(world: World, index: number): Promise<Watcher> {
  const user = `user ${index}`
  const client = await world.open(user, { limits: boundlessDials })
  const place = { x: index * 7, y: 0 }
  const view = world.server.replica("walkers").view(sessionOf(world, user), place)
  const copied = new Map<string, object>()
  const copy = client.replica("walkers")
  copy.on("enter", ({ id, record }) => {
    expect(copied.has(id)).toBe(false)
    copied.set(id, record)
  })
  copy.on("change", ({ id, record, before }) => {
    expect(copied.get(id)).toEqual(before)
    copied.set(id, record)
  })
  copy.on("leave", ({ id, record }) => {
    expect(copied.get(id)).toEqual(record)
    copied.delete(id)
  })
  return { client, user, view, place, copied }
}

function disturb(world: World, draw: Draw): void {
  const link = world.network.links.at(-draw.int(1, Math.min(4, world.network.links.length)))
  if (draw.chance(0.5)) link?.cut()
  else link?.server.stall(draw.chance(0.6))
}

function step(world: World, draw: Draw, watchers: readonly Watcher[]): void {
  const walkers = world.server.replica("walkers")
  const id = `w${draw.int(0, 30)}`
  const at = (): Pick<Walker, "x" | "y"> => ({ x: draw.int(-120, 120) / 4, y: draw.int(-60, 60) / 4 })
  switch (draw.int(0, 9)) {
    case 0:
      walkers.remove(id)
      return
    case 1:
    case 2:
      walkers.set(id, walker(at().x, at().y, { name: id, hp: draw.int(0, 100) }))
      return
    case 3: {
      const watcher = watchers[draw.int(0, watchers.length - 1)]
      if (watcher === undefined) return
      watcher.place = at()
      watcher.view.moveTo(watcher.place)
      return
    }
    default: {
      const known = walkers.get(id)
      if (known === undefined) return
      walkers.patch(id, {
        x: known.x + draw.int(-8, 8) / 4,
        y: known.y + draw.int(-8, 8) / 4,
        hp: draw.int(0, 100),
      })
    }
  }
}

/** The client must have the records in range; it may also have those that stay in view. */
function compare(world: World, { client, place, copied, user }: Watcher): void {
  const seen = shown(client)
  const inRange = around(world.server, place, 1)
  const kept = around(world.server, place, 2)
  for (const [id, record] of Object.entries(inRange)) expect(seen[id], `${user} sees ${id}`).toEqual(record)
  for (const [id, record] of Object.entries(seen))
    expect(kept[id], `${user} still sees ${id}`).toEqual(record)
  expect(Object.fromEntries(copied)).toEqual(seen)
}

async function run(seed: number): Promise<void> {
  const draw = drawFrom(seed)
  const world = createWorld({
    latencyMs: draw.int(0, 30),
    limits: {
      volatileHighWaterBytes: draw.chance(0.5) ? 300 : 65_536,
      pingAfterMs: 5_000,
      pongTimeoutMs: 2_000,
    },
  })
  const watchers: Watcher[] = []
  for (let index = 0; index < 3; index += 1) watchers.push(await watch(world, index))
  for (let round = 0; round < 4; round += 1) {
    for (let turn = 0; turn < 60; turn += 1) {
      for (let many = draw.int(0, 6); many > 0; many -= 1) step(world, draw, watchers)
      if (draw.chance(0.05)) disturb(world, draw)
      await world.clock.advance(draw.int(5, 120))
    }
    for (const link of world.network.links) link.server.stall(false)
    await world.clock.advance(60_000)
    for (const watcher of watchers) {
      expect(watcher.client.current.state).toBe("open")
      expect(watcher.client.replica("walkers").stale).toBe(false)
      compare(world, watcher)
    }
  }
  expect(world.errors).toEqual([])
  expect(cellOf({ x: -0.5, y: 0 }, cellSize)).toEqual({ x: -1, y: 0 })
}

describe("replicas through a hostile network", { timeout: 120_000 }, () => {
  it("are exact whenever it is quiet, in 150 worlds", async () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      try {
        await run(seed)
      } catch (error) {
        throw new Error(`seed ${seed} failed`, { cause: error })
      }
    }
  })
})
