// `server.atomic` and atomic handlers on whole servers: records, publications and sends happen together or not at all.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { HawserError, defineContract, defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork, seededRandom } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { Server, Session } from "@hawser/server"
import { callHandler } from "@hawser/server/testing"
import type { SentEvent } from "@hawser/server/testing"
import { profile20 } from "@hawser/server/profile20"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const note = z.object({ text: z.string() })
const account = { gold: integer() }
const contract = defineContract({
  name: "bank",
  commands: {
    act: { input: z.object({ case: z.string() }), output: z.string() },
    raw: { input: z.object({ case: z.string() }), output: z.string() },
  },
  streams: { count: { input: z.object({}), item: z.number() } },
  events: { note: { payload: note }, gauge: { payload: note, delivery: "volatile", key: () => "one" } },
  replicas: {
    purses: defineReplica({ fields: account }),
    chests: defineReplica({
      fields: { ...account, x: integer(), y: integer() },
      area: { x: "x", y: "y", cellSize: 10 },
    }),
  },
  topics: {
    room: defineTopic({
      events: ["note", "gauge"],
      replicas: { things: defineReplica({ fields: { name: text() } }) },
    }),
  },
})
type TestContract = typeof contract
interface User {
  readonly id: string
}
type TestServer = Server<TestContract, User>
type Act = (server: TestServer, session: Session<User, TestContract>) => unknown

function newBank(cases: Readonly<Record<string, Act>> = {}) {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const server = createServer(contract, {
    authenticate: (id) => ({ id }),
    profile20: profile20(),
    clock,
    onError,
  })
  const run = async (name: string, session: Session<User, TestContract>): Promise<string> =>
    String(await cases[name]?.(server, session))
  const now = (name: string, session: Session<User, TestContract>): string =>
    String(cases[name]?.(server, session))
  server.command("act", ({ input, session }) =>
    input.case.startsWith("async") ? run(input.case, session) : now(input.case, session),
  )
  server.command("raw", { atomic: false }, ({ input, session }) => now(input.case, session))
  server.stream("count", () => [1, 2])
  server.topicKind("room", { canJoin: () => true })
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: (accepted) => server.accept(accepted) })
  const open = async (token: string): Promise<{ client: Client<TestContract>; heard: string[] }> => {
    const dial = { dial: network.dial, clock, random: seededRandom(1), onError }
    const client = createClient(contract, { url: "memory:", token, ...dial, autoConnect: false })
    const heard: string[] = []
    client.on("note", (payload) => void heard.push(payload.text))
    client.on("gauge", (payload) => void heard.push(`gauge ${payload.text}`))
    const connected = client.connect()
    await clock.advance(50)
    await connected
    return { client, heard }
  }
  const sessionOf = (id: string): Session<User, TestContract> => {
    const [session] = server.local.sessions(id)
    if (session === undefined) throw new Error(`no session of ${id}`)
    return session
  }
  return { clock, errors, server, open, sessionOf }
}

const fault = new Error("thrown")
function fail(): never {
  throw fault
}

