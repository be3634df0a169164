// The order of a session's requests (docs/protocol.md: R3): commands one at a time, queries beside them.
import { createClient } from "@hawser/client"
import type { Client } from "@hawser/client"
import { defineContract, defineTopic } from "@hawser/protocol"
import type { Profile } from "@hawser/protocol/core"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import type { ServerOptions, ServerWarning } from "@hawser/server"
import { profile20 } from "@hawser/server/profile20"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { boundlessDials } from "../faults/harness.ts"
import { clientProfile } from "./client-profile.ts"

const work = { input: z.object({ name: z.string(), ms: z.number() }), output: z.object({}) }
const contract = defineContract({
  name: "lanes",
  commands: { write: work, report: work },
  queries: { read: work, peek: work },
  streams: { watch: { input: work.input, item: z.string() } },
  events: { note: { payload: z.object({}) } },
  topics: { room: defineTopic({ events: ["note"] }) },
})
type LanesContract = typeof contract

interface Options {
  readonly profile?: Profile
  readonly server?: Partial<ServerOptions<LanesContract, { readonly id: string }>>
}

/** A world whose handlers take the time that their input names. `log` has each start and end. */
async function openWorld({ profile = "hawser.1", server: changed = {} }: Options = {}) {
  const clock = new SimulatedClock()
  const log: string[] = []
  const warnings: ServerWarning[] = []
  const onWarning = (warning: ServerWarning): void => void warnings.push(warning)
  const authenticate = (id: string) => ({ id })
  const server = createServer(contract, {
    authenticate,
    clock,
    onWarning,
    profile20: profile20(),
    ...changed,
  })
  const handle = async ({ input }: { readonly input: { readonly name: string; readonly ms: number } }) => {
    log.push(input.name)
    await new Promise<void>((resolve) => clock.schedule(input.ms, resolve))
    log.push(`/${input.name}`)
    return {}
  }
  server.command("write", handle)
  server.command("report", { order: "none" }, handle)
  server.query("read", handle)
  server.query("peek", { order: "none" }, handle)
  server.stream("watch", async ({ input }) => {
    await handle({ input })
    return ["item"]
  })
  server.topicKind("room", { canJoin: () => log.push("join") > 0 })
  const network = createMemoryNetwork({ clock, latencyMs: 5, accept: server.accept })
  const client: Client<LanesContract> = createClient(contract, {
    url: "memory:",
    token: "ann",
    ...clientProfile(profile),
    clock,
    dial: network.dial,
    autoConnect: false,
    limits: boundlessDials,
  })
  const connected = client.connect()
  await clock.advance(100)
  await connected
  return { clock, log, warnings, server, client, network }
}

