// Clients in topics: rules of joining and publishing, delivery and its order, and the effects of lost connections and
// lost sessions.
import { unwatched } from "@hawser/protocol/testing"
import { HawserError } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { contract, createWorld, listen, sessionOf, settled } from "./harness.ts"
import type { TopicClient } from "./harness.ts"

const fine = { state: { mood: "fine" } }

describe("a topic", () => {
  it("delivers publications to its members, from the join on and until they leave", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const ben = await world.open("ben")
    const received = listen(ann, "chat:a")
    const everywhere: unknown[] = []
    ann.on("chatMessage", (payload, meta) => everywhere.push([payload, meta]))
    const room = ann.topic("chat:a")
    expect(ann.topic("chat:a")).toBe(room)
    world.server.topic("chat:a").publish("chatMessage", { text: "before" })
    expect(room.state).toBe("out")
    const joined = room.join(fine)
    expect(room.state).toBe("joining")
    expect(room.join(fine)).toBe(joined)
    expect(await settled(world, joined)).toBeUndefined()
    expect(room.state).toBe("in")
    expect(room.position).toMatchObject({ offset: 1 })
    world.server.topic("chat:a").publish("chatMessage", { text: "one" })
    world.server.topic("chat:b").publish("chatMessage", { text: "elsewhere" })
    await settled(world, ben.topic("chat:a").join(fine))
    const published = ben.topic("chat:a").publish("chatMessage", { text: "two" })
    expect(await settled(world, published)).toEqual({ offset: 3 })
    expect(received).toEqual(["2 one", "3 two"])
    const author = { user: "ben", member: ben.topic("chat:a").presence.self?.id }
    expect(everywhere).toEqual([
      [{ text: "one" }, { topic: "chat:a", offset: 2 }],
      [{ text: "two" }, { topic: "chat:a", offset: 3, author }],
    ])
    await settled(world, room.leave())
    world.server.topic("chat:a").publish("chatMessage", { text: "after" })
    await world.clock.advance(100)
    expect(received).toHaveLength(2)
    expect([room.state, world.server.local.topic("chat:a").size]).toEqual(["out", 1])
    expect(world.errors).toEqual([])
  })

  it("is read by iteration, in order, until it is left", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    await settled(world, room.join())
    const read: unknown[] = []
    const reading = (async () => {
      for await (const item of room) read.push(item.kind === "message" ? item.payload.text : item.gap)
      read.push("end")
    })()
    for (const text of ["one", "two"]) world.server.topic("lobby").publish("chatMessage", { text })
    await world.clock.advance(100)
    expect(read).toEqual(["one", "two"])
    await settled(world, room.leave())
    await reading
    expect(read).toEqual(["one", "two", "end"])
  })

  it("reports a gap to a reader that is too far behind, and keeps the newest", async () => {
    const world = createWorld({ limits: { sendBufferMaxCount: 4_000 } })
    const ann = await world.open("ann")
    const room = ann.topic("lobby")
    await settled(world, room.join())
    const reader = room[Symbol.asyncIterator]()
    for (let count = 1; count <= 1_100; count += 1)
      world.server.topic("lobby").publish("chatMessage", { text: `${count}` })
    await world.clock.advance(1_000)
    const { epoch } = room.position ?? {}
    expect((await reader.next()).value).toEqual({
      kind: "gap",
      gap: { topic: "lobby", epoch, from: 1, to: 77, reason: "overrun" },
    })
    expect((await reader.next()).value).toMatchObject({ kind: "message", meta: { offset: 78 } })
    await reader.return?.()
    expect(await reader.next()).toEqual({ value: undefined, done: true })
  })

  it("delivers volatile events to the room that they were published in, without a number", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const received: unknown[] = []
    const names = ["chat:a", "chat:b"] as const
    for (const name of names) {
      await settled(world, ann.topic(name).join(fine))
      ann.topic(name).on("typing", (payload, meta) => received.push([name, payload, meta]))
      ann.topic(name).on("cursor", ({ x }, meta) => received.push([name, x, meta]))
    }
    world.server.topic("chat:a").publish("typing", { user: "ben" })
    world.server.topic("chat:b").publish("cursor", { user: "ben", x: 3 })
    world.server.topic("chat:a").publish("chatMessage", { text: "first" })
    const published = ann.topic("chat:b").publish("typing", { user: "ann" })
    expect(await settled(world, published)).toEqual({ offset: undefined })
    const meta = (topic: string) => ({ topic, offset: undefined })
    const author = { user: "ann", member: ann.topic("chat:b").presence.self?.id }
    expect(received).toEqual([
      ["chat:a", { user: "ben" }, meta("chat:a")],
      ["chat:b", 3, meta("chat:b")],
      ["chat:b", { user: "ann" }, { ...meta("chat:b"), author }],
    ])
    expect(ann.topic("chat:a").position).toMatchObject({ offset: 1 })
  })

  it("uses no number for a publication that cannot be encoded", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    const topic = world.server.topic("chat:a")
    topic.publish("chatMessage", { text: "one" })
    const unsendable = { text: "cut \ud83d" }
    expect(() => topic.publish("chatMessage", unsendable)).toThrow()
    topic.publish("chatMessage", { text: "two" })
    await world.clock.advance(100)
    expect(received).toEqual(["1 one", "2 two"])
  })
})