describe("server.atomic", () => {
  it("returns the result, and publishes and sends in the order of the calls after the function", async () => {
    const { clock, errors, server, open, sessionOf } = newBank()
    const { client, heard } = await open("ann")
    const joined = client.topic("room:a").join()
    await clock.advance(20)
    await joined
    const result = server.atomic(() => {
      const payload = { text: "topic" }
      server.topic("room:a").publish("note", payload)
      payload.text = "changed later"
      expect(sessionOf("ann").send("note", { text: "send" })).toBe("held")
      server.broadcast("note", { text: "broadcast" })
      server.multicast([sessionOf("ann")], "note", { text: "multicast" })
      server.topic("room:a").publish("gauge", { text: "volatile" })
      return 7
    })
    expect(result).toBe(7)
    await clock.advance(20)
    expect(heard).toEqual(["topic", "send", "broadcast", "multicast", "gauge volatile"])
    expect(errors).toEqual([])
  })

  it("delivers publications of a topic with the payload of the call and consecutive offsets", async () => {
    const { clock, errors, server, open } = newBank()
    const { client } = await open("ann")
    const heard: string[] = []
    client.topic("room:a").on("note", (payload) => void heard.push(payload.text))
    const joined = client.topic("room:a").join()
    await clock.advance(20)
    await joined
    const publish = (words: string): void => {
      const payload = { text: words }
      server.topic("room:a").publish("note", payload)
      payload.text = "changed later"
    }
    server.atomic(() => publish("one"))
    expect(() =>
      server.atomic(() => {
        publish("never")
        fail()
      }),
    ).toThrow(fault)
    server.atomic(() => publish("two"))
    await clock.advance(20)
    expect(heard).toEqual(["one", "two"])
    expect(errors).toEqual([])
  })

  it("undoes and drops everything at a throw: records, publications, sends, ends, subscriptions, views", async () => {
    const { clock, errors, server, open, sessionOf } = newBank()
    const { client, heard } = await open("ann")
    const purses = server.replica("purses")
    const chests = server.replica("chests")
    const things = server.topic("room:b").replica("things")
    purses.set("ann", { gold: 5 })
    chests.set("c", { gold: 1, x: 5, y: 5 })
    things.set("t", { name: "lamp" })
    const before = purses.get("ann")
    expect(() =>
      server.atomic(() => {
        purses.patch("ann", { gold: 0 })
        purses.set("bob", { gold: 5 })
        chests.patch("c", { x: 25 })
        things.remove("t")
        expect(things.size).toBe(0)
        chests.view(sessionOf("ann"), { x: 5, y: 5 })
        server.topic("room:b").subscribe(sessionOf("ann"))
        server.topic("room:b").publish("note", { text: "never" })
        server.broadcast("note", { text: "never" })
        sessionOf("ann").send("note", { text: "never" })
        server.flush()
        sessionOf("ann").end()
        server.endSessions({ user: "ann" }).catch(fail)
        fail()
      }),
    ).toThrow(fault)
    await clock.advance(200)
    expect(purses.get("ann")).toBe(before)
    expect([...purses.ids()]).toEqual(["ann"])
    expect(chests.get("c")).toEqual({ gold: 1, x: 5, y: 5 })
    expect(things.get("t")).toEqual({ name: "lamp" })
    expect(server.local.topic("room:b").size).toBe(0)
    expect(sessionOf("ann").active).toBe(true)
    expect(heard).toEqual([])
    expect(client.replica("chests").size).toBe(0)
    expect(errors).toEqual([])
  })

  it("ends sessions, subscribes, moves and closes views at the end of the function", async () => {
    const { clock, errors, server, open, sessionOf } = newBank()
    const { client, heard } = await open("ann")
    const chests = server.replica("chests")
    chests.set("near", { gold: 1, x: 5, y: 5 })
    chests.set("far", { gold: 2, x: 55, y: 5 })
    const view = chests.view(sessionOf("ann"), { x: 5, y: 5 })
    await clock.advance(100)
    server.atomic(() => {
      server.topic("room:a").subscribe(sessionOf("ann"))
      server.topic("room:a").publish("note", { text: "to the subscriber" })
      view.moveTo({ x: 55, y: 5 })
      server.flush()
      expect(() => view.moveTo({ x: Number.NaN, y: 0 })).toThrow(RangeError)
    })
    expect(server.local.topic("room:a").size).toBe(1)
    await clock.advance(20)
    expect([...client.replica("chests")].map(([id]) => id)).toEqual(["far"])
    server.atomic(() => {
      view.close()
      sessionOf("ann").end()
      server.broadcast("note", { text: "after the end" })
      expect(sessionOf("ann").active).toBe(true)
    })
    expect(server.local.sessions("ann")).toEqual([])
    expect(heard).toEqual(["to the subscriber"])
    expect(errors).toEqual([])
  })

  it("shows nothing of a flush before the end, and nothing at all after a throw", async () => {
    const { clock, server, open, sessionOf } = newBank()
    const { client } = await open("ann")
    const purses = server.replica("purses")
    purses.set("p", { gold: 1 })
    purses.view(sessionOf("ann"))
    await clock.advance(100)
    const seen: unknown[] = []
    client.replica("purses").subscribe(({ events }) => seen.push(...events.map(({ record }) => record.gold)))
    const change = (gold: number): void => {
      purses.patch("p", { gold })
      server.flush()
      purses.patch("p", { gold: gold + 1 })
    }
    server.atomic(() => change(10))
    await clock.advance(100)
    expect(() =>
      server.atomic(() => {
        change(20)
        fail()
      }),
    ).toThrow(fault)
    await clock.advance(100)
    expect(seen).toEqual([11])
  })

  it("keeps what is around an inner function whose throw is caught", () => {
    const { server } = newBank()
    const purses = server.replica("purses")
    server.atomic(() => {
      purses.set("a", { gold: 1 })
      expect(() =>
        server.atomic(() => {
          purses.patch("a", { gold: 2 })
          purses.remove("a")
          fail()
        }),
      ).toThrow(fault)
      expect(purses.get("a")).toEqual({ gold: 1 })
      purses.set("b", { gold: 3 })
    })
    expect([...purses.entries()]).toEqual([
      ["a", { gold: 1 }],
      ["b", { gold: 3 }],
    ])
  })

  it("throws at the call for a payload that cannot be sent, and so undoes the rest", () => {
    const { server } = newBank()
    const purses = server.replica("purses")
    const wrong: { text: string } = Object.assign({ text: "" }, { text: 1 })
    const large = { text: "x".repeat(2 ** 21) }
    const publishes = [
      (): void => server.topic("room:a").publish("note", wrong),
      (): void => server.topic("room:a").publish("note", large),
      (): void => server.broadcast("note", wrong),
    ]
    for (const publish of publishes) {
      const run = (): void =>
        server.atomic(() => {
          purses.set("a", { gold: 1 })
          publish()
        })
      expect(run).toThrow(/"note"/u)
      expect(purses.size).toBe(0)
    }
  })

  it("refuses a promise, undoes its changes, and refuses a value that is no function", () => {
    const { server } = newBank()
    const purses = server.replica("purses")
    const late = async (): Promise<void> => {
      purses.set("a", { gold: 1 })
      await Promise.resolve()
    }
    expect(() => server.atomic((): unknown => late())).toThrow(/returned a promise/u)
    expect(purses.size).toBe(0)
    const untyped: { atomic(fn: unknown): unknown } = server
    expect(() => untyped.atomic(1)).toThrow(TypeError)
  })
})

