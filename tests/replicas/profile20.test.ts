// Replicas for clients of protocol `2.0`: the application makes events of the changes.
import { createClient } from "@hawser/client"
import { defineContract } from "@hawser/protocol"
import { profile20 } from "@hawser/server/profile20"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createWorld, sessionOf, walker } from "./harness.ts"
import type { World } from "./harness.ts"
import { clientProfile } from "../sessions/client-profile.ts"

interface Update {
  readonly walkers: readonly { readonly id: string }[]
  readonly gone: readonly string[]
}

const contract20 = defineContract({
  name: "old",
  events: {
    gameUpdate: {
      payload: z.object({ walkers: z.array(z.looseObject({ id: z.string() })), gone: z.array(z.string()) }),
    },
  },
})

function createOldWorld(): { world: World; translated: () => number } {
  let translated = 0
  const world = createWorld({
    profile: "2.0",
    server: {
      profile20: profile20({
        replicas: {
          walkers({ records, gone }) {
            translated += 1
            return [{ name: "gameUpdate", payload: { walkers: records, gone } }]
          },
        },
      }),
    },
  })
  return { world, translated: () => translated }
}

async function openOld(world: World, token: string): Promise<Update[]> {
  const received: Update[] = []
  const client = createClient(contract20, {
    url: "memory:",
    token,
    ...clientProfile("2.0"),
    clock: world.clock,
    dial: world.network.dial,
    autoConnect: false,
  })
  client.on("gameUpdate", (update) => received.push(update))
  const connected = client.connect()
  await world.clock.advance(100)
  await connected
  return received
}

describe("replicas in profile 2.0", () => {
  it("sends changes to clients of 2.0, in the same bytes for viewers with the same view", async () => {
    const { world, translated } = createOldWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    walkers.set("b", walker(8, 8))
    const [ann, ben] = [await openOld(world, "ann"), await openOld(world, "ben")]
    for (const user of ["ann", "ben"]) walkers.view(sessionOf(world, user), { x: 1, y: 1 })
    await world.clock.advance(100)
    expect(ann).toEqual([
      {
        walkers: [
          { id: "a", ...walker(5, 5) },
          { id: "b", ...walker(8, 8) },
        ].map(plain),
        gone: [],
      },
    ])
    expect([ben, translated()]).toEqual([ann, 1])
    walkers.patch("a", { hp: 3 })
    walkers.remove("b")
    await world.clock.advance(100)
    expect(ann.at(-1)).toEqual({ walkers: [plain({ id: "a", ...walker(5, 5, { hp: 3 }) })], gone: ["b"] })
    expect([ben, translated()]).toEqual([ann, 2])
    // From one cell in view to another is a change; out of view is a removal.
    walkers.patch("a", { x: 15 })
    await world.clock.advance(100)
    expect(ann.at(-1)).toEqual({ walkers: [plain({ id: "a", ...walker(15, 5, { hp: 3 }) })], gone: [] })
    walkers.patch("a", { x: 100 })
    await world.clock.advance(100)
    expect(ann.at(-1)).toEqual({ walkers: [], gone: ["a"] })
    expect([ann.length, ben.length, translated()]).toEqual([4, 4, 4])
    await world.clock.advance(1_000)
    expect(translated()).toBe(4)
  })

  it("conflates for a slow client, and is exact once its socket has drained", async () => {
    const { world } = createOldWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    const ann = await openOld(world, "ann")
    walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(100)
    const link = world.network.links[0]?.server
    link?.stall(true)
    sessionOf(world, "ann").send("note", { text: "x".repeat(100_000) })
    for (let hp = 0; hp < 50; hp += 1) {
      walkers.patch("a", { hp })
      if (hp === 20) walkers.set("b", walker(1, 1))
      if (hp === 40) walkers.remove("b")
      await world.clock.advance(60)
    }
    link?.stall(false)
    await world.clock.advance(500)
    expect(ann.slice(1)).toEqual([{ walkers: [plain({ id: "a", ...walker(5, 5, { hp: 49 }) })], gone: [] }])
  })
})

/** The value after MessagePack, which has no undefined. */
function plain(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
