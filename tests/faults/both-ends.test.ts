import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, watchStatus } from "./harness.ts"

describe.each(profiles)("profile %s", (profile) => {
  it("connects, sends a command and a query, and receives an event", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const received: string[] = []
    client.on("note", ({ text }) => received.push(text))
    const reply = client.command("echo", { text: "hello" })
    const seen = client.query("look", {})
    await world.clock.settle()
    expect(await reply).toEqual({ text: "hello" })
    expect(await seen).toEqual({ seen: 1 })
    world.server.broadcast("note", { text: "all" })
    await world.clock.settle()
    expect(received).toEqual(["all"])
    expect(world.serverErrors).toEqual([])
    expect(world.clientErrors).toEqual([])
  })

  it("sends a request that is made in the same task as the client", async () => {
    const world = createWorld({ profile })
    const client = world.client({ autoConnect: true })
    const reply = client.command("echo", { text: "early" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "early" })
  })

  it("goes through connecting when the token function throws at once", async () => {
    const world = createWorld({ profile })
    let asked = 0
    const client = world.client({
      token: () => {
        asked += 1
        if (asked === 1) throw new Error("no token yet")
        return "ann"
      },
    })
    const states = watchStatus(client)
    const connected = client.connect()
    await world.clock.advance(60_000)
    await connected
    expect(states.map(({ state }) => state)).toEqual(["connecting", "reconnecting", "reconnecting", "open"])
  })
})
