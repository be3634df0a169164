// Fault 1: a send that fails swallows its error, and the message loop continues over a dead connection.
import type { Profile } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"
import type { World } from "./harness.ts"

describe.each(profiles)("fault-01 in profile %s", (profile) => {
  it("rejects the client's request when its socket died without a close", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world, { reconnect: false })
    world.network.links[0]?.client.refuseSends()
    const error = await rejection(client.command("echo", { text: "lost" }))
    expect(error.code).toBe("reconnect_exhausted")
    expect(client.stats().pending).toBe(0)
  })

  it("releases a dead connection once, at the first send that fails", async () => {
    const world = createWorld({ profile })
    await openClient(world, { reconnect: false })
    expect(world.server.stats().connections).toBe(1)
    world.network.links[0]?.server.refuseSends()
    world.server.broadcast("note", { text: "dead" })
    world.server.broadcast("note", { text: "still dead" })
    await world.clock.settle()
    expect(world.server.stats()).toMatchObject({ connections: 0, connectionsClosed: 1 })
  })
})

describe("fault-01 in profile 2.0, whose sessions end with their connection", () => {
  it("returns a dead connection to the caller of send, and cleans up once", async () => {
    const { world, ends } = watchedWorld("2.0")
    await openClient(world)
    const [session] = world.server.local.sessions()
    expect(session?.send("note", { text: "alive" })).toBe("sent")
    world.network.links[0]?.server.refuseSends()
    expect(session?.send("note", { text: "dead" })).toBe("ended")
    expect(session?.send("note", { text: "still dead" })).toBe("ended")
    await world.clock.settle()
    expect(ends).toEqual(["connection_lost"])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, sessionsEnded: 1 })
  })

  it("ends the loop once when the peer dies during a reply, and runs no request after it", async () => {
    const { world, ends } = watchedWorld("2.0")
    const client = await openClient(world, { reconnect: false })
    const replies = ["a", "b", "c"].map((text) => rejection(client.command("echo", { text })))
    world.network.links[0]?.server.refuseSends()
    await world.clock.settle()
    // The first reply finds the dead connection; the requests behind it are dropped with the session.
    expect(world.handled).toEqual(["a"])
    expect(ends).toEqual(["connection_lost"])
    for (const reply of replies)
      expect(["connection_lost", "reconnect_exhausted"]).toContain((await reply).code)
    expect(world.server.stats().sessions).toBe(0)
  })
})

describe("fault-01 in profile hawser.1, whose sessions outlive their connection", () => {
  it("returns `buffered` to the caller of send, and the client gets the message later", async () => {
    const { world, ends, attachments } = watchedWorld("hawser.1")
    const client = await openClient(world)
    const received: string[] = []
    client.on("note", ({ text }) => received.push(text))
    const [session] = world.server.local.sessions()
    expect(session?.send("note", { text: "alive" })).toBe("sent")
    world.network.links[0]?.server.refuseSends()
    expect(session?.send("note", { text: "kept" })).toBe("buffered")
    expect(session?.attached).toBe(false)
    expect(session?.send("note", { text: "kept too" })).toBe("buffered")
    expect(session?.send("where", { who: "ann", x: 1 })).toBe("conflated")
    await world.clock.advance(1_000)
    expect(received).toEqual(["alive", "kept", "kept too"])
    expect(attachments).toEqual([false, true])
    expect(ends).toEqual([])
    expect(world.server.stats()).toMatchObject({ sessions: 1, connections: 1, sessionsDetached: 1 })
  })

  it("notices a dead connection by a volatile message as well, also by the only message", async () => {
    const { world, attachments } = watchedWorld("hawser.1")
    await openClient(world)
    const [session] = world.server.local.sessions()
    world.network.links[0]?.server.refuseSends()
    expect(session?.send("where", { who: "ann", x: 1 })).toBe("conflated")
    expect(session?.attached).toBe(false)
    await world.clock.advance(1_000)
    expect(attachments).toEqual([false, true])
  })

  it("detaches at once when the peer dies during a reply, and answers each request once on the next", async () => {
    const { world, ends, attachments } = watchedWorld("hawser.1")
    const client = await openClient(world)
    const replies = ["a", "b", "c"].map((text) => client.command("echo", { text }))
    world.network.links[0]?.server.refuseSends()
    const sent = world.network.links[0]?.server.sent.length
    await world.clock.advance(1_000)
    expect(await Promise.all(replies)).toEqual([{ text: "a" }, { text: "b" }, { text: "c" }])
    expect(world.handled).toEqual(["a", "b", "c"])
    expect(world.network.links[0]?.server.sent).toHaveLength(sent ?? -1)
    expect(attachments).toEqual([false, true])
    expect(ends).toEqual([])
  })

  it("ends the session once when its client does not return, and keeps nothing of it", async () => {
    const { world, ends } = watchedWorld("hawser.1")
    const client = await openClient(world, { reconnect: false })
    const replies = ["a", "b"].map((text) => rejection(client.command("echo", { text })))
    world.network.links[0]?.server.refuseSends()
    await world.clock.advance(120_000)
    for (const reply of replies) expect((await reply).code).toBe("connection_lost")
    expect(ends).toEqual(["session_expired"])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, timers: 0, sessionsEnded: 1 })
  })
})

/** A world that records its sessions' ends, and when they are detached and attached. */
function watchedWorld(profile: Profile): { world: World; ends: string[]; attachments: boolean[] } {
  const world = createWorld({ profile })
  const ends: string[] = []
  const attachments: boolean[] = []
  world.server.onSessionEnd(({ cause }) => ends.push(cause))
  world.server.onAttachment(({ attached }) => attachments.push(attached))
  return { world, ends, attachments }
}