describe("an application's own subscription", () => {
  it("delivers to a client without a join, and ends a join, too", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    const topic = world.server.topic("chat:a")
    topic.subscribe(sessionOf(world, "ann"))
    topic.publish("chatMessage", { text: "one" })
    await world.clock.advance(100)
    expect([received, ann.topic("chat:a").state]).toEqual([["1 one"], "out"])
    await settled(world, ann.topic("chat:a").join(fine))
    expect(world.server.local.topic("chat:a").size).toBe(1)
    topic.unsubscribe(sessionOf(world, "ann"))
    topic.publish("chatMessage", { text: "two" })
    await world.clock.advance(100)
    expect(received).toEqual(["1 one", "left forbidden"])
    expect([ann.topic("chat:a").state, world.server.local.topic("chat:a").size]).toEqual(["out", 0])
  })

  it("refuses a session of another server, and has no effect for one that has ended", async () => {
    const [world, other] = [createWorld(), createWorld()]
    const ann = await world.open("ann")
    const topic = other.server.topic("chat:a")
    const session = sessionOf(world, "ann")
    const uses = {
      subscribe: () => topic.subscribe(session),
      unsubscribe: () => topic.unsubscribe(session),
      exclude: () => topic.publish("chatMessage", { text: "one" }, { except: session }),
      "publish to": () => other.server.multicast([session], "chatMessage", { text: "one" }),
    }
    for (const [action, use] of Object.entries(uses))
      expect(use).toThrow(
        new TypeError(`cannot ${action} session ${session.id}: it belongs to another server`),
      )
    ann.close()
    await world.clock.advance(100)
    for (const use of Object.values(uses)) use()
    expect(other.server.local.topic("chat:a").size).toBe(0)
  })
})

