// A value that the other end would refuse is refused by its sender, without other effects: no session of a recipient
// ends, no number of a topic is used, no later message is lost.
import { UnsendableError, clientMessageLimits, serverMessageLimits } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { contract, createWorld, nested, poison, settled, thrownBy } from "./harness.ts"
import type { ValuesClient, World } from "./harness.ts"
import { profile20 } from "@hawser/client/profile20"

const large = "x".repeat(1_200_000)

/** Three members of a topic, and the events that each of them received by the topic and by the client. */
async function members(world: World): Promise<{ clients: ValuesClient[]; received: unknown[][] }> {
  const clients: ValuesClient[] = []
  const received: unknown[][] = []
  for (const user of ["ann", "ben", "cem"]) {
    const client = await world.open(user)
    const own: unknown[] = []
    client.on("note", (payload, { offset }) => own.push([offset, payload]))
    await settled(world, client.topic("room:a").join({ state: "here" }))
    clients.push(client)
    received.push(own)
  }
  return { clients, received }
}

function expectWhole(world: World, clients: readonly ValuesClient[]): void {
  for (const client of clients)
    expect(client.stats()).toMatchObject({ sessionsOpened: 1, sessionsReset: 0, connectionsLost: 0 })
  expect(world.server.stats()).toMatchObject({ sessions: clients.length, sessionsEndedByCause: {} })
  expect(world.clientErrors).toEqual([])
}

describe("surprise-B1 a payload of the server that clients would refuse", () => {
  it.each([...poison, ["1.2 MB", { large }, "message_too_large", "large"] as const])(
    "throws at the sender, with its place, and affects no client: %s",
    async (...[, payload, code, path]) => {
      const world = createWorld({ history: {} })
      const { clients, received } = await members(world)
      const [session] = world.server.local.sessions("ann")
      const room = world.server.topic("room:a")
      const sends = [
        () => world.server.broadcast("note", payload),
        () => world.server.broadcast("where", payload),
        () => world.server.broadcast("last", payload),
        () => world.server.multicast(world.server.local.sessions(), "note", payload),
        () => session?.send("note", payload),
        () => room.publish("note", payload),
        () => room.publish("where", payload),
        () => world.server.topic("room:empty").publish("note", payload),
      ]
      for (const send of sends) {
        const error = errorOf(send)
        expect(error).toBeInstanceOf(UnsendableError)
        expect(error).toMatchObject({
          code,
          details: { path },
        })
      }
      room.publish("note", "fine")
      await world.clock.advance(60_000)
      for (const own of received) expect(own).toEqual([[1, "fine"]])
      expectWhole(world, clients)
      // A later member does not get it either.
      const dan = await world.open("dan")
      const lateEvents: unknown[] = []
      dan.topic("room:a").on("note", (value, { offset }) => lateEvents.push([offset, value]))
      await settled(world, dan.topic("room:a").join({ state: "late", recent: 10 }))
      expect(lateEvents).toEqual([[1, "fine"]])
    },
  )

  it.each([
    ["in a reply", "message_too_large", large],
    ["in a reply", "sys_internal_error", { votes: { ["k".repeat(139)]: 1 } }],
    ["in a reply", "sys_internal_error", new Map()],
  ])("is answered by an error and reported, and the session continues: %s (%s)", async (_, code, payload) => {
    const world = createWorld()
    const ann = await world.open("ann")
    world.made.make = () => payload
    expect(await settled(world, ann.command("make", 1))).toMatch(code)
    expect(world.serverErrors).toHaveLength(1)
    const items: unknown[] = []
    const read = (async () => {
      for await (const item of ann.stream("watch", 1)) items.push(item)
    })()
    expect(await settled(world, read)).toMatch(code)
    expect([items, world.serverErrors.length]).toEqual([[], 2])
    for (const error of world.serverErrors)
      expect(error instanceof Error && error.cause).toBeInstanceOf(UnsendableError)
    expect(await settled(world, ann.command("echo", "on"))).toBe("on")
    expectWhole(world, [ann])
    expect(world.server.stats().calls["make"]).toMatchObject({ failedByCode: { [code]: 1 } })
  })

  it("thrown in a handler is the server's fault, not an answer about the caller's input", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    world.made.make = () => world.server.broadcast("note", { at: new Date(Number.NaN) })
    expect(await settled(world, ann.command("make", 1))).toMatch("sys_internal_error")
    expect(world.serverErrors).toMatchObject([{ cause: { code: "invalid_input", details: { path: "at" } } }])
    expectWhole(world, [ann])
  })

  it("as details of an error leaves the error its code and its sentence", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    world.made.make = () => {
      throw contract.error("not_enough", { a: 5n }, { message: "cut \ud83d", retryAfterMs: 1.5 })
    }
    expect(await settled(world, ann.command("make", 1))).toBe("not_enough: cut \ufffd")
    world.made.make = () => {
      throw contract.error("not_yet", { left: 2 }, { retryAfterMs: 1.5 })
    }
    const error = await settled(
      world,
      ann.command("make", 1).catch((reason: unknown) => reason),
    )
    expect(error).toMatchObject({ code: "not_yet", retryAfterMs: 2, details: { left: 2 } })
    expect(world.serverErrors).toHaveLength(1)
    expectWhole(world, [ann])
  })

  it("for one of two profiles is sent to no client", async () => {
    // A client of `2.0` accepts 1 MiB, whatever the others accept.
    const limits = { clientMessage: { ...clientMessageLimits, maxBytes: 2 ** 21 } }
    const world = createWorld({ limits })
    const ann = await world.open("ann", {
      limits: { message: { ...clientMessageLimits, maxBytes: 2 ** 21 }, sendBufferMaxBytes: 2 ** 21 },
    })
    const received: unknown[] = []
    ann.on("note", (payload) => received.push(payload))
    world.server.broadcast("note", { large })
    await world.clock.advance(1_000)
    expect(received).toHaveLength(1)
    await world.open("old", { profile: profile20() })
    expect(thrownBy(() => world.server.broadcast("note", { large }))).toMatch("message_too_large")
    await world.clock.advance(1_000)
    expect(received).toHaveLength(1)
    expect(world.server.stats()).toMatchObject({ sessions: 2, sessionsEndedByCause: {} })
  })
})

