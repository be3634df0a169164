// A client that sends and reads nothing: the server's pending control frames stay few, and the client is dropped even
// if it has acknowledged everything.
import { describe, expect, it } from "vitest"
import { createWorld } from "../faults/harness.ts"
import type { World, WorldOptions } from "../faults/harness.ts"
import { codec, sendHello } from "./scripted-client.ts"
import type { ScriptedClient } from "./scripted-client.ts"

/** Opens a client with a full socket, which has acknowledged all messages unread. */
async function openUnread(limits: NonNullable<WorldOptions["limits"]>) {
  const world = createWorld({ profile: "hawser.1", limits })
  const client = await sendHello(world)
  const end = world.network.links[0]?.server
  end?.stall(true)
  const [session] = world.server.local.sessions()
  session?.send("note", { text: "x".repeat(20_000) })
  client.send({ kind: "ack", handled: 1 })
  await world.clock.settle()
  const sent = (kind: string): number =>
    (end?.sent ?? []).filter((bytes) => codec.decode(bytes, 0).kind === kind).length
  return { world, client, end, session, sent }
}

async function ping(world: World, client: ScriptedClient, count: number): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    client.send({ kind: "ping", number, handled: 1 })
    await world.clock.advance(20)
  }
}

describe("a client that reads nothing", () => {
  it("door-10 gets one PONG, the newest, with its acknowledgement, once its full socket has drained", async () => {
    const { world, client, end, sent } = await openUnread({ socketHighWaterBytes: 16_384 })
    client.send({
      kind: "request",
      call: undefined,
      budgetMs: 0,
      type: "echo",
      payload: { text: "x" },
      reference: 1,
    })
    await ping(world, client, 200)
    expect([sent("pong"), sent("ack")]).toEqual([0, 0])
    end?.stall(false)
    await world.clock.settle()
    expect(client.received.filter(({ kind }) => kind === "pong")).toEqual([
      { kind: "pong", number: 200, handled: 1 },
    ])
    await ping(world, client, 3)
    expect(sent("pong")).toBe(4)
  })

  it("door-10 gets one ACK when its full socket has drained", async () => {
    const { world, client, end, sent } = await openUnread({ socketHighWaterBytes: 16_384 })
    for (let reference = 1; reference <= 200; reference += 1) {
      client.send({ kind: "cancel", reference: 5_000 })
      await world.clock.advance(20)
    }
    expect(sent("ack")).toBe(0)
    end?.stall(false)
    await world.clock.settle()
    expect(client.received.filter(({ kind }) => kind === "ack")).toEqual([{ kind: "ack", handled: 200 }])
  })

  it("door-10 is dropped after ackProgressMs though it has acknowledged everything and sends PINGs", async () => {
    const { world, client, session } = await openUnread({
      ackProgressMs: 5_000,
      pingAfterMs: 1_000,
      pongTimeoutMs: 1_000,
    })
    await ping(world, client, 230)
    expect(session?.attached).toBe(true)
    await ping(world, client, 40)
    expect([session?.attached, session?.active]).toEqual([false, true])
    expect(world.server.stats()).toMatchObject({ slowConsumersClosed: 1, silentConnectionsClosed: 0 })
  })

  it("door-10 is not dropped while its socket still drains slowly", async () => {
    const { world, client, end, session } = await openUnread({
      ackProgressMs: 5_000,
      pingAfterMs: 1_000,
      pongTimeoutMs: 1_000,
    })
    for (let round = 0; round < 6; round += 1) {
      await ping(world, client, 150)
      end?.stall(false)
      await world.clock.settle()
      end?.stall(true)
      session?.send("note", { text: "x".repeat(20_000) })
      client.send({ kind: "ack", handled: round + 2 })
    }
    expect(session?.attached).toBe(true)
  })
})