describe("a client's access to topics", () => {
  const refusals = async (ask: (client: TopicClient) => Promise<unknown>, options = {}) => {
    const world = createWorld(options)
    const ann = await world.open("ann")
    const outcome = await settled(world, ask(ann))
    return { outcome, world, ann }
  }

  it("abuse-A46 is nothing in a kind without rules", async () => {
    const { outcome, world, ann } = await refusals((client) => client.topic("vault").join())
    expect(outcome).toBe("forbidden")
    const publishing = ann.topic("vault:gold").publish("chatMessage", { text: "x" })
    expect(await settled(world, publishing)).toBe("forbidden")
    expect(world.server.stats()).toMatchObject({
      topicJoins: 0,
      topicJoinsRefused: 1,
      topicPublishes: 0,
      topicPublishesRefused: 1,
      topics: 0,
    })
  })

  it.each([
    ["false", () => false, "forbidden"],
    ["a promise of false", async () => false, "forbidden"],
    [
      "a code of its own",
      () => {
        throw contract.error("banned_here")
      },
      "banned_here",
    ],
    [
      "a fault",
      async () => {
        throw new Error("the database is gone")
      },
      "sys_internal_error",
    ],
  ])("is refused by a hook that answers %s", async (_how, hook, code) => {
    const world = createWorld({ chat: { canJoin: hook, canPublish: hook } })
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    expect(await settled(world, room.join(fine))).toBe(code)
    expect(await settled(world, room.publish("chatMessage", { text: "x" }))).toBe(code)
    expect([room.state, world.server.local.topic("chat:a").size]).toEqual(["out", 0])
  })

  it("abuse-A46 is asked with the topic, the session, the validated payload and whether it is a member", async () => {
    const asked: unknown[] = []
    const world = createWorld({
      chat: {
        canJoin: async ({ topic, session }) => asked.push([topic, session.user.id]) > 0,
        canPublish({ topic, session, event, payload, isMember }) {
          asked.push([topic, session.user.id, event, payload, isMember])
          return true
        },
      },
    })
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    await settled(world, room.publish("chatMessage", { text: "x" }))
    await settled(world, room.join(fine))
    await settled(world, room.publish("typing", { user: "ann" }))
    expect(asked).toEqual([
      ["chat:a", "ann", "chatMessage", { text: "x" }, false],
      ["chat:a", "ann"],
      ["chat:a", "ann", "typing", { user: "ann" }, true],
    ])
  })

  it("says at a refused publication that the client has not joined", async () => {
    const world = createWorld({ chat: { canPublish: ({ isMember }) => isMember } })
    const ann = await world.open("ann")
    const refused = ann.topic("chat:a").publish("chatMessage", { text: "x" })
    refused.catch(() => {})
    await settled(world, refused)
    await expect(refused).rejects.toThrow('the client may not publish to "chat:a", which it has not joined')
  })

  it("is refused for a payload that does not fit the contract", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    const long = { text: "x".repeat(2_001) }
    expect(await settled(world, room.publish("chatMessage", long))).toBe("invalid_input")
    // @ts-expect-error 2345: the contract's event, but not of this kind
    await expect(room.publish("weather", { kind: "rain" })).rejects.toThrow(
      'the topic "chat:a" has no event "weather". Valid names: chatMessage',
    )
    // @ts-expect-error 2741: the mood is missing
    expect(await settled(world, room.join({ state: {} }))).toBe("invalid_input")
    // @ts-expect-error 2322: a lobby shows no states
    expect(await settled(world, ann.topic("lobby").join({ state: { mood: "x" } }))).toBe("invalid_input")
  })

  it("is refused for invalid names, by either end", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    for (const name of ["chat:a b", "chat:..", "weather", "chatter:a", "toString"] as const) {
      // @ts-expect-error 2345: some of these are no names of topics
      expect(() => ann.topic(name)).toThrow(TypeError)
    }
    expect(ann.topic("chat:").name).toBe("chat:")
  })

  it("is not available to clients of 2.0", async () => {
    const world = createWorld({ profile: "2.0" })
    const ann = await world.open("ann")
    expect(await settled(world, ann.topic("chat:a").join(fine))).toBe("not_available")
    const published = ann.topic("chat:a").publish("chatMessage", { text: "x" })
    expect(await settled(world, published)).toBe("not_available")
    expect(world.server.stats().requestsSettled).toBe(0)
    // The server's own subscription still delivers to it.
    const received: unknown[] = []
    ann.on("chatMessage", ({ text }) => received.push(text))
    world.server.topic("chat:a").subscribe(sessionOf(world, "ann"))
    world.server.topic("chat:a").publish("chatMessage", { text: "hello" })
    await world.clock.advance(100)
    expect(received).toEqual(["hello"])
  })

  it("cannot be defined twice, or for topics that the contract lacks", () => {
    const { server } = createWorld()
    expect(() => server.topicKind("chat", {})).toThrow('the rules of the topic "chat" are set already')
    // @ts-expect-error 2345: "vault"
    expect(() => server.topicKind("valt", {})).toThrow('the contract "topics" has no topic "valt"')
    expect(() => server.topicKind("vault", { history: { maxCount: 0 } })).toThrow(
      'history.maxCount of "vault" must be a number above 0, not 0',
    )
  })
})

