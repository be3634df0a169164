// The count of state in ACK, frame by frame: the server's count, and the client's answer to PING.
import { clientMessageLimits } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, openClient } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"
import { codec, sendHello } from "../sessions/scripted-client.ts"

const where = (world: World, x: number): void => world.server.broadcast("where", { who: "ann", x })

describe("a count of state", () => {
  it.each([
    ["names its limits", { limits: clientMessageLimits }, "session_diverged"],
    ["names none, as older versions do", {}, undefined],
  ])(
    "surprise-C1 above the sent count, of a client that %s, ends the session or has no effect",
    async (_, hello, cause) => {
      const world = createWorld({ profile: "hawser.1" })
      const ends: string[] = []
      world.server.onSessionEnd(({ cause: why }) => ends.push(why))
      const client = await sendHello(world, hello)
      where(world, 1)
      await world.clock.settle()
      client.send({ kind: "ack", handled: 0, stateFrames: 1 })
      await world.clock.settle()
      expect([ends, world.server.stats().stateUnacknowledgedBytes]).toEqual([[], 0])
      client.send({ kind: "ack", handled: 0, stateFrames: 2 })
      await world.clock.settle()
      expect(ends).toEqual(cause === undefined ? [] : [cause])
    },
  )

  it("surprise-C1 restarts with each connection", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    for (let x = 0; x < 5; x += 1) where(world, x)
    await world.clock.advance(1_000)
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    where(world, 6)
    await world.clock.advance(1_000)
    const acks = world.network.links[1]?.client.sent.map((bytes) => codec.decode(bytes, 0))
    // The last value of the first connection is sent again, and the new one.
    expect(acks?.filter(({ kind }) => kind === "ack").at(-1)).toEqual({
      kind: "ack",
      handled: 0,
      stateFrames: 2,
    })
    expect(client.current.state).toBe("open")
    expect(world.server.stats()).toMatchObject({ stateUnacknowledgedBytes: 0, stateOldestMs: 0 })
  })

  it("surprise-C1 is sent to a server that sends PING, before the PONG", async () => {
    const world = createWorld({ profile: "hawser.1" })
    await openClient(world)
    where(world, 1)
    await world.clock.advance(100)
    where(world, 2)
    await world.clock.settle()
    const link = world.network.links[0]
    link?.server.send({ bytes: codec.encode({ kind: "ping", number: 7, handled: 0 }) })
    await world.clock.settle()
    const sent = link?.client.sent.slice(-2).map((bytes) => codec.decode(bytes, 0))
    expect(sent).toEqual([
      { kind: "ack", handled: 0, stateFrames: 2 },
      { kind: "pong", number: 7, handled: 0 },
    ])
  })
})
