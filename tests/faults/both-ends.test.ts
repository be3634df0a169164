import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles } from "./harness.ts"

describe.each(profiles)("profile %s", (profile) => {
  it("connects, commands, queries, and hears an event", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const heard: string[] = []
    client.on("note", ({ text }) => heard.push(text))
    const reply = client.command("echo", { text: "hello" })
    const seen = client.query("look", {})
    await world.clock.settle()
    expect(await reply).toEqual({ text: "hello" })
    expect(await seen).toEqual({ seen: 1 })
    expect(world.server.broadcast("note", { text: "all" })).toBe(1)
    await world.clock.settle()
    expect(heard).toEqual(["all"])
    expect(world.serverErrors).toEqual([])
    expect(world.clientErrors).toEqual([])
  })
})
