// Fault 9: no reconnection, or one that forgets its token, nests, dials after close(), or ignores final codes.
import { unwatched } from "@hawser/protocol/testing"
import { exponential } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { boundlessDials, createWorld, openClient, profiles, rejection, watchStatus } from "./harness.ts"

describe.each(profiles)("fault-09 in profile %s", (profile) => {
  it("reconnects by itself after a cut, with the same user", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const statuses = watchStatus(client)
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    expect(statuses.map(({ state }) => state)).toEqual(["reconnecting", "reconnecting", "open"])
    const reply = client.command("echo", { text: "again" })
    await world.clock.settle()
    expect(await reply).toEqual({ text: "again" })
    expect(world.server.local.sessions("ann")).toHaveLength(1)
  })

  it("waits 1, 2, 4, 8, 16 s with the preset of the seed system, then gives up", async () => {
    const world = createWorld({ profile })
    const preset = exponential({ baseMs: 1000, factor: 2, maxMs: 16_000, attempts: 5, jitter: "none" })
    const client = await openClient(world, { reconnect: preset })
    const delays: number[] = []
    client.onStatus((status) => {
      if (status.state === "reconnecting" && status.waiting) delays.push(status.delayMs)
    })
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(60_000)
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000])
    expect(client.current).toMatchObject({ state: "closed", error: { code: "reconnect_exhausted" } })
    expect(world.network.links).toHaveLength(6)
    world.network.listening = true
    const connected = client.connect()
    await world.clock.settle()
    await connected
  })

  it("never dials again after close(), whatever state it was in", async () => {
    const world = createWorld({ profile })
    const open = await openClient(world)
    open.close()
    const waiting = await openClient(world, { token: "bob" })
    world.network.links[1]?.cut()
    await world.clock.settle()
    expect(waiting.current.state).toBe("reconnecting")
    waiting.close()
    const connecting = world.client({ token: "cyd" })
    const refused = rejection(connecting.connect())
    connecting.close()
    expect((await refused).code).toBe("client_closed")
    const dials = world.network.links.length
    await world.clock.advance(300_000)
    expect(world.network.links).toHaveLength(dials)
    for (const client of [open, waiting, connecting]) {
      expect(client.current).toMatchObject({ state: "closed", error: { code: "client_closed" } })
      expect(client.stats()).toMatchObject({ pending: 0, queued: 0, timers: 0 })
    }
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0, timers: 0 })
  })

  it("stops connecting when its signal aborts", async () => {
    const world = createWorld({ profile })
    world.network.listening = false
    const controller = new AbortController()
    const client = world.client()
    const refused = rejection(client.connect({ signal: controller.signal }))
    await world.clock.advance(3_000)
    controller.abort()
    expect((await refused).code).toBe("cancelled")
    expect(client.current).toMatchObject({ state: "closed", error: { code: "client_closed" } })
    expect(client.stats().timers).toBe(0)
  })

  it("sends the requests of the outage after the resume, in order", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    world.network.links[0]?.cut()
    await world.clock.settle()
    const replies = ["1", "2", "3"].map((text) => client.command("echo", { text }))
    await world.clock.advance(1_000)
    await Promise.all(replies)
    expect(world.handled).toEqual(["1", "2", "3"])
  })

  it("does not nest: one bad server that accepts and closes gets one dial per delay", async () => {
    const world = createWorld({
      profile,
      server: { authenticate: () => Promise.reject(new Error("store down")) },
    })
    const client = world.client({
      reconnect: exponential({ baseMs: 1000, factor: 1, jitter: "none" }),
      limits: boundlessDials,
    })
    void client.connect().catch(() => {})
    await world.clock.advance(10_500)
    expect(world.network.links).toHaveLength(11)
    expect(client.current).toMatchObject({ state: "reconnecting", attempt: 11 })
    client.close()
  })

  it("shows every change of status to an async iterator", async () => {
    const world = createWorld({ profile })
    const client = world.client()
    const states: string[] = []
    const reading = (async () => {
      for await (const { state } of client.status()) {
        states.push(state)
        if (state === "closed") break
      }
    })()
    unwatched(client.connect())
    await world.clock.settle()
    client.close()
    await reading
    expect(states).toEqual(["idle", "connecting", "open", "closed"])
  })
})

describe("fault-09 in profile 2.0, whose sessions end with their connection", () => {
  it("rejects with an unknown outcome when a sent request lost its connection", async () => {
    const world = createWorld({ profile: "2.0" })
    const client = await openClient(world)
    const lost = rejection(client.command("slow", { ms: 5_000 }))
    await world.clock.advance(100)
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    expect((await lost).code).toBe("connection_lost")
    expect(client.current.state).toBe("open")
    expect(client.stats().pending).toBe(0)
  })
})

describe("fault-09 in profile hawser.1, whose sessions outlive their connection", () => {
  it("resolves with the reply of a sent request that lost its connection, and sends it once", async () => {
    const world = createWorld({ profile: "hawser.1" })
    const client = await openClient(world)
    const slow = client.command("slow", { ms: 5_000 })
    const echoed = client.command("echo", { text: "after it" })
    await world.clock.advance(100)
    world.network.links[0]?.cut()
    await world.clock.advance(1_000)
    expect(client.current.state).toBe("open")
    expect(client.stats()).toMatchObject({ pending: 2, sessionsResumed: 1 })
    await world.clock.advance(5_000)
    expect(await slow).toEqual({ ms: 5_000 })
    expect(await echoed).toEqual({ text: "after it" })
    expect(world.handled).toEqual(["after it"])
    expect(world.server.stats()).toMatchObject({ sessionsOpened: 1, requestsSettled: 2 })
  })

  it("rejects with an unknown outcome when a sent request lost its session", async () => {
    const world = createWorld({ profile: "hawser.1", limits: { resumeWindowMs: 1_000 } })
    const client = await openClient(world)
    const lost = rejection(client.command("slow", { ms: 5_000 }))
    await world.clock.advance(100)
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(2_000)
    world.network.listening = true
    await world.clock.advance(30_000)
    expect(await lost).toMatchObject({ code: "connection_lost", cause: { code: "session_expired" } })
    expect(client.current.state).toBe("open")
    expect(client.stats()).toMatchObject({ pending: 0, sessionsReset: 1 })
  })
})