describe("the requests of one session", () => {
  it("runs commands while a slow query runs, also over a resume", async () => {
    const { clock, log, client, network } = await openWorld()
    const read = client.query("read", { name: "slow", ms: 5_000 })
    const first = client.command("write", { name: "a", ms: 10 })
    await clock.advance(100)
    await first
    network.links[0]?.cut()
    const second = client.command("write", { name: "b", ms: 10 })
    const joined = client.topic("room").join()
    await clock.advance(3_000)
    await Promise.all([second, joined])
    expect(log).toEqual(["slow", "a", "/a", "b", "/b", "join"])
    await clock.advance(3_000)
    await read
    expect(log).toEqual(["slow", "a", "/a", "b", "/b", "join", "/slow"])
    await clock.advance(3_000)
    expect(client.stats()).toMatchObject({
      pending: 0,
      bufferedMessages: 0,
      sessionsResumed: 1,
      sessionsReset: 0,
    })
  })

  it("runs a query after the commands that were sent before it", async () => {
    const { clock, log, client } = await openWorld()
    const calls = [
      client.command("write", { name: "a", ms: 100 }),
      client.command("write", { name: "b", ms: 100 }),
      client.query("read", { name: "read", ms: 10 }),
      client.command("write", { name: "c", ms: 100 }),
    ]
    const stream = client.stream("watch", { name: "watch", ms: 10 })[Symbol.asyncIterator]()
    const item = stream.next()
    await clock.advance(1_000)
    await Promise.all(calls)
    expect(await item).toMatchObject({ value: "item" })
    expect(log).toEqual(["a", "/a", "b", "/b", "read", "c", "/read", "/c", "watch", "/watch"])
  })

  it("runs queries and streams beside one another, `queriesAtOnce` at most", async () => {
    const { clock, log, client } = await openWorld({ server: { limits: { queriesAtOnce: 2 } } })
    const one = client.query("read", { name: "one", ms: 100 })
    const stream = client.stream("watch", { name: "watch", ms: 50 })[Symbol.asyncIterator]()
    const item = stream.next()
    const two = client.query("read", { name: "two", ms: 100 })
    await clock.advance(1_000)
    await Promise.all([one, two, item])
    expect(log).toEqual(["one", "watch", "/watch", "two", "/one", "/two"])
  })

  it("runs a call without an order at once, and lets no other request wait for it", async () => {
    const { clock, log, client } = await openWorld()
    const calls = [
      client.command("write", { name: "a", ms: 100 }),
      client.command("report", { name: "report", ms: 1_000 }),
      client.query("peek", { name: "peek", ms: 10 }),
      client.query("read", { name: "read", ms: 10 }),
      client.command("write", { name: "b", ms: 100 }),
    ]
    await clock.advance(2_000)
    await Promise.all(calls)
    expect(log).toEqual(["a", "report", "peek", "/peek", "/a", "read", "b", "/read", "/b", "/report"])
  })

  it("has one order for all requests in profile 2.0", async () => {
    const { clock, log, client } = await openWorld({ profile: "2.0" })
    const calls = [
      client.query("read", { name: "read", ms: 100 }),
      client.command("report", { name: "report", ms: 100 }),
      client.query("peek", { name: "peek", ms: 10 }),
    ]
    await clock.advance(1_000)
    await Promise.all(calls)
    expect(log).toEqual(["read", "/read", "report", "/report", "peek", "/peek"])
  })
})

describe("a command that holds up its session", () => {
  it("causes one warning per call and minute, which names `order`", async () => {
    const { clock, warnings, client } = await openWorld()
    const call = async (name: string, ms: number): Promise<void> => {
      const both = [client.command("write", { name, ms }), client.query("read", { name: "behind", ms: 1 })]
      await clock.advance(3_000)
      await Promise.all(both)
    }
    await call("slow", 2_000)
    await call("slow again", 2_000)
    expect(warnings).toEqual([
      {
        kind: "session_held_up",
        message:
          'the handler of "write" held up its session for 2000 ms while 1 request waited; make it faster, or set { order: "none" } if later requests need not wait for it',
      },
    ])
    await clock.advance(60_000)
    await call("much later", 2_000)
    expect(warnings).toHaveLength(2)
  })

  it("is a topic rule, too", async () => {
    const world = await openSlowRoom()
    const joined = world.client.topic("room").join()
    const write = world.client.command("write", {})
    await world.clock.advance(3_000)
    await Promise.all([joined, write])
    expect(world.warnings.map(({ message }) => message)).toEqual([
      'the topic rules that "$join" calls held up its session for 1500 ms while 1 request waited; make canJoin and canPublish faster',
    ])
  })
})

/** A server whose `canJoin` takes 1.5 s. */
async function openSlowRoom() {
  const clock = new SimulatedClock()
  const warnings: ServerWarning[] = []
  const rooms = defineContract({
    name: "rooms",
    commands: { write: { input: z.object({}), output: z.object({}) } },
    events: { note: { payload: z.object({}) } },
    topics: { room: defineTopic({ events: ["note"] }) },
  })
  const server = createServer(rooms, {
    authenticate: (id) => ({ id }),
    clock,
    onWarning: (warning) => void warnings.push(warning),
  })
  server.command("write", () => ({}))
  server.topicKind("room", {
    canJoin: () => new Promise((resolve) => clock.schedule(1_500, () => resolve(true))),
  })
  const { dial } = createMemoryNetwork({ clock, latencyMs: 5, accept: server.accept })
  const client = createClient(rooms, { url: "memory:", token: "ann", clock, dial, autoConnect: false })
  const connected = client.connect()
  await clock.advance(100)
  await connected
  return { clock, warnings, client }
}
