// Values that no packed frame can carry, as from untyped code: refused at the call that passes them. And a field that
// throws while it is packed: the error is reported, and the next frames are right for every viewer.
import { createClient } from "@hawser/client"
import { defineContract, defineReplica, integer, text } from "@hawser/protocol"
import type { Field } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, walker } from "./harness.ts"
import type { World } from "./harness.ts"

const tickMs = 60

/** Calls a method as untyped code does. */
function untyped(target: object, method: string, ...given: unknown[]): unknown {
  const found: unknown = Reflect.get(target, method)
  if (typeof found !== "function") throw new Error(`there is no method ${method}`)
  const result: unknown = Reflect.apply(found, target, given)
  return result
}

async function watched(): Promise<{ world: World; call: (method: string, ...given: unknown[]) => unknown }> {
  const world = createWorld()
  await world.open("ann")
  const walkers = world.server.replica("walkers")
  walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
  return { world, call: (method, ...given) => untyped(walkers, method, ...given) }
}

describe("an id that is no text", () => {
  it.each([
    [7, "7"],
    [undefined, "nothing"],
    [null, "nil"],
    [{}, "a map"],
  ])("newcomer-1 is refused by each method that takes one: %j", async (id, shownId) => {
    const { world, call } = await watched()
    const refusal = new TypeError(`the id ${shownId} in the replica "walkers" is not a string`)
    expect(() => call("set", id, walker(1, 1))).toThrow(refusal)
    expect(() => call("patch", id, { x: 1 })).toThrow(refusal)
    expect(() => call("remove", id)).toThrow(refusal)
    expect(() => call("view", sessionOf(world, "ann"), { follow: id })).toThrow(refusal)
    expect(world.server.replica("walkers").size).toBe(0)
    await world.clock.advance(tickMs)
    expect(world.errors).toEqual([])
  })

  it("newcomer-1 does not affect the session in `view`", async () => {
    const world = createWorld()
    await world.open("ann")
    const walkers = world.server.replica("walkers")
    expect(() => untyped(walkers, "view", sessionOf(world, "ann"), { follow: 7 })).toThrow(TypeError)
    expect(world.server.stats()).toMatchObject({ viewing: 0, replicaCells: 0 })
  })
})

describe("an invalid place", () => {
  it.each([NaN, Infinity, -Infinity, 1e300, undefined])("newcomer-1 is refused: %d", async (x) => {
    const { world, call } = await watched()
    const refusal = /^a view of the replica "walkers" cannot be at x .*, y 3$/
    expect(() => call("view", sessionOf(world, "ann"), { x, y: 3 })).toThrow(refusal)
    const view = world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    expect(() => untyped(view, "moveTo", { x, y: 3 })).toThrow(refusal)
  })
})

function brittleWorld() {
  let isArmed = true
  const clock = new SimulatedClock()
  // Throws in the middle of packing; otherwise it is packed as any text.
  const write: Field<string>["write"] = (writer, packed) => {
    if (isArmed && packed === "bad") {
      writer.bits(5, 3)
      throw new Error("this text cannot be packed")
    }
    text().write(writer, packed)
  }
  const coordinate = integer({ min: 0, max: 99 })
  const contract = defineContract({
    name: "brittle",
    commands: {},
    queries: {},
    events: {},
    replicas: {
      players: defineReplica({
        fields: { x: coordinate, y: coordinate, name: { ...text(), write, writeChange: write } },
        area: { x: "x", y: "y", cellSize: 10 },
      }),
    },
  })
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const server = createServer(contract, { authenticate: (id) => ({ id }), clock, onError })
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
  const players = server.replica("players")
  const open = async (token: string, at: { readonly x: number; readonly y: number }) => {
    const client = createClient(contract, { url: "memory:", token, clock, dial: network.dial, onError })
    const connected = client.connect()
    await clock.advance(200)
    await connected
    const [session] = server.local.sessions(token)
    if (session === undefined) throw new Error(`${token} has no session`)
    players.view(session, at)
    await clock.advance(tickMs)
    return () => Object.fromEntries(client.replica("players"))
  }
  const disarm = (): void => {
    isArmed = false
  }
  return { clock, players, errors, open, disarm }
}

describe("a field that throws while it is packed", () => {
  it("newcomer-1 is reported, does not stop other cells, and leaves the next frames right", async () => {
    const { clock, players, errors, open, disarm } = brittleWorld()
    players.set("a", { x: 1, y: 1, name: "ann" })
    players.set("b", { x: 55, y: 55, name: "bob" })
    const near = await open("near", { x: 1, y: 1 })
    const far = await open("far", { x: 55, y: 55 })
    players.patch("a", { name: "bad" })
    players.patch("b", { x: 56 })
    await clock.advance(tickMs)
    expect(errors).toContainEqual(new Error("this text cannot be packed"))
    expect(far()).toEqual({ b: { x: 56, y: 55, name: "bob" } })
    disarm()
    errors.length = 0
    players.patch("a", { x: 2 })
    players.patch("b", { x: 57 })
    await clock.advance(tickMs)
    expect(near()).toEqual({ a: { x: 2, y: 1, name: "bad" } })
    expect(far()).toEqual({ b: { x: 57, y: 55, name: "bob" } })
    players.patch("a", { x: 3 })
    await clock.advance(tickMs)
    expect(near()).toEqual({ a: { x: 3, y: 1, name: "bad" } })
    expect(errors).toEqual([])
  })

  it("newcomer-1 delays a first snapshot, and does not affect other viewers", async () => {
    const { clock, players, errors, open, disarm } = brittleWorld()
    players.set("a", { x: 1, y: 1, name: "bad" })
    players.set("b", { x: 55, y: 55, name: "bob" })
    const near = await open("near", { x: 1, y: 1 })
    const far = await open("far", { x: 55, y: 55 })
    expect(errors).toContainEqual(new Error("this text cannot be packed"))
    expect([near(), far()]).toEqual([{}, { b: { x: 55, y: 55, name: "bob" } }])
    disarm()
    errors.length = 0
    players.patch("b", { x: 57 })
    await clock.advance(tickMs)
    expect(near()).toEqual({ a: { x: 1, y: 1, name: "bad" } })
    expect(far()).toEqual({ b: { x: 57, y: 55, name: "bob" } })
    expect(errors).toEqual([])
  })

  it("newcomer-1 does not restore a record that was removed", async () => {
    const { clock, players, errors, open } = brittleWorld()
    players.set("a", { x: 1, y: 1, name: "ann" })
    players.set("b", { x: 2, y: 1, name: "bob" })
    const near = await open("near", { x: 1, y: 1 })
    players.patch("a", { name: "bad" })
    await clock.advance(tickMs)
    expect(errors).not.toEqual([])
    errors.length = 0
    players.remove("a")
    await clock.advance(tickMs)
    expect(near()).toEqual({ b: { x: 2, y: 1, name: "bob" } })
    expect(errors).toEqual([])
  })
})
