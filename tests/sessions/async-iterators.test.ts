// Loops over a client: over its status, a topic, a stream. Each of them ends when the client is closed, by any cause
// and at any time.
import type { ClientStatus } from "@hawser/client"
import { createClient } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createWorld as createTopicWorld, sessionOf, settled } from "../topics/harness.ts"
import { boundlessDials, createWorld, openClient } from "../faults/harness.ts"

/** Reads a loop to its end; the last line shows how it ended. */
function read<T>(items: AsyncIterable<T>, show: (item: T) => string): string[] {
  const lines: string[] = []
  const reading = async (): Promise<void> => {
    for await (const item of items) lines.push(show(item))
  }
  reading().then(
    () => lines.push("end"),
    (error: unknown) => lines.push(HawserError.is(error) ? error.code : String(error)),
  )
  return lines
}

const stateOf = ({ state }: ClientStatus): string => state

describe("a loop over the status", () => {
  it("surprise-A7 yields closed and ends", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const lines = read(client.status(), stateOf)
    await world.clock.settle()
    client.close()
    await world.clock.settle()
    expect(lines).toEqual(["open", "closed", "end"])
  })

  it("surprise-A7 ends when the client closes by itself", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = world.client({ reconnect: false })
    const lines = read(client.status(), stateOf)
    world.network.listening = false
    client.connect().catch(() => {})
    await world.clock.advance(1_000)
    expect(lines).toEqual(["idle", "connecting", "closed", "end"])
  })

  it("surprise-A7 yields closed and ends when it begins on a closed client, and can start again after connect()", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = world.client()
    const idle = read(client.status(), stateOf)
    client.close()
    const closed = read(client.status(), stateOf)
    await world.clock.settle()
    expect([idle, closed]).toEqual([
      ["idle", "closed", "end"],
      ["closed", "end"],
    ])
    const connected = client.connect()
    const again = read(client.status(), stateOf)
    await world.clock.settle()
    await connected
    client.close()
    await world.clock.settle()
    expect(again).toEqual(["connecting", "open", "closed", "end"])
    expect([idle.length, closed.length]).toEqual([3, 2])
  })

  it("surprise-A7 ends for a reader that is far behind, with closed as its last status", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world, { reconnect: () => 1, limits: boundlessDials })
    const statuses = client.status()
    for (let cuts = 0; cuts < 50; cuts += 1) {
      client.cut()
      await world.clock.advance(10)
    }
    client.close()
    const lines = read(statuses, stateOf)
    await world.clock.settle()
    expect(lines).toHaveLength(65)
    expect(lines.slice(-2)).toEqual(["closed", "end"])
  })
})

describe("a loop over a topic", () => {
  const show = (item: { readonly kind: string; readonly payload?: unknown }): string =>
    item.kind === "message" ? JSON.stringify(item.payload) : item.kind

  it.each(["in", "joining", "rejoining", "out"] as const)(
    "surprise-A7 ends when the client is closed while the room is %s, after the delivered items",
    async (state) => {
      const world = createTopicWorld()
      const ann = await world.open("ann", { reconnect: () => 60_000 })
      const room = ann.topic("lobby")
      if (state === "out") world.server.topic("lobby").subscribe(sessionOf(world, "ann"))
      else if (state !== "joining") await settled(world, room.join())
      const lines = read(room, show)
      if (state !== "joining") {
        world.server.topic("lobby").publish("chatMessage", { text: "last" })
        await world.clock.advance(100)
      }
      if (state === "joining") room.join().catch(() => {})
      if (state === "rejoining") sessionOf(world, "ann").end("session_overflow")
      if (state === "rejoining") await world.clock.advance(100)
      expect(room.state).toBe(state)
      ann.close()
      await world.clock.advance(100)
      expect(lines).toEqual(state === "joining" ? ["end"] : ['{"text":"last"}', "end"])
    },
  )

  it("surprise-A7 ends when the client closes by itself", async () => {
    const world = createTopicWorld()
    const ann = await world.open("ann", { reconnect: false })
    const lines = read(ann.topic("lobby"), show)
    await settled(world, ann.topic("lobby").join())
    world.network.links[0]?.cut()
    await world.clock.advance(100)
    expect([ann.current.state, lines]).toEqual(["closed", ["end"]])
  })

  it("surprise-A7 ends at once when it begins on a closed client, and works again after connect()", async () => {
    const world = createTopicWorld()
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    ann.close()
    const begun = read(room, show)
    const next = room[Symbol.asyncIterator]().next()
    await world.clock.settle()
    expect([begun, await next]).toEqual([["end"], { value: undefined, done: true }])
    const connected = ann.connect()
    await world.clock.advance(200)
    await connected
    const again = read(room, show)
    await settled(world, room.join())
    world.server.topic("lobby").publish("chatMessage", { text: "here" })
    await world.clock.advance(100)
    expect(again).toEqual(['{"text":"here"}'])
    ann.close()
    await world.clock.settle()
    expect(again).toEqual(['{"text":"here"}', "end"])
  })
})

describe("a loop over a stream", () => {
  const contract = defineContract({
    name: "loops",
    streams: { count: { input: z.object({}), item: z.number() } },
  })

  function createStreamWorld() {
    const clock = new SimulatedClock()
    const server = createServer(contract, { authenticate: (id) => ({ id }), clock })
    server.stream("count", async function* ({ signal }) {
      yield 1
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
    })
    const { dial } = createMemoryNetwork({ clock, accept: server.accept })
    const random = seededRandom(1)
    const client = createClient(contract, {
      url: "memory:",
      token: "ann",
      clock,
      random,
      dial,
      autoConnect: false,
    })
    return { clock, client }
  }

  it("surprise-A7 ends with client_closed, whenever it began", async () => {
    const { clock, client } = createStreamWorld()
    const connected = client.connect()
    await clock.settle()
    await connected
    const running = read(client.stream("count", {}), String)
    await clock.settle()
    client.cut()
    const waiting = read(client.stream("count", {}), String)
    client.close()
    const begun = read(client.stream("count", {}), String)
    await clock.settle()
    expect([running, waiting, begun]).toEqual([["1", "client_closed"], ["client_closed"], ["client_closed"]])
    expect(client.stats()).toMatchObject({ streams: 0, pending: 0, timers: 0 })
  })
})
