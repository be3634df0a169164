// Middleware between both ends, and the samples of docs/middleware.md as printed.
import { createClient } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import { SimulatedClock, createMemoryNetwork } from "@hawser/protocol/testing"
import type { MiddlewareCall } from "@hawser/server"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "../faults/harness.ts"
import { createWorld as createTopicWorld, settled } from "../topics/harness.ts"
import { contract, createSampleServer, muted, timed, written } from "./middleware.samples.ts"

describe.each(profiles)("middleware of a server, in profile %s", (profile) => {
  it("runs once per executed call, after validation and limits, and not for a remembered outcome", async () => {
    const world = createWorld({ profile })
    const calls: string[] = []
    world.server.use(({ kind, name, input, session }, next) => {
      calls.push(`${kind} ${name} ${JSON.stringify(input)} ${session.user.id}`)
      return next()
    })
    const client = await openClient(world)
    const loose = (input: { readonly ok: true }) => client.command("limited", input)
    for (let count = 0; count < 2; count += 1) {
      const reply = client.command("echo", { text: "a" }, { key: "k" })
      await world.clock.settle()
      await reply
    }
    const replies = [1, 2, 3].map(() => loose({ ok: true }).catch((error: unknown) => error))
    const look = client.query("look", {})
    await world.clock.settle()
    expect((await Promise.all(replies))[2]).toMatchObject({ code: "rate_limited" })
    await look
    const limited = 'command limited {"ok":true} ann'
    const echo = 'command echo {"text":"a"} ann'
    // A request of `2.0` has no key.
    const echoes = profile === "2.0" ? [echo, echo] : [echo]
    expect(calls).toEqual([...echoes, limited, limited, "query look {} ann"])
  })

  it("may refuse, and a second next() is a fault of the server", async () => {
    const world = createWorld({ profile })
    world.server.use(({ name }, next) => {
      if (name === "echo") throw new HawserError("forbidden")
      return name === "limited" ? [next(), next()] : next()
    })
    const client = await openClient(world)
    const refused = rejection(client.command("echo", { text: "a" }))
    const twice = rejection(client.command("limited", { ok: true }))
    await world.clock.settle()
    expect([(await refused).code, (await twice).code]).toEqual(["forbidden", "sys_internal_error"])
    expect(world.handled).toEqual([])
    expect(world.serverErrors).toMatchObject([
      { cause: { message: 'middleware of the command "limited" called next() twice' } },
    ])
  })

  it("cannot be added after the first connection", async () => {
    const world = createWorld({ profile })
    await openClient(world)
    expect(() => world.server.use((_call, next) => next())).toThrow(TypeError)
    // A handler that is set later still runs behind the middleware of its own.
    const seen: MiddlewareCall<unknown>[] = []
    world.server.query("secret", { use: [(call, next) => (seen.push(call), next())] }, () => ({}))
    const client = await openClient(world, { token: "ben" })
    const reply = client.query("secret", {})
    await world.clock.settle()
    await reply
    expect(seen).toMatchObject([{ kind: "query", name: "secret", session: { user: { id: "ben" } } }])
  })
})

