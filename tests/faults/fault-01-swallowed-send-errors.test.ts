// Fault 1: a send that fails swallows its error, and the message loop goes on over a dead link.
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"

describe.each(profiles)("fault-01 in profile %s", (profile) => {
  it("tells the caller of send that the connection is dead, and cleans up once", async () => {
    const world = createWorld({ profile })
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    await openClient(world)
    const [session] = world.server.sessions()
    expect(session?.send("note", { text: "alive" })).toBe("sent")
    world.network.links[0]?.server.refuseSends()
    expect(session?.send("note", { text: "dead" })).toBe("ended")
    expect(session?.send("note", { text: "still dead" })).toBe("ended")
    await world.clock.settle()
    expect(ends).toEqual(["connection_lost"])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, sessionsEnded: 1 })
  })

  it("ends the loop once when the peer dies in mid-reply, and serves nobody's requests after it", async () => {
    const world = createWorld({ profile })
    const ends: string[] = []
    world.server.onSessionEnd(({ cause }) => ends.push(cause))
    const client = await openClient(world, { reconnect: false })
    const replies = ["a", "b", "c"].map((text) => rejection(client.command("echo", { text })))
    world.network.links[0]?.server.refuseSends()
    await world.clock.settle()
    // The first reply finds the dead link; the requests behind it are dropped with the session.
    expect(world.handled).toEqual(["a"])
    expect(ends).toEqual(["connection_lost"])
    for (const reply of replies)
      expect(["connection_lost", "reconnect_exhausted"]).toContain((await reply).code)
    expect(world.server.stats().sessions).toBe(0)
  })

  it("rejects the client's request when its socket died without telling", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world, { reconnect: false })
    world.network.links[0]?.client.refuseSends()
    const error = await rejection(client.command("echo", { text: "lost" }))
    expect(error.code).toBe("reconnect_exhausted")
    expect(client.stats().pending).toBe(0)
  })
})
