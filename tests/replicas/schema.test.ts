// Ends with different versions of a contract, and servers that send invalid frames.
import { createClient } from "@hawser/client"
import { defineContract, defineReplica, integer, text } from "@hawser/protocol"
import { BitWriter, ReplicaSchema, encodeDelta, partKind } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, sessionOf, walker } from "./harness.ts"

async function openAs(
  world: ReturnType<typeof createWorld>,
  fields: Parameters<typeof defineReplica>[0]["fields"],
) {
  const errors: unknown[] = []
  const other = defineContract({ name: "replicas", replicas: { walkers: defineReplica({ fields }) } })
  const client = createClient(other, {
    url: "memory:",
    token: "ann",
    clock: world.clock,
    dial: world.network.dial,
    autoConnect: false,
    onError: (error) => errors.push(String(error)),
  })
  const connected = client.connect()
  await world.clock.advance(200)
  await connected
  return { client, errors }
}

describe("a client of another version", () => {
  it("shows the fields of its own contract, by the schema that the server sends", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5, { hp: 77 }))
    // Another range than the server's, and in another order.
    const { client, errors } = await openAs(world, { hp: integer({ min: 0, max: 7 }), name: text() })
    walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(100)
    walkers.patch("a", { x: 6 })
    walkers.patch("a", { hp: 76 })
    await world.clock.advance(100)
    expect([...client.replica("walkers")]).toEqual([["a", { hp: 76, name: "walker" }]])
    expect(errors).toEqual([])
  })

  it("reports a field that the server lacks, and shows nothing", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    const { client, errors } = await openAs(world, { mana: integer() })
    walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(100)
    expect(client.replica("walkers")).toMatchObject({ size: 0, stale: true })
    expect(errors).toEqual([
      expect.stringContaining('the replica "walkers" of the server has no field "mana"'),
    ])
    expect(client.current.state).toBe("open")
  })

  it("reports a field of another kind, and shows nothing", async () => {
    const world = createWorld()
    world.server.replica("walkers").set("a", walker(5, 5))
    const { client, errors } = await openAs(world, { name: integer() })
    world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
    await world.clock.advance(100)
    expect(client.replica("walkers").size).toBe(0)
    expect(errors).toEqual([expect.stringContaining('has another kind of field "name"')])
  })
})

describe("a server that sends invalid frames", () => {
  it("causes a resynchronization by a change of a record that does not exist", async () => {
    const world = createWorld()
    const walkers = world.server.replica("walkers")
    walkers.set("a", walker(5, 5))
    world.server.onSession(({ session }) => walkers.view(session, { x: 1, y: 1 }))
    const client = await world.open("ann")
    await world.clock.advance(100)
    const schema = ReplicaSchema.of({ points: integer() })
    const delta = encodeDelta(new BitWriter(), schema, {
      changes: [{ kind: "change", slot: 9, mask: 1, record: [1], was: { record: [0], before: [0] } }],
      size: 2,
    })
    world.network.links[0]?.server.send({
      bytes: Uint8Array.from([0x82, 0, (0 << 2) | partKind.delta, ...delta]),
    })
    await world.clock.advance(5_000)
    expect(world.errors).toContainEqual(expect.objectContaining({ code: "sys_invalid_message" }))
    expect(client.stats()).toMatchObject({ sessionsReset: 1, sessionsOpened: 2 })
    expect([...client.replica("walkers")]).toEqual([["a", walker(5, 5)]])
  })
})