describe("middleware of topics", () => {
  it("surrounds joins and publications of clients, with a valid payload, and can refuse them", async () => {
    const world = createTopicWorld()
    const calls: unknown[] = []
    world.server.use(({ kind, name, input, session }, next) => {
      calls.push([kind, name, input])
      return session.user.isGuest ? undefined : next()
    })
    const ann = await world.open("ann")
    const guest = await world.open("guest ben")
    const room = ann.topic("chat:a")
    await settled(world, room.join({ state: { mood: "fine" } }))
    await settled(world, room.publish("chatMessage", { text: "hello" }))
    const refused = [
      guest
        .topic("lobby")
        .join()
        .catch((error: unknown) => error),
      guest
        .topic("lobby")
        .publish("chatMessage", { text: "no" })
        .catch((error: unknown) => error),
    ]
    await world.clock.advance(100)
    expect(await Promise.all(refused)).toMatchObject([{ code: "forbidden" }, { code: "forbidden" }])
    await settled(world, room.leave())
    expect(calls).toEqual([
      ["join", "chat", { topic: "chat:a", state: { mood: "fine" } }],
      ["publish", "chatMessage", { topic: "chat:a", payload: { text: "hello" } }],
      ["join", "lobby", { topic: "lobby", state: undefined }],
      ["publish", "chatMessage", { topic: "lobby", payload: { text: "no" } }],
    ])
    const { topicJoinsRefused, topicPublishesRefused } = world.server.stats()
    expect([topicJoinsRefused, topicPublishesRefused, world.errors]).toEqual([1, 1, []])
  })
})

it("sees the state of a join after its validation, without members that the schema removes", async () => {
  const world = createTopicWorld()
  const states: unknown[] = []
  world.server.use(({ input }, next) => (states.push(input), next()))
  const ann = await world.open("ann")
  const more = { mood: "fine", isAdmin: true }
  await settled(world, ann.topic("chat:a").join({ state: more }))
  expect(states).toEqual([{ topic: "chat:a", state: { mood: "fine" } }])
})

describe("docs/middleware.md", () => {
  const blocks = [...samples("docs/middleware.md").matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, text = ""]) => text,
  )
  const marked = [
    ...samples("tests/sessions/middleware.samples.ts").matchAll(
      /( *)\/\/ --- [a-z]+\n([\s\S]*?) *\/\/ --- end/g,
    ),
  ]

  it("prints the samples that run here, ten lines each", () => {
    const texts = marked.map(([, indent = "", text = ""]) =>
      text.replaceAll(`\n${indent}`, "\n").replace(indent, ""),
    )
    expect([...texts].sort()).toEqual([...blocks].sort())
    expect(blocks).toHaveLength(5)
    for (const block of blocks) expect(block.trimEnd().split("\n").length).toBeLessThanOrEqual(11)
  })

  it("has samples that check permissions, audit, measure and trace", async () => {
    const clock = new SimulatedClock()
    const server = createSampleServer({
      clock,
      authenticate: (id) => ({ id, role: id === "mod" ? "moderator" : "player" }),
    })
    const { dial } = createMemoryNetwork({ clock, latencyMs: 5, accept: server.accept })
    const open = async (token: string) => {
      const client = createClient(contract, { url: "memory:", token, clock, dial, autoConnect: false })
      const connected = client.connect()
      await clock.advance(100)
      await connected
      return client
    }
    const [mod, ann] = [await open("mod"), await open("ann")]
    const allowed = mod.command("mute", { user: "ann" })
    const refused = ann.command("mute", { user: "mod" }).catch((error: unknown) => error)
    const traced = ann.query("trace", {})
    const joined = ann.topic("chat").join()
    await clock.advance(100)
    await Promise.all([allowed, joined])
    expect(await refused).toMatchObject({ code: "forbidden", message: '"mute" is for moderators' })
    expect(await traced).toEqual({ call: "query trace", isNamed: true })
    expect(muted).toEqual(["ann"])
    expect(written).toEqual([
      { kind: "command", name: "mute", input: { user: "ann" }, user: "mod", outcome: "ok" },
      { kind: "command", name: "mute", input: { user: "mod" }, user: "ann", outcome: "forbidden" },
      { kind: "query", name: "trace", input: {}, user: "ann", outcome: "ok" },
      { kind: "join", name: "chat", input: { topic: "chat", state: undefined }, user: "ann", outcome: "ok" },
    ])
    expect(timed.toSorted()).toEqual([
      "command mute true",
      "command mute true",
      "join chat true",
      "query trace true",
    ])
  })
})

function samples(path: string): string {
  return readFileSync(join(import.meta.dirname, "../..", path), "utf8")
}
