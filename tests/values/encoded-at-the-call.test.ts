// A payload is encoded at its call: later changes of the object have no effect, however long the payload is queued.
import { encodeOnce } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { createWorld, settled } from "./harness.ts"

describe("surprise-B4 an input of the client", () => {
  it("is read at the call, before there is a session", async () => {
    const world = createWorld()
    const ann = world.client("ann")
    const watcher = await world.open("watcher")
    const received: unknown[] = []
    watcher.topic("room:a").on("note", (payload) => received.push(payload))
    await settled(world, watcher.topic("room:a").join({ state: "here" }))
    const input = { at: new Date(5), list: [1], bytes: Uint8Array.of(1) }
    const then = structuredClone(input)
    const connected = ann.connect()
    const outcomes = [
      ann.command("echo", input),
      ann.query("look", input),
      ann.stream("watch", input).next(),
      ann.command("echo", encodeOnce(z.unknown(), { deep: input }), { key: "k" }),
      ann.topic("room:a").join({ state: input }),
      ann.topic("room:a").publish("note", input),
      ann.topic("room:a").setState(input),
    ]
    const change = (): void => {
      input.list.push(2)
      input.at.setTime(6)
      input.bytes[0] = 9
    }
    change()
    await world.clock.advance(500)
    await connected
    expect(await Promise.all(outcomes)).toEqual([
      then,
      then,
      { done: false, value: then },
      { deep: then },
      undefined,
      { offset: 1 },
      undefined,
    ])
    expect(world.handled).toEqual([then, { deep: then }])
    expect(received).toEqual([then])
    expect([...watcher.topic("room:a").presence].map(({ state }) => state)).toEqual(["here", then])
  })

  it("is read at the call, during an outage and in the queue for space", async () => {
    const world = createWorld()
    const ann = world.client("ann", { limits: { sendBufferMaxCount: 2 } })
    const input = { number: 0 }
    const call = (number: number): Promise<unknown> => {
      input.number = number
      return ann.command("echo", input)
    }
    const connected = ann.connect()
    const outcomes = [1, 2, 3, 4].map(call)
    await world.clock.advance(3)
    await connected
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    // Two are in the session's buffer, the others in the queue for it.
    expect(ann.stats()).toMatchObject({ bufferedMessages: 2, queued: 2 })
    outcomes.push(call(5))
    input.number = 9
    world.network.listening = true
    await world.clock.advance(10_000)
    expect(await Promise.all(outcomes)).toEqual([1, 2, 3, 4, 5].map((number) => ({ number })))
  })

  it("is the same under its key in the next session", async () => {
    const world = createWorld({ latencyMs: 10 })
    const ann = await world.open("ann")
    const input = { number: 1 }
    const outcome = ann.command("echo", input, { key: "k" })
    input.number = 2
    await world.server.endSessions({ user: "ann", code: "session_expired" })
    await world.clock.advance(10_000)
    expect(await outcome).toEqual({ number: 1 })
    expect(world.handled).toEqual([{ number: 1 }])
  })
})

describe("surprise-B4 a state of presence", () => {
  it("is used again in a rejoin unchanged, from a join or from a change", async () => {
    const world = createWorld({ latencyMs: 5 })
    const ben = await world.open("ben")
    await settled(world, ben.topic("room:a").join({ state: "here" }))
    const seen = (): unknown => [...ben.topic("room:a").presence].find(({ user }) => user === "ann")?.state
    const ann = await world.open("ann")
    const state = { mood: "new" }
    await settled(world, ann.topic("room:a").join({ state }))
    state.mood = "changed by hand"
    await world.server.endSessions({ user: "ann", code: "session_expired" })
    await world.clock.advance(10_000)
    expect(seen()).toEqual({ mood: "new" })

    state.mood = "older"
    const changed = ann.topic("room:a").setState(state)
    state.mood = "while it is on its way"
    await settled(world, changed)
    expect(seen()).toEqual({ mood: "older" })
    await world.server.endSessions({ user: "ann", code: "session_expired" })
    await world.clock.advance(10_000)
    expect(seen()).toEqual({ mood: "older" })
  })
})

describe("surprise-B4 a value of the server", () => {
  it("is the first outcome for every repetition of a key", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const scores = { ann: 1 }
    world.made.make = () => scores
    const first = ann.command("make", 1, { key: "k" })
    expect(await settled(world, first)).toEqual({ ann: 1 })
    scores.ann = 2
    expect(await settled(world, ann.command("make", 1, { key: "k" }))).toEqual({ ann: 1 })
    expect(await settled(world, ann.command("make", 1))).toEqual({ ann: 2 })
  })

  it("is sent unchanged from a history, a slot, a buffer and a queued stream", async () => {
    const world = createWorld({ history: {} })
    const value = { number: 1 }
    world.server.topic("room:a").publish("note", value)
    const ann = await world.open("ann")
    const received: unknown[] = []
    ann.on("last", (payload) => received.push(["last", payload]))
    ann.on("note", (payload) => received.push(["note", payload]))
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    expect(world.server.local.sessions("ann")[0]?.send("last", value)).toBe("conflated")
    expect(world.server.local.sessions("ann")[0]?.send("note", value)).toBe("buffered")
    value.number = 2
    world.network.listening = true
    await world.clock.advance(10_000)
    await settled(world, ann.topic("room:a").join({ state: 1, recent: 5 }))
    expect(received).toEqual([
      ["note", { number: 1 }],
      ["last", { number: 1 }],
      ["note", { number: 1 }],
    ])
  })
})