describe("an abandoned join", () => {
  it("rejects, and leaves no membership at the server", async () => {
    const world = createWorld({ latencyMs: 20, chat: { canJoin: () => true } })
    const ann = await world.open("ann")
    const given = new AbortController()
    const room = ann.topic("chat:a")
    const joined = room.join({ ...fine, signal: given.signal })
    const outcome = settled(world, joined, 500)
    world.clock.schedule(30, () => given.abort())
    expect(await outcome).toBe("cancelled")
    expect([room.state, world.server.local.topic("chat:a").size]).toEqual(["out", 0])
    expect(await settled(world, room.join({ ...fine, signal: given.signal }))).toBe("cancelled")
    expect(await settled(world, room.join(fine), 500)).toBeUndefined()
    expect([room.state, world.server.local.topic("chat:a").size]).toEqual(["in", 1])
    expect(world.errors).toEqual([])
  })

  it("is undone when the server completes it after its timeout", async () => {
    const world = createWorld({ latencyMs: 60 })
    const ann = await world.open("ann", { limits: { requestTimeoutMs: 100 } })
    const outcome = settled(world, ann.topic("lobby").join(), 150)
    expect(await outcome).toBe("timeout")
    expect(world.server.local.topic("lobby").size).toBe(1)
    await world.clock.advance(200)
    expect([ann.topic("lobby").state, world.server.local.topic("lobby").size]).toEqual(["out", 0])
  })

  it("is cancelled at the server while a hook is still running", async () => {
    const world = createWorld({
      chat: { canJoin: () => new Promise((resolve) => world.clock.schedule(300, () => resolve(true))) },
    })
    const ann = await world.open("ann")
    const room = ann.topic("chat:a")
    const outcome = settled(world, room.join(fine), 1_000)
    world.clock.schedule(100, () => void room.leave())
    expect(await outcome).toBe("cancelled")
    expect(world.server.stats()).toMatchObject({ topics: 0, topicJoins: 0 })
  })
})

describe("a client that resumes its session", () => {
  it("surprise-C2 has no effect of publications, joins and states that timed out, and keeps its leaves", async () => {
    const world = createWorld()
    const ann = await world.open("ann", { limits: { requestTimeoutMs: 1_000 } })
    const ben = await world.open("ben")
    const received = listen(ben, "chat:a")
    for (const client of [ann, ben]) await settled(world, client.topic("chat:a").join(fine))
    await settled(world, ann.topic("lobby").join())
    world.network.links[0]?.blackHole()
    world.network.listening = false
    const room = ann.topic("chat:a")
    const dead = [
      room.publish("chatMessage", { text: "dead" }),
      room.setState({ mood: "dead" }),
      ann.topic("chat:b").join(fine),
      ann.topic("lobby").leave(),
      ann.topic("lobby").join(),
    ].map((wish: Promise<unknown>) => wish.catch((error: unknown) => HawserError.is(error) && error.code))
    await world.clock.advance(2_000)
    expect(await Promise.all(dead)).toEqual(dead.map(() => "timeout"))
    world.network.listening = true
    ann.cut()
    unwatched(ann.connect())
    await world.clock.advance(1_000)
    const shown = [...ben.topic("chat:a").presence].map(({ state }) => state)
    expect([received, shown]).toEqual([[], [fine.state, fine.state]])
    const sizes = (["chat:a", "chat:b", "lobby"] as const).map((name) => world.server.local.topic(name).size)
    expect([sizes, world.server.stats().requestsVoided, world.errors]).toEqual([[2, 0, 0], 3, []])
    expect(ann.topic("lobby").state).toBe("out")
    expect(await settled(world, ann.topic("lobby").join())).toBeUndefined()
    expect(ann.stats().pending).toBe(0)
  })

  const guests = {
    canJoin: ({ session }: { readonly session: { readonly user: { readonly isGuest: boolean } } }) =>
      !session.user.isGuest,
  }

  it("stays in, and gets missed publications by the session's own replay", async () => {
    const world = createWorld()
    const ann = await world.open("ann")
    const received = listen(ann, "lobby")
    await settled(world, ann.topic("lobby").join())
    world.network.links[0]?.cut()
    await world.clock.settle()
    world.server.topic("lobby").publish("chatMessage", { text: "away" })
    await world.clock.advance(5_000)
    expect(received).toEqual(["1 away"])
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 1, topicJoins: 1, topicReplays: 0 })
  })

  it("runs `canJoin` again, with its current user, and is removed on a refusal", async () => {
    const world = createWorld({ chat: guests })
    let token = "ann"
    const ann = await world.open("ann", { token: () => token })
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    await settled(world, ann.topic("lobby").join())
    token = "guest ann"
    world.network.links[0]?.cut()
    await world.clock.advance(5_000)
    expect(received).toEqual(["left forbidden"])
    expect([ann.topic("chat:a").state, ann.topic("lobby").state]).toEqual(["out", "in"])
    expect([world.server.local.topic("chat:a").size, world.server.local.topic("lobby").size]).toEqual([0, 1])
    expect(world.server.stats()).toMatchObject({ topicMembersPutOut: 1, topicMembers: 1 })
    expect([...ann.topic("chat:a").presence]).toEqual([])
  })

  it.each([
    ["removed when its fresh token does not allow the membership", "guest ann", ["left forbidden"]],
    ["kept when its fresh token allows the membership", "ann", []],
  ])("is %s", async (_, fresh, expected) => {
    const epochMs = 1_700_000_000_000
    let token = "ann"
    const world = createWorld({
      chat: guests,
      server: {
        wallClockMs: () => epochMs + world.clock.now(),
        authenticate: (shown) => ({
          id: "ann",
          isGuest: shown.startsWith("guest "),
          expiresAtMs: epochMs + world.clock.now() + 300_000,
        }),
      },
    })
    const ann = await world.open("ann", { token: () => token })
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    token = fresh
    await world.clock.advance(290_000)
    expect(received).toEqual(expected)
    expect(world.server.stats()).toMatchObject({ sessionsResumed: 0, topicMembers: 1 - expected.length })
  })

  it("is removed when `canJoin` fails", async () => {
    let isBroken = false
    const canJoin = async (): Promise<boolean> => {
      if (isBroken) throw new Error("the database is gone")
      return true
    }
    const world = createWorld({ chat: { canJoin } })
    const ann = await world.open("ann")
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    isBroken = true
    world.network.links[0]?.cut()
    await world.clock.advance(5_000)
    expect(received).toEqual(["left sys_internal_error"])
    expect(world.errors).toEqual([new Error("the database is gone")])
  })
})

