// A client without features: their methods do not exist, and frames of them do no harm.
import { createClient, replicas, streams, topics } from "@hawser/client/core"
import { integer } from "@hawser/client"
import { defineContract, defineReplica, defineTopic } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const contract = defineContract({
  name: "features",
  commands: { echo: { input: z.string(), output: z.string() } },
  streams: { count: { input: z.number(), item: z.number() } },
  events: { said: { payload: z.string() } },
  topics: { chat: defineTopic({ events: ["said"] }) },
  replicas: { scores: defineReplica({ fields: { points: integer() } }) },
})

function setUp() {
  const clock = new SimulatedClock()
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const server = createServer(contract, { authenticate: (id) => ({ id }), clock, onError })
  server.command("echo", ({ input }) => input)
  server.stream("count", async function* ({ input }) {
    for (let item = 1; item <= input; item += 1) yield await Promise.resolve(item)
  })
  server.topicKind("chat", { canJoin: () => true, canPublish: () => true, history: {} })
  const scores = server.replica("scores")
  scores.set("ann", { points: 1 })
  server.onSession(({ session }) => {
    scores.view(session)
    server.topic("chat:all").subscribe(session)
  })
  const network = createMemoryNetwork({ clock, latencyMs: 1, accept: server.accept })
  const options = { url: "memory:", token: "ann", clock, dial: network.dial, autoConnect: false, onError }
  return { clock, errors, server, options: { ...options, reconnect: () => 100 } }
}

describe("a client of @hawser/client/core", () => {
  it("has no method of a feature that it does not use", () => {
    const { options } = setUp()
    const bare = createClient(contract, options)
    expect(Object.keys(bare).filter((name) => ["topic", "replica", "stream"].includes(name))).toEqual([])
    const chatting = createClient(contract, { ...options, use: [topics()] })
    expect(["topic", "replica", "stream"].map((name) => name in chatting)).toEqual([true, false, false])
  })

  it("ignores replicas and members without these features, calls, hears events, and resumes", async () => {
    const { clock, errors, server, options } = setUp()
    const client = createClient(contract, options)
    const heard: string[] = []
    client.on("said", (text) => heard.push(text))
    const connected = client.connect()
    await clock.advance(500)
    await connected
    server.topic("chat:all").publish("said", "one")
    client.cut()
    server.topic("chat:all").publish("said", "two")
    await clock.advance(500)
    server.replica("scores").patch("ann", { points: 2 })
    const echoed = client.command("echo", "back")
    await clock.advance(500)
    expect([await echoed, heard]).toEqual(["back", ["one", "two"]])
    expect(client.stats()).toMatchObject({ sessionsResumed: 1, sessionsReset: 0, streams: 0 })
    expect([client.current, client.stores.status.snapshot(), errors]).toEqual([
      { state: "open" },
      { state: "open" },
      [],
    ])
  })

  it("has each feature that it uses", async () => {
    const { clock, errors, server, options } = setUp()
    const client = createClient(contract, { ...options, use: [topics(), replicas(), streams()] })
    const connected = client.connect()
    await clock.advance(500)
    await connected
    const items: number[] = []
    const counted = (async () => {
      for await (const item of client.stream("count", 2)) items.push(item)
    })()
    const log = client.topic("chat:all").log()
    const joined = client.topic("chat:all").join()
    await clock.advance(500)
    await Promise.all([counted, joined])
    server.topic("chat:all").publish("said", "one")
    await clock.advance(500)
    expect(items).toEqual([1, 2])
    expect(log.snapshot()).toMatchObject([{ event: "said", payload: "one" }])
    expect([...client.replica("scores")]).toEqual([["ann", { points: 1 }]])
    expect(errors).toEqual([])
  })

  it("refuses what is no feature, in words", () => {
    const { options } = setUp()
    const untyped: object = { ...options, use: ["topics"] }
    const create = (): unknown => Reflect.apply(createClient, undefined, [contract, untyped])
    expect(create).toThrow(
      "use contains a string, which is no feature: pass topics(), replicas(), streams() or firefoxDials()",
    )
  })
})
