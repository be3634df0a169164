// Hooks of the application that follow a topic: `onPublish`, `onJoin` and `onLeave`.
import { HawserError, defaultServerLimits } from "@hawser/protocol"
import { TypeTable, createFrameCodec, reservedTypes } from "@hawser/protocol/core"
import { encodeSessionRecord, decodeSessionRecord, memoryStore } from "@hawser/server"
import type { StoreHost, TopicMember } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { createWorld, listen, sessionOf, settled } from "./harness.ts"
import type { World, WorldOptions } from "./harness.ts"

const fine = { state: { mood: "fine" } }
type Rules = NonNullable<WorldOptions["chat"]>

/** A world whose chat records its joins and leaves as short lines. */
function followed(more: Rules = {}, options: WorldOptions = {}) {
  const seen: string[] = []
  const world = createWorld({
    ...options,
    chat: {
      onJoin: ({ topic, member, session }) =>
        void seen.push(`${member.user} joined ${topic} ${member.state?.mood} ${session.user.id}`),
      onLeave: ({ topic, member, cause }) =>
        void seen.push(`${member.user} left ${topic} ${member.state?.mood} ${cause}`),
      ...more,
    },
  })
  return { world, seen }
}

async function publish(world: World, text: string, user = "ann"): Promise<unknown> {
  const client = await world.open(user)
  return await settled(world, client.topic("chat:a").publish("chatMessage", { text }))
}

