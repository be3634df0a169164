// The bounds of topics, and requests that Hawser's client never sends.
import { defaultServerLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec, reservedTypes } from "@hawser/protocol/core"
import type { Frame } from "@hawser/protocol/core"
import { createEnvelopeCodec } from "@hawser/protocol/profile20"
import { describe, expect, it } from "vitest"
import { createWorld, listen, settled } from "./harness.ts"
import type { TopicClient, World } from "./harness.ts"

const fine = { state: { mood: "fine" } }

describe("topics of one session", () => {
  it("abuse-A42 are at most topicsPerSession, and one more when one was left", async () => {
    const world = createWorld({ limits: { topicsPerSession: 2 } })
    const ann = await world.open("ann")
    const join = (name: "lobby:1" | "lobby:2" | "lobby:3") => settled(world, ann.topic(name).join())
    expect([await join("lobby:1"), await join("lobby:2"), await join("lobby:3")]).toEqual([
      undefined,
      undefined,
      "rate_limited",
    ])
    expect(world.server.stats()).toMatchObject({ topics: 2, topicMembers: 2, topicJoinsRefused: 1 })
    await settled(world, ann.topic("lobby:1").leave())
    expect(await join("lobby:3")).toBeUndefined()
  })

  it("abuse-A42 are at most topicsPerUser over all sessions of a user", async () => {
    const world = createWorld({ limits: { topicsPerUser: 2 } })
    const [one, two, ben] = [await world.open("ann"), await world.open("ann"), await world.open("ben")]
    expect(await settled(world, one.topic("lobby").join())).toBeUndefined()
    expect(await settled(world, two.topic("lobby").join())).toBeUndefined()
    expect(await settled(world, two.topic("lobby:2").join())).toBe("rate_limited")
    expect(await settled(world, ben.topic("lobby:2").join())).toBeUndefined()
    one.close()
    await world.clock.advance(100)
    expect(await settled(world, two.topic("lobby:2").join())).toBeUndefined()
  })
})

describe("the cost of a user's publications", () => {
  async function crowd(count: number): Promise<{ world: World; ann: TopicClient }> {
    const world = createWorld({
      limits: { userDeliveriesPerSecond: 10, userDeliveryBurst: 20, sessionsPerUser: 100 },
    })
    const ann = await world.open("ann")
    await settled(world, ann.topic("lobby").join())
    for (let index = 1; index < count; index += 1) {
      const client = await world.open("crowd")
      await settled(world, client.topic("lobby").join())
    }
    return { world, ann }
  }

  const say = (world: World, ann: TopicClient, options = {}) =>
    settled(
      world,
      ann
        .topic("lobby")
        .publish("chatMessage", { text: "x" }, options)
        .then(
          () => "ok",
          (error: { code: string; retryAfterMs?: number }) => `${error.code} ${error.retryAfterMs}`,
        ),
      5,
    )

  it("abuse-A42 is counted by recipient, and refilled by the second", async () => {
    const { world, ann } = await crowd(10)
    expect([await say(world, ann), await say(world, ann)]).toEqual(["ok", "ok"])
    expect(await say(world, ann)).toMatch(/^rate_limited 9\d\d$/)
    await world.clock.advance(1_000)
    expect(await say(world, ann)).toBe("ok")
    expect(world.server.stats()).toMatchObject({ topicPublishes: 3, topicPublishesRefused: 1 })
  })

  it("does not count a sender without echo", async () => {
    const { world, ann } = await crowd(11)
    await world.clock.advance(10_000)
    const quiet = { echo: false }
    expect([await say(world, ann, quiet), await say(world, ann, quiet)]).toEqual(["ok", "ok"])
  })

  it("may exceed the bucket once, and is a debt then", async () => {
    const { world, ann } = await crowd(30)
    await world.clock.advance(10_000)
    expect(await say(world, ann)).toBe("ok")
    expect(await say(world, ann)).toMatch(/^rate_limited 29\d\d$/)
    await world.clock.advance(3_100)
    expect(await say(world, ann)).toBe("ok")
  })

  it("is nothing when the server publishes, or when the publication is refused", async () => {
    const { world, ann } = await crowd(10)
    for (let count = 0; count < 50; count += 1)
      world.server.topic("lobby").publish("chatMessage", { text: "x" })
    for (let count = 0; count < 5; count += 1)
      expect(
        await settled(world, ann.topic("lobby").publish("chatMessage", { text: "x".repeat(3_000) }), 5),
      ).toBe("invalid_input")
    expect(await say(world, ann)).toBe("ok")
  })
})

