// Fault 8: messages between authentication and the start of the receiver are lost, or replayed after newer ones.
import { unwatched } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"
import { scriptedServer } from "./scripted-server.ts"

describe.each(profiles)("fault-08 in profile %s", (profile) => {
  it("delivers messages from before WELCOME after it, in order, and before any newer one", async () => {
    const world = createWorld({ profile })
    const server = scriptedServer(profile)
    const note = (text: string): void => server.send({ kind: "event", type: "note", payload: { text } })
    const client = world.client({ dial: server.dial })
    const log: string[] = []
    client.onStatus(({ state }) => log.push(state))
    client.on("note", ({ text }) => log.push(text))
    unwatched(client.connect())
    await world.clock.settle()
    server.open()
    note("early 1")
    note("early 2")
    expect(log).toEqual(["connecting"])
    server.welcome()
    note("live")
    await world.clock.settle()
    expect(log).toEqual(["connecting", "open", "early 1", "early 2", "live"])
  })

  it("receives messages that the server sends together with WELCOME", async () => {
    const world = createWorld({ profile })
    world.server.onSession(({ session }) => {
      for (const text of ["1", "2", "3"]) session.send("note", { text })
    })
    const client = world.client()
    const received: string[] = []
    client.on("note", ({ text }) => received.push(text))
    unwatched(client.connect())
    await world.clock.settle()
    expect(received).toEqual(["1", "2", "3"])
  })

  it("completes the login in spite of a slow or throwing listener", async () => {
    const world = createWorld({ profile })
    world.server.onSession(({ session }) => void session.send("note", { text: "welcome" }))
    const client = world.client()
    client.onStatus(() => {
      throw new Error("status listener")
    })
    client.on("note", () => new Promise(() => {}))
    client.on("note", () => {
      throw new Error("note listener")
    })
    const connected = client.connect()
    await world.clock.settle()
    await connected
    const reply = client.command("echo", { text: "fine" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "fine" })
  })

  it("sends all requests from before the open session, in order", async () => {
    const world = createWorld({ profile, latencyMs: 5 })
    const client = world.client()
    unwatched(client.connect())
    const texts = Array.from({ length: 500 }, (_, index) => String(index))
    const replies = texts.map((text) => client.command("echo", { text }))
    await world.clock.advance(9_000)
    await Promise.all(replies)
    expect(world.handled).toEqual(texts)
  })

  it("refuses only requests beyond the queue's bound", async () => {
    const world = createWorld({ profile })
    const client = world.client({ limits: { sendQueueMaxCount: 3 } })
    unwatched(client.connect())
    const replies = ["a", "b", "c"].map((text) => client.command("echo", { text }))
    expect((await rejection(client.command("echo", { text: "d" }))).code).toBe("buffer_full")
    await world.clock.settle()
    await Promise.all(replies)
    expect(world.handled).toEqual(["a", "b", "c"])
  })

  it("keeps the order of replies and of the events that handlers publish around them", async () => {
    const world = createWorld({ profile })
    const log: string[] = []
    const client = await openClient(world)
    world.server.onSession(() => {})
    client.on("note", ({ text }) => log.push(text))
    const replies = ["a", "b"].map((text) =>
      client.command("echo", { text }).then((reply) => log.push(reply.text)),
    )
    await world.clock.settle()
    await Promise.all(replies)
    expect(log).toEqual(["a", "b"])
  })
})