const purse = (server: TestServer): number | undefined => server.replica("purses").get("p")?.gold
const pay: Act = (server, session) => {
  server.replica("purses").set("p", { gold: 9 })
  session.send("note", { text: "paid" })
}

describe("a handler that throws", () => {
  const cases: Readonly<Record<string, Act>> = {
    plain: (server, session) => {
      pay(server, session)
      return "done"
    },
    throws: (server, session) => {
      pay(server, session)
      fail()
    },
    answers: (server, session) => {
      pay(server, session)
      throw new HawserError("forbidden")
    },
    "async throws at once": async (server, session) => {
      pay(server, session)
      fail()
    },
    "async throws later": async (server, session) => {
      pay(server, session)
      await Promise.resolve()
      server.replica("purses").patch("p", { gold: 8 })
      fail()
    },
    "async with an atomic part": async (server, session) => {
      await Promise.resolve()
      server.atomic(() => {
        pay(server, session)
        fail()
      })
    },
  }
  const left: readonly [call: "act" | "raw", name: string, gold: number | undefined, heard: string[]][] = [
    ["act", "plain", 9, ["paid"]],
    ["act", "throws", undefined, []],
    ["act", "answers", undefined, []],
    ["raw", "throws", 9, ["paid"]],
    ["act", "async with an atomic part", undefined, []],
    ["act", "async throws later", 8, ["paid"]],
  ]
  for (const [call, name, gold, expected] of left) {
    it(`leaves ${gold ?? "nothing"} in a ${call === "raw" ? "not atomic " : ""}handler: ${name}`, async () => {
      const { clock, server, open } = newBank(cases)
      const { client, heard } = await open("ann")
      const outcome = client.command(call, { case: name }).then(
        () => "ok",
        (error: unknown) => (HawserError.is(error) ? error.code : "other"),
      )
      await clock.advance(50)
      const codes: Readonly<Record<string, string>> = { plain: "ok", answers: "forbidden" }
      expect(await outcome).toBe(codes[name] ?? "sys_internal_error")
      expect(purse(server)).toBe(gold)
      expect(heard).toEqual(expected)
    })
  }

  it("leaves nothing of an async function that threw before its first await", async () => {
    const { clock, server, open } = newBank()
    const { client, heard } = await open("ann")
    const direct = createServer(contract, { authenticate: (id: string) => ({ id }) })
    direct.command("act", async ({ session }) => {
      direct.replica("purses").set("p", { gold: 9 })
      session.send("note", { text: "paid" })
      if (direct.replica("purses").size > 0) fail()
      return await Promise.resolve("done")
    })
    const sent: SentEvent[] = []
    const call = callHandler(direct, "act", { user: { id: "ann" }, input: { case: "" }, sent })
    await expect(call).rejects.toThrow()
    expect(direct.replica("purses").size).toBe(0)
    expect(sent).toEqual([])
    await clock.advance(10)
    expect([client.current.state, heard, server.replica("purses").size]).toEqual(["open", [], 0])
  })
})