describe("a topic request that Hawser's client never sends", () => {
  const codec = createFrameCodec(new TypeTable(reservedTypes), {
    ...defaultServerLimits.message,
    maxBytes: 1_000_000,
  })

  async function answers(type: string, ...payloads: unknown[]): Promise<string[]> {
    const world = createWorld()
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine))
    const codes: string[] = []
    const link = world.network.links[0]
    for (const payload of payloads) {
      const before = world.server.stats().calls[type]?.failedByCode ?? {}
      const frame: Frame = { kind: "request", call: undefined, type, payload, budgetMs: 0, reference: 1 }
      link?.client.send({ bytes: codec.encode(frame) })
      await world.clock.advance(20)
      const after = world.server.stats().calls[type]?.failedByCode ?? {}
      const found = Object.keys(after).filter((code) => after[code] !== before[code])
      codes.push(found.join() || "ok")
    }
    expect(world.errors.filter((error) => error instanceof TypeError)).toEqual([])
    expect(world.server.stats()).toMatchObject({ topicMembers: 1, topics: 1 })
    return codes
  }

  it.each([
    [
      "$join",
      [null, 7, {}, { topic: 7 }, { topic: "lobby:b", since: 5 }, { topic: "lobby:b", since: ["e", -1] }],
    ],
    [
      "$join",
      [{ topic: "lobby:b", recent: -1 }, { topic: "lobby:b", recent: 0.5 }, { topic: "chat:../etc" }],
    ],
    ["$join", [{ topic: "chat:b" }, { topic: "x".repeat(129) }, { topic: "" }]],
    ["$leave", [null, {}, { topic: [] }]],
    ["$publish", [null, { topic: "chat:a" }, { topic: "chat:a", event: "toString", payload: {} }]],
    ["$publish", [{ topic: "chat:a", event: "weather", payload: { kind: "rain" } }]],
    ["$publish", [{ topic: "chat:a", event: "chatMessage", payload: {}, echo: "yes" }]],
    ["$presence", [null, { topic: "chat:a" }, { topic: "chat:a", state: 5 }]],
  ])("abuse-A46 is refused when it does not have the form of %s", async (type, payloads) => {
    expect(await answers(type, ...payloads)).toEqual(payloads.map(() => "invalid_input"))
  })

  it.each(["__proto__", "constructor", "toString", "nothing:a"])(
    "abuse-A48 is refused for the kind %s",
    async (topic) => {
      expect(await answers("$join", { topic, state: {} })).toEqual(["not_available"])
      expect(await answers("$publish", { topic, event: "chatMessage", payload: { text: "x" } })).toEqual([
        "not_available",
      ])
    },
  )

  it("is not available in 2.0", async () => {
    const world = createWorld({ profile: "2.0" })
    await world.open("ann")
    const envelopes = createEnvelopeCodec({ limits: defaultServerLimits.message, wallClockMs: () => 0 })
    const payloads = {
      $join: { topic: "lobby" },
      $leave: { topic: "lobby" },
      $publish: { topic: "lobby", event: "chatMessage", payload: { text: "x" } },
      $presence: { topic: "chat:a", state: { mood: "x" } },
    }
    for (const [type, payload] of Object.entries(payloads)) {
      const frame: Frame = { kind: "request", call: "command", type, payload, budgetMs: 0, reference: type }
      world.network.links[0]?.client.send({ bytes: envelopes.encode(frame) })
      await world.clock.advance(20)
      expect(world.server.stats().calls[type]?.failedByCode).toEqual({ not_available: 1 })
    }
    expect(world.server.stats()).toMatchObject({ topics: 0, topicJoins: 0, topicPublishes: 0 })
  })

  it("has no effect when it leaves without a membership", async () => {
    expect(await answers("$leave", { topic: "chat:b" }, { topic: "nothing" })).toEqual(["ok", "ok"])
  })

  it("joins once for any number of requests", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    world.server.topic("chat:a").publish("chatMessage", { text: "one" })
    const payload = { topic: "chat:a", state: { mood: "other" }, recent: 5 }
    const frame: Frame = {
      kind: "request",
      call: undefined,
      type: "$join",
      payload,
      budgetMs: 0,
      reference: 1,
    }
    world.network.links[0]?.client.send({ bytes: codec.encode(frame) })
    await world.clock.advance(200)
    expect(received).toEqual(["1 one"])
    expect(world.server.stats()).toMatchObject({ topicMembers: 1, topicJoins: 1 })
    expect([...ann.topic("chat:a").presence].map(({ state }) => state)).toEqual([{ mood: "other" }])
  })
})
