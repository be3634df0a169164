// Fault 7: async listeners are dropped by a synchronous emit, and their errors with them.
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"

describe.each(profiles)("fault-07 in profile %s", (profile) => {
  it("runs every listener, collects their errors, and continues", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const ran: string[] = []
    client.on("note", async () => {
      await Promise.resolve()
      ran.push("async")
    })
    client.on("note", () => {
      throw new Error("sync listener")
    })
    client.on("note", async () => {
      await Promise.resolve()
      throw new Error("async listener")
    })
    client.on("note", () => void ran.push("last"))
    world.server.broadcast("note", { text: "one" })
    world.server.broadcast("note", { text: "two" })
    await world.clock.settle()
    expect(ran.filter((name) => name === "async")).toHaveLength(2)
    expect(ran.filter((name) => name === "last")).toHaveLength(2)
    expect(world.clientErrors.map(String)).toEqual(
      expect.arrayContaining(["Error: sync listener", "Error: async listener"]),
    )
    expect(world.clientErrors).toHaveLength(4)
    expect(client.current.state).toBe("open")
  })

  it("answers an unexpected throw of a handler once, reports it once, and leaves the connection up", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const refused = rejection(client.command("fail", {}))
    const after = client.command("echo", { text: "after" })
    await world.clock.settle()
    expect(await refused).toMatchObject({ code: "sys_internal_error" })
    expect((await refused).message).not.toContain("a fault of the handler")
    expect(await after).toEqual({ text: "after" })
    expect(world.serverErrors).toHaveLength(1)
    expect(String(world.serverErrors[0])).toContain('handler of "fail"')
  })

  it("isolates hooks that throw", async () => {
    const world = createWorld({ profile })
    const seen: string[] = []
    world.server.onSession(() => {
      throw new Error("hook")
    })
    world.server.onSession(({ session }) => void seen.push(session.user.id))
    await openClient(world)
    expect(seen).toEqual(["ann"])
    expect(world.serverErrors.map(String)).toEqual(["Error: hook"])
  })
})