const clients = ["ann", "bob"] as const
const step = fc.record({
  from: fc.constantFrom("p0", "p1", "p2"),
  to: fc.constantFrom("c0", "c1", "c2"),
  gold: fc.integer({ min: 1, max: 9 }),
  move: fc.integer({ min: -30, max: 30 }),
  removes: fc.boolean(),
  throws: fc.boolean(),
  caught: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 7, 40),
})

describe("a bank of two replicas", () => {
  it("shows every viewer the same sum, whatever throws, and copies that equal its records", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { clock, errors, server, open, sessionOf } = newBank()
        const purses = server.replica("purses")
        const chests = server.replica("chests")
        for (const name of ["p0", "p1", "p2"]) purses.set(name, { gold: 100 })
        for (const name of ["c0", "c1", "c2"]) chests.set(name, { gold: 100, x: 0, y: 0 })
        const viewers: Client<TestContract>[] = []
        for (const name of clients) {
          const { client } = await open(name)
          viewers.push(client)
          purses.view(sessionOf(name))
          chests.view(sessionOf(name), { x: 0, y: 0 })
          chests.view(sessionOf(name), { x: 20, y: 0 })
          chests.view(sessionOf(name), { x: -20, y: 0 })
        }
        await clock.advance(100)
        const sumOf = (client: Client<TestContract>): number =>
          [...client.replica("purses")].reduce((sum, [, { gold }]) => sum + gold, 0) +
          [...client.replica("chests")].reduce((sum, [, { gold }]) => sum + gold, 0)
        for (const client of viewers) {
          const check = (): void => expect(sumOf(client)).toBe(600)
          check()
          // One frame has the changes of both replicas, and the listener of the last one sees all of them.
          client.replica("chests").subscribe(() => queueMicrotask(check))
        }
        for (const { from, to, gold, move, removes, throws, caught, waitMs } of steps) {
          const transfer = (): void => {
            const chest = chests.get(to)
            purses.patch(from, { gold: (purses.get(from)?.gold ?? 0) - gold })
            if (chest === undefined) fail()
            if (removes) chests.remove(to)
            chests.set(to, { ...chest, gold: chest.gold + gold, x: move })
            if (throws) fail()
          }
          try {
            server.atomic(() => {
              try {
                server.atomic(transfer)
              } catch (error) {
                if (!caught) throw error
              }
            })
          } catch (error) {
            expect(error).toBe(fault)
          }
          await clock.advance(waitMs)
        }
        await clock.advance(200)
        for (const client of viewers) {
          expect(new Map(client.replica("purses"))).toEqual(new Map(purses))
          expect(new Map(client.replica("chests"))).toEqual(new Map(chests))
          expect(sumOf(client)).toBe(600)
        }
        expect(errors).toEqual([])
      }),
      { numRuns: 40 },
    )
  })
})