describe("surprise-B1 an input that the server would refuse", () => {
  const inputs = [
    ...poison,
    ["12,000 integers", Array.from({ length: 12_000 }, (_, at) => at % 100), "invalid_input", ""] as const,
    ["70 kB", { text: "x".repeat(70_000) }, "message_too_large", "text"] as const,
  ]
  const sends = (client: ValuesClient, input: unknown): Promise<unknown>[] => [
    client.command("echo", input),
    client.command("echo", input, { key: "k" }),
    client.query("look", input),
    client.stream("watch", input).next(),
    client.topic("room:a").publish("note", input),
    client.topic("room:a").setState(input),
    client.topic("room:b").join({ state: input }),
  ]

  it.each(inputs)(
    "rejects at the call, with its place, and the session continues: %s",
    async (...[, input, code, path]) => {
      const world = createWorld()
      const ann = await world.open("ann")
      for (const error of await errorsOf(sends(ann, input)))
        expect(error).toMatchObject({ code, details: { path } })
      expect(await settled(world, ann.command("echo", "on"))).toBe("on")
      await world.clock.advance(60_000)
      expect([world.handled, world.serverErrors]).toEqual([["on"], []])
      expectWhole(world, [ann])
    },
  )

  it.each(inputs)("rejects at the call before there is a session: %s", async (...[, input, code, path]) => {
    const world = createWorld()
    const ann = world.client("ann")
    const connected = ann.connect()
    for (const error of await errorsOf(sends(ann, input)))
      expect(error).toMatchObject({ code, details: { path } })
    const on = ann.command("echo", "on")
    await world.clock.advance(200)
    await connected
    expect(await settled(world, on)).toBe("on")
    expect(world.handled).toEqual(["on"])
    expectWhole(world, [ann])
  })

  it("is checked against the limits in WELCOME: higher, or lower", async () => {
    const input = Array.from({ length: 20_000 }, () => "six by")
    const roomy = { ...serverMessageLimits, maxBytes: 2 ** 20, maxElements: 50_000 }
    const wide = createWorld({ limits: { message: roomy } })
    const ann = await wide.open("ann")
    expect(await settled(wide, ann.command("echo", input))).toEqual(input)
    // The limits of a WELCOME hold until the next WELCOME.
    wide.network.listening = false
    wide.network.links[0]?.cut()
    await wide.clock.settle()
    const queued = ann.command("echo", input)
    wide.network.listening = true
    await wide.clock.advance(5_000)
    expect(await settled(wide, queued)).toEqual(input)

    const narrow = createWorld({ limits: { message: { ...serverMessageLimits, maxElements: 50 } } })
    const ben = narrow.client("ben")
    const connected = ben.connect()
    const outcome = ben.command(
      "echo",
      Array.from({ length: 60 }, (_, at) => at),
    )
    const after = ben.command("echo", "after")
    await narrow.clock.advance(200)
    await connected
    expect(await settled(narrow, outcome)).toMatch(/^invalid_input: .*more than 50 elements/)
    expect(await settled(narrow, after)).toBe("after")
    expectWhole(narrow, [ben])
  })

  it("before the first WELCOME is checked against limits.serverMessage", async () => {
    const input = "x".repeat(100_000)
    const roomy = { ...serverMessageLimits, maxBytes: 2 ** 20 }
    const world = createWorld({ limits: { message: roomy } })
    const ann = world.client("ann", { limits: { serverMessage: roomy } })
    const connected = ann.connect()
    const outcome = ann.command("echo", input)
    await world.clock.advance(200)
    await connected
    expect(await settled(world, outcome)).toBe(input)
  })

  it("uses no number of a publication and changes no state", async () => {
    const world = createWorld({ limits: { userDeliveriesPerSecond: 1, userDeliveryBurst: 3 } })
    const { clients, received } = await members(world)
    const room = clients[0]?.topic("room:a")
    for (let time = 0; time < 20; time += 1)
      expect(await settled(world, Promise.resolve(room?.publish("note", { deep: nested(40) })), 0)).toMatch(
        "invalid_input",
      )
    expect(await settled(world, Promise.resolve(room?.publish("note", "fine")))).toEqual({ offset: 1 })
    for (const own of received) expect(own).toEqual([[1, "fine"]])
    expectWhole(world, clients)
  })

  it.each([
    ["a key that is no text", 7],
    ["a key with half a pair", "k\ud83d"],
  ])("is no option either: %s", async (_, key) => {
    const world = createWorld()
    const ann = await world.open("ann")
    // Untyped, as JavaScript may pass it.
    const options: object = { key }
    expect(await settled(world, ann.command("echo", 1, options))).toMatch("invalid_input")
    expectWhole(world, [ann])
  })

  it("is not sent again under its key after sys_invalid_message", async () => {
    const world = createWorld({ latencyMs: 10 })
    const ann = await world.open("ann")
    const keyed = ann.command("echo", "one", { key: "k" }).catch((reason: unknown) => reason)
    await world.clock.advance(5)
    // A frame that the client cannot read: it could be the reply to the keyed request.
    world.network.links[0]?.server.send({ bytes: Uint8Array.of(0x40, 0xc1) })
    await world.clock.advance(60_000)
    expect(await keyed).toMatchObject({ code: "connection_lost", cause: { code: "sys_invalid_message" } })
    expect(world.handled).toEqual(["one"])
    expect(ann.stats()).toMatchObject({ sessionsOpened: 2, sessionsReset: 1, pending: 0 })
  })
})

