// Fault 10: correlation entries and timers leak.
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection } from "./harness.ts"

describe.each(profiles)("fault-10 in profile %s", (profile) => {
  it("leaves no pending entry and no timer after 100,000 requests of which half time out", async () => {
    // Clients of `2.0` have one order for all requests, and its 50 slow ones take 5 ms each.
    const roundMs = profile === "2.0" ? 300 : 20
    const world = createWorld({
      profile,
      order: "none",
      limits: {
        userMessagesPerSecond: 1e9,
        userMessageBurst: 1e9,
        userBytesPerSecond: 1e9,
        userByteBurst: 1e9,
        queriesAtOnce: 64,
        requestTimeoutMs: 5,
        handlerGraceMs: 1,
      },
    })
    const client = await openClient(world)
    const outcomes = { replied: 0, timedOut: 0 }
    for (let round = 0; round < 1_000; round++) {
      for (let index = 0; index < 50; index++) {
        client.command("echo", { text: "x" }).then(
          () => outcomes.replied++,
          () => {},
        )
        client.command("slow", { ms: 60_000 }, { timeoutMs: 5 }).then(
          () => {},
          (error: { code: string }) => error.code === "timeout" && outcomes.timedOut++,
        )
      }
      await world.clock.advance(roundMs)
    }
    await world.clock.advance(1_000)
    expect(outcomes).toEqual({ replied: 50_000, timedOut: 50_000 })
    expect(client.stats()).toMatchObject({ pending: 0, queued: 0 })
    client.close()
    await world.clock.settle()
    expect(client.stats().timers).toBe(0)
    expect(world.server.stats()).toMatchObject({ timers: 0, sessions: 0, connections: 0 })
  }, 120_000)

  it("removes an entry on reply, timeout, abort, refusal and close", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const idleTimers = client.stats().timers
    const controller = new AbortController()
    const aborted = rejection(client.command("slow", { ms: 9_000 }, { signal: controller.signal }))
    await world.clock.settle()
    controller.abort()
    expect((await aborted).code).toBe("cancelled")
    const done = client.command("echo", { text: "reply" })
    await world.clock.advance(20_000)
    await done
    const timedOut = rejection(client.command("never", {}, { timeoutMs: 50 }))
    await world.clock.advance(20_000)
    expect((await timedOut).code).toBe("timeout")
    const refused = rejection(client.command("fail", {}))
    await world.clock.settle()
    await refused
    // The last reply of `hawser.1` is acknowledged a moment later.
    await world.clock.advance(1_000)
    expect(client.stats()).toMatchObject({ pending: 0, timers: idleTimers })
    const closed = rejection(client.command("never", {}))
    client.close()
    expect((await closed).code).toBe("client_closed")
    expect(client.stats()).toMatchObject({ pending: 0, timers: 0 })
  })

  it("cancels a request that its caller aborts: the handler's signal aborts", async () => {
    const world = createWorld({ profile, server: {} })
    const client = await openClient(world)
    const controller = new AbortController()
    const aborted = rejection(client.command("slow", { ms: 9_000 }, { signal: controller.signal }))
    await world.clock.advance(10)
    controller.abort()
    await aborted
    const next = client.command("echo", { text: "next" })
    await world.clock.settle()
    // `2.0` has no CANCEL: there the slow handler continues and the next one waits for its turn.
    if (profile === "2.0") await world.clock.advance(20_000)
    expect(await next).toEqual({ text: "next" })
  })

  it("settles a handler that ignores its signal, so that it cannot block the session", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    const stuck = rejection(client.command("never", {}, { timeoutMs: 1_000 }))
    const next = client.command("echo", { text: "next" }, { timeoutMs: 60_000 })
    await world.clock.advance(1_000)
    expect((await stuck).code).toBe("timeout")
    await world.clock.advance(15_000)
    expect(await next).toEqual({ text: "next" })
  })
})