describe("onPublish", () => {
  it("gets the publication, its session and its member, and may replace the payload", async () => {
    const asked: unknown[] = []
    const { world } = followed({
      onPublish({ topic, event, payload, session, member, isMember }) {
        asked.push([topic, event, payload, session.user.id, member, isMember])
        return event === "chatMessage" ? { text: payload.text.toUpperCase() } : undefined
      },
    })
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    const received = listen(ann, "chat:a")
    await settled(world, room.publish("chatMessage", { text: "hello" }))
    await settled(world, room.publish("typing", { user: "ann" }))
    await publish(world, "from outside", "ben")
    expect(received).toEqual(["1 HELLO", "2 FROM OUTSIDE"])
    const member: TopicMember = { id: room.presence.self?.id ?? 0, user: "ann", ...fine, away: false }
    expect(asked).toEqual([
      ["chat:a", "chatMessage", { text: "hello" }, "ann", member, true],
      ["chat:a", "typing", { user: "ann" }, "ann", member, true],
      ["chat:a", "chatMessage", { text: "from outside" }, "ben", undefined, false],
    ])
  })

  it.each(["onPublish", "canPublish"] as const)(
    "refuses the publication of a member that was removed while %s waited",
    async (hook) => {
      const waiting: (() => void)[] = []
      const later = () => new Promise<void>((resolve) => waiting.push(resolve))
      const { world } = followed({
        canPublish: ({ isMember }) => (hook === "canPublish" ? later().then(() => isMember) : isMember),
        onPublish: () => (hook === "onPublish" ? later() : undefined),
      })
      const [ann, ben] = [await world.open("ann"), await world.open("ben")]
      await settled(world, ann.topic("chat:a").join(fine))
      await settled(world, ben.topic("chat:a").join(fine))
      const received = listen(ben, "chat:a")
      const published = ann.topic("chat:a").publish("chatMessage", { text: "too late" })
      const outcome = published.catch((error: unknown) => error)
      await world.clock.advance(20)
      world.server.topic("chat:a").unsubscribe(sessionOf(world, "ann"))
      for (const proceed of waiting) proceed()
      await world.clock.advance(20)
      expect(await outcome).toMatchObject({ code: "forbidden" })
      expect(received).toEqual([])
    },
  )

  it.each(["onPublish", "canPublish", "middleware"] as const)(
    "publishes nothing after its caller has cancelled, and overtakes nothing, when %s has waited",
    async (place) => {
      const waiting: (() => void)[] = []
      const held = async (isHere: boolean): Promise<void> => {
        if (isHere && waiting.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      }
      const { world } = followed({
        canPublish: () => (place === "canPublish" ? held(true).then(() => true) : true),
        onPublish: () => (place === "onPublish" ? held(true) : undefined),
      })
      if (place === "middleware")
        world.server.use(async ({ kind }, next) => (await held(kind === "publish"), next()))
      const [ann, ben] = [await world.open("ann"), await world.open("ben")]
      await settled(world, ben.topic("chat:a").join(fine))
      const received = listen(ben, "chat:a")
      const abort = new AbortController()
      const room = ann.topic("chat:a")
      const first = room.publish("chatMessage", { text: "first" }, { signal: abort.signal })
      const outcome = first.catch((error: unknown) => error)
      await world.clock.advance(20)
      abort.abort()
      expect(await outcome).toMatchObject({ code: "cancelled" })
      await settled(world, room.publish("chatMessage", { text: "second" }), 20_000)
      for (const proceed of waiting) proceed()
      await world.clock.advance(200)
      expect(received).toEqual(["1 second"])
    },
  )

  it("is not called for publications of the server, nor for refused ones", async () => {
    let calls = 0
    const { world } = followed({ onPublish: () => void (calls += 1), canPublish: () => false })
    const received = listen(await world.open("ann"), "chat:a")
    world.server.topic("chat:a").publish("chatMessage", { text: "by the server" })
    expect(await publish(world, "refused", "ben")).toBe("forbidden")
    expect([calls, received]).toEqual([0, []])
  })

  it("refuses a publication with the code of its HawserError", async () => {
    const { world } = followed({
      onPublish() {
        throw new HawserError("rate_limited", { message: "wait" })
      },
    })
    expect(await publish(world, "hello")).toBe("rate_limited")
    expect(world.errors).toEqual([])
    expect(world.server.stats()).toMatchObject({ topicPublishes: 0, topicPublishesRefused: 1 })
  })

  it.each([
    ["throws", (): never => fail()],
    ["rejects", async (): Promise<never> => await Promise.reject(fail())],
    ["returns a payload that the contract refuses", () => ({ text: "x".repeat(3_000) })],
    ["returns a payload that cannot be encoded", () => ({ text: "half a pair: \ud800" })],
  ])(
    "reports another fault to onError, and its publisher gets sys_internal_error: it %s",
    async (_, onPublish) => {
      const { world } = followed({ onPublish })
      const received = listen(await world.open("ben"), "chat:a")
      expect(await publish(world, "hello")).toBe("sys_internal_error")
      expect(world.errors).toHaveLength(1)
      expect(received).toEqual([])
    },
  )

  it("keeps the order of one session's publications and requests while it is asynchronous", async () => {
    const order: string[] = []
    const { world } = followed({
      async onPublish({ event, payload }) {
        if (event !== "chatMessage" || payload.text !== "slow") return undefined
        order.push("asked")
        await new Promise<void>((resolve) => void world.clock.schedule(500, resolve))
        return { text: "slow, at last" }
      },
      onLeave: () => void order.push("left"),
    })
    const [ann, ben] = [await world.open("ann"), await world.open("ben")]
    await settled(world, ben.topic("chat:a").join(fine))
    await settled(world, ann.topic("chat:a").join(fine))
    const received = listen(ben, "chat:a")
    const room = ann.topic("chat:a")
    const all = [
      room.publish("chatMessage", { text: "slow" }),
      room.publish("chatMessage", { text: "quick" }),
      room.leave(),
    ]
    await world.clock.advance(100)
    expect([order, received]).toEqual([["asked"], []])
    await settled(world, Promise.all(all), 1_000)
    expect(received).toEqual(["1 slow, at last", "2 quick"])
    expect(order).toEqual(["asked", "left"])
  })
})

describe("onJoin and onLeave", () => {
  it("are called once per membership: not after a repeated join, a new state or a resume", async () => {
    const { world, seen } = followed()
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    await settled(world, room.join(fine))
    await settled(world, room.setState({ mood: "better" }))
    for (const link of world.network.links) link.cut()
    await world.clock.advance(5_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1 })
    await settled(world, room.leave())
    await settled(world, room.join(fine))
    expect(seen).toEqual([
      "ann joined chat:a fine ann",
      "ann left chat:a better left",
      "ann joined chat:a fine ann",
    ])
  })

  it("are not called for a $join of a session that is a member, which Hawser's client never sends", async () => {
    const { world, seen } = followed()
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine))
    const codec = createFrameCodec(new TypeTable(reservedTypes), defaultServerLimits.message)
    const payload = { topic: "chat:a", state: { mood: "other" } }
    const frame = {
      kind: "request",
      call: undefined,
      type: "$join",
      payload,
      budgetMs: 0,
      reference: 1,
    } as const
    world.network.links[0]?.client.send({ bytes: codec.encode(frame) })
    await world.clock.advance(100)
    expect(world.server.stats().calls["$join"]?.count).toBe(2)
    expect(seen).toEqual(["ann joined chat:a fine ann"])
  })

  it("name the cause of a leave: the client, the application, a refused check, or the end of the session", async () => {
    let isAllowed = true
    const { world, seen } = followed({ canJoin: () => isAllowed })
    const open = async (user: string) => {
      const client = await world.open(user)
      await settled(world, client.topic("chat:a").join(fine))
      return client
    }
    await open("ann")
    const session = sessionOf(world, "ann")
    world.server.topic("chat:a").unsubscribe(session)
    world.server.topic("chat:a").unsubscribe(session)
    await open("ben")
    isAllowed = false
    for (const link of world.network.links) link.cut()
    await world.clock.advance(5_000)
    isAllowed = true
    await open("cem")
    sessionOf(world, "cem").end()
    expect(seen.filter((line) => line.includes("left"))).toEqual([
      "ann left chat:a fine removed",
      "ben left chat:a fine removed",
      "cem left chat:a fine ended",
    ])
  })

  it("are called when the server closes, once for each member", async () => {
    const { world, seen } = followed()
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine))
    await settled(world, world.server.close(), 20_000)
    expect(seen).toEqual(["ann joined chat:a fine ann", "ann left chat:a fine ended"])
    ann.close()
  })

  it("are not called for a session that the application subscribed", async () => {
    const { world, seen } = followed()
    await world.open("ann")
    world.server.topic("chat:a").subscribe(sessionOf(world, "ann"))
    world.server.topic("chat:a").unsubscribe(sessionOf(world, "ann"))
    expect(seen).toEqual([])
  })

  it("may publish to the topic: the new member gets it after the history, the one that left does not", async () => {
    const world: World = createWorld({
      chat: {
        onJoin: ({ topic, member }) => tell(topic, `${member.user} joined`),
        onLeave: ({ topic, member }) => tell(topic, `${member.user} left`),
      },
    })
    const tell = (topic: string, text: string): void => {
      if (topic === "chat:a") world.server.topic("chat:a").publish("chatMessage", { text })
    }
    const [ann, ben] = [await world.open("ann"), await world.open("ben")]
    const [atAnn, atBen] = [listen(ann, "chat:a"), listen(ben, "chat:a")]
    await settled(world, ann.topic("chat:a").join(fine))
    await settled(world, ben.topic("chat:a").join({ ...fine, recent: 5 }))
    await settled(world, ben.topic("chat:a").leave())
    expect(atAnn).toEqual(["1 ann joined", "2 ben joined", "3 ben left"])
    expect(atBen).toEqual(["1 ann joined", "2 ben joined"])
  })

  it("report their faults to onError, and the join and the leave stand", async () => {
    const { world } = followed({ onJoin: () => fail(), onLeave: async () => await Promise.reject(fail()) })
    const ann = await world.open("ann")
    expect(await settled(world, ann.topic("chat:a").join(fine))).toBeUndefined()
    expect(await settled(world, ann.topic("chat:a").leave())).toBeUndefined()
    expect(world.errors).toEqual([new Error("fault of the test"), new Error("fault of the test")])
    expect(world.server.stats()).toMatchObject({ topicMembers: 0 })
  })

  it("are called in their order if the answer of a join ends the session", async () => {
    let isFull = true
    const { world, seen } = followed(
      {
        canJoin({ session }) {
          for (let count = 0; isFull && count < 4; count += 1) session.send("weather", { kind: "rain" })
          isFull = false
          return true
        },
      },
      { limits: { sendBufferMaxCount: 4 } },
    )
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine), 5_000)
    expect(seen).toEqual([
      "ann joined chat:a fine ann",
      "ann left chat:a fine ended",
      "ann joined chat:a fine ann",
    ])
    expect(world.server.stats().sessionsEndedByCause).toEqual({ session_overflow: 1 })
  })
})