describe("surprise-B1 a client whose limits are below the server's messages", () => {
  it.each(["maxBytes", "maxDepth", "maxElements", "maxKeyBytes"] as const)(
    "is refused at HELLO, with a message: %s",
    async (name) => {
      const world = createWorld()
      const least = { ...clientMessageLimits, [name]: clientMessageLimits[name] - 1 }
      const ann = world.client("ann", { limits: { message: least } })
      const outcome = await settled(world, ann.connect())
      expect(outcome).toMatch(/^unsupported_limits: /)
      expect(outcome).toContain(`limits.message.${name}`)
      await world.clock.advance(600_000)
      expect(ann.current).toMatchObject({ state: "closed", error: { code: "unsupported_limits" } })
      expect(ann.stats().dials).toBe(1)
    },
  )

  it("is accepted where the server sends less", async () => {
    const least = { ...clientMessageLimits, maxBytes: 5_000, maxDepth: 8 }
    const world = createWorld({ limits: { clientMessage: least } })
    const ann = await world.open("ann", { limits: { message: least } })
    const received: unknown[] = []
    ann.on("note", (payload) => received.push(payload))
    expect(thrownBy(() => world.server.broadcast("note", "x".repeat(5_000)))).toMatch("message_too_large")
    expect(thrownBy(() => world.server.broadcast("note", nested(8)))).toMatch("invalid_input")
    world.server.broadcast("note", nested(7))
    await world.clock.advance(100)
    expect(received).toEqual([nested(7)])
    expectWhole(world, [ann])
  })
})

function errorsOf(sent: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(sent.map((one) => one.catch((reason: unknown) => reason)))
}

function errorOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
