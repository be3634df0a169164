// Fault 2: cleanup goes through a second, empty registry, so the first one leaks or loses the wrong entry.
import { unwatched } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles } from "./harness.ts"

describe.each(profiles)("fault-02 in profile %s", (profile) => {
  it("removes a connection from all registries", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const [session] = world.server.local.sessions()
    if (session === undefined) throw new Error("no session")
    world.server.topic("room").subscribe(session)
    expect(world.server.stats()).toMatchObject({ sessions: 1, connections: 1, topics: 1 })
    client.close()
    await world.clock.settle()
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, topics: 0, timers: 0 })
    expect(world.server.local.sessions("ann")).toEqual([])
    world.server.topic("room").subscribe(session)
    expect(world.server.local.topic("room").size).toBe(0)
  })

  it("keeps the new connection when the old one of the same player ends later", async () => {
    const world = createWorld({ profile, limits: { sessionsPerUser: 1 }, latencyMs: 10 })
    const log: string[] = []
    world.server.onSession(({ session, replaces }) =>
      log.push(`open ${session.id} replaces ${replaces.map((s) => s.id).join()}`),
    )
    world.server.onSessionEnd(({ session, cause, successor }) =>
      log.push(`end ${session.id} ${cause} ${successor?.id ?? "-"}`),
    )
    const first = world.client()
    const firstOpen = first.connect()
    await world.clock.advance(100)
    await firstOpen
    const second = world.client()
    const secondOpen = second.connect()
    await world.clock.advance(100)
    await secondOpen
    expect(log).toEqual([
      "open session-1 replaces ",
      "end session-1 replaced session-2",
      "open session-2 replaces session-1",
    ])
    expect(first.current).toMatchObject({ state: "closed", error: { code: "replaced" } })
    const received: string[] = []
    second.on("note", ({ text }) => received.push(text))
    world.server.broadcast("note", { text: "to the new one" })
    const reply = second.command("echo", { text: "works" })
    await world.clock.advance(100)
    expect(await reply).toEqual({ text: "works" })
    expect(received).toEqual(["to the new one"])
    expect(world.server.stats()).toMatchObject({ sessions: 1, connections: 1 })
    // The replaced client is final: it never dials again.
    await world.clock.advance(120_000)
    expect(world.network.links).toHaveLength(2)
  })

  it("makes the old connection inert before it is closed", async () => {
    const world = createWorld({ profile, limits: { sessionsPerUser: 1 }, latencyMs: 10 })
    const first = world.client({ reconnect: false })
    void first.connect().catch(() => {})
    await world.clock.advance(100)
    // Its request is under way while the second login is being verified.
    const second = world.client()
    unwatched(second.connect())
    await world.clock.advance(20)
    const late = first.command("echo", { text: "from the old one" }).catch((error: unknown) => error)
    await world.clock.advance(100)
    expect(world.handled).toEqual([])
    expect(await late).toMatchObject({ code: "connection_lost" })
  })
})