/** A world whose sessions the test freezes. */
function freezer(rules: Rules = {}) {
  const hosts: StoreHost<{ readonly id: string; readonly isGuest: boolean }>[] = []
  const sessionStore = (host: (typeof hosts)[number]) => {
    hosts.push(host)
    return memoryStore(host)
  }
  const scene = followed(rules, { server: { resumeKey: new Uint8Array(32), sessionStore } })
  const freeze = (user: string): Uint8Array => {
    const record = hosts[0]?.freeze(sessionOf(scene.world, user).id)
    if (record === undefined) throw new Error("the session cannot be frozen")
    return encodeSessionRecord(record)
  }
  return { ...scene, freeze, thaw: (bytes: Uint8Array) => hosts.at(-1)?.thaw(decodeSessionRecord(bytes)) }
}

describe("the hooks of a frozen membership", () => {
  it("are not called when another server thaws it, which knows its state, nor when its first server closes", async () => {
    const members: unknown[] = []
    const { world, seen, freeze, thaw } = freezer({
      onPublish: ({ member }) => void members.push(member?.state),
    })
    const first = world.server
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine))
    const record = freeze("ann")
    world.restart()
    thaw(record)
    await world.clock.advance(5_000)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1, topicMembers: 1 })
    await settled(world, first.close(), 20_000)
    await settled(world, ann.topic("chat:a").publish("chatMessage", { text: "hello" }))
    await settled(world, ann.topic("chat:a").leave())
    expect(members).toEqual([fine.state])
    expect(seen).toEqual(["ann joined chat:a fine ann", "ann left chat:a fine left"])
  })

  it("report the end of its session if nothing thaws it within the window", async () => {
    const { world, seen, freeze } = freezer()
    const ann = await world.open("ann")
    await settled(world, ann.topic("chat:a").join(fine))
    world.network.listening = false
    freeze("ann")
    await world.clock.advance(121_000)
    expect(seen).toEqual(["ann joined chat:a fine ann", "ann left chat:a fine ended"])
    ann.close()
  })
})

function fail(): never {
  throw new Error("fault of the test")
}