describe("a client whose session has ended", () => {
  const brief = { resumeWindowMs: 100 }

  async function away(): Promise<{ world: ReturnType<typeof createWorld>; ann: TopicClient }> {
    const world = createWorld({ limits: brief })
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    return { world, ann }
  }

  it("joins again by itself, before its queued requests", async () => {
    const order: string[] = []
    const world = createWorld({
      limits: brief,
      chat: {
        canJoin: () => order.push("join") > 0,
        canPublish: ({ isMember }) => order.push("publish") > 0 && isMember,
      },
    })
    const ann = await world.open("ann", { reconnect: () => 1_000 })
    const received = listen(ann, "chat:a")
    await settled(world, ann.topic("chat:a").join(fine))
    world.network.links[0]?.cut()
    await world.clock.advance(200)
    const published = ann.topic("chat:a").publish("chatMessage", { text: "waited" })
    expect(await settled(world, published, 3_000)).toEqual({ offset: 1 })
    expect(order).toEqual(["join", "join", "publish"])
    expect(received).toEqual(["1 waited"])
    expect(ann.topic("chat:a").state).toBe("in")
  })

  it("gets the refusal of its rejoin, and tries again after a temporary one", async () => {
    let answer: () => boolean = () => true
    const world = createWorld({ limits: brief, chat: { canJoin: () => answer() } })
    const ann = await world.open("ann", { reconnect: () => 500 })
    const received = listen(ann, "chat:a")
    const room = ann.topic("chat:a")
    await settled(world, room.join(fine))
    let asked = 0
    answer = () => {
      asked += 1
      throw new HawserError("rate_limited", { retryAfterMs: 2_500 })
    }
    world.network.links[0]?.cut()
    await world.clock.advance(2_000)
    expect([room.state, received, asked]).toEqual(["rejoining", [], 1])
    answer = () => true
    await world.clock.advance(2_000)
    expect([room.state, received]).toEqual(["in", []])
    answer = () => false
    world.network.links.at(-1)?.cut()
    await world.clock.advance(5_000)
    expect([room.state, received]).toEqual(["out", ["left forbidden"]])
  })

  it("does not join topics again that it has left, nor after close", async () => {
    const { world, ann } = await away()
    for (const name of ["lobby", "lobby:b"] as const) await settled(world, ann.topic(name).join())
    const left: string[] = []
    ann.topic("lobby:b").onLeft(({ code }) => left.push(code))
    world.network.links[0]?.cut()
    await world.clock.advance(200)
    await settled(world, ann.topic("lobby").leave(), 5_000)
    expect([world.server.local.topic("lobby").size, world.server.local.topic("lobby:b").size]).toEqual([0, 1])
    ann.close()
    await world.clock.advance(1_000)
    expect([left, ann.topic("lobby:b").state]).toEqual([["client_closed"], "out"])
    const again = ann.connect()
    await world.clock.advance(1_000)
    await again
    expect(world.server.stats().topics).toBe(0)
  })
})
