// Fault 6: two rate limiters and two correlation tables. Here there is one of each, owned by one module.
import type { Contract } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { connect, contract, createWorld, openClient, profiles, rejection } from "./harness.ts"

describe.each(profiles)("fault-06 in profile %s", (profile) => {
  it("abuse-A41 limits a type once per user, over all connections and reconnects", async () => {
    const world = createWorld({ profile })
    const first = await openClient(world)
    const second = await openClient(world)
    const done = [first.command("limited", { ok: true }), second.command("limited", { ok: true })]
    await world.clock.settle()
    await Promise.all(done)
    const refused = rejection(second.command("limited", { ok: true }))
    await world.clock.settle()
    expect(await refused).toMatchObject({ code: "rate_limited", retryAfterMs: 1000, category: "rate_limit" })
    first.close()
    second.close()
    const third = await openClient(world)
    const still = rejection(third.command("limited", { ok: true }))
    await world.clock.settle()
    expect((await still).code).toBe("rate_limited")
    await world.clock.advance(1000)
    const again = third.command("limited", { ok: true })
    await world.clock.settle()
    await again
    const other = await openClient(world, { token: "bob" })
    const free = other.command("limited", { ok: true })
    await world.clock.settle()
    await free
  })

  it("spends no permit on a malformed request", async () => {
    const world = createWorld({ profile })
    const untyped: Contract = contract
    const client = world.clientOf(untyped)
    await connect(world, client)
    for (let index = 0; index < 10; index++) {
      const refused = rejection(client.command("limited", { ok: false }))
      await world.clock.settle()
      expect(await refused).toMatchObject({ code: "invalid_input", category: "validation" })
    }
    const done = [client.command("limited", { ok: true }), client.command("limited", { ok: true })]
    await world.clock.settle()
    await Promise.all(done)
  })

  it("abuse-A31 gives each of two users the right reply to the same reference", async () => {
    const world = createWorld({ profile })
    const ann = await openClient(world)
    const bob = await openClient(world, { token: "bob" })
    const replies = [ann.command("echo", { text: "ann" }), bob.command("echo", { text: "bob" })]
    await world.clock.settle()
    expect(await Promise.all(replies)).toEqual([{ text: "ann" }, { text: "bob" }])
  })

  it("slows a flood down without losing a message", async () => {
    const world = createWorld({ profile, limits: { userMessagesPerSecond: 100, userMessageBurst: 20 } })
    const client = await openClient(world)
    const texts = Array.from({ length: 120 }, (_, index) => String(index))
    const replies = texts.map((text) => client.command("echo", { text }))
    await world.clock.settle()
    expect(world.handled.length).toBeLessThan(30)
    await world.clock.advance(2_000)
    await Promise.all(replies)
    expect(world.handled).toEqual(texts)
    expect(world.server.stats().throttledPauses).toBeGreaterThan(0)
  })

  it("closes a user who floods for longer than the bound", async () => {
    const world = createWorld({
      profile,
      limits: { userMessagesPerSecond: 10, userMessageBurst: 1, throttledMaxMs: 2_000 },
    })
    const client = await openClient(world, { reconnect: false })
    const errors = Array.from({ length: 60 }, (_, index) =>
      client.command("echo", { text: String(index) }).catch(() => "rejected"),
    )
    await world.clock.advance(10_000)
    expect(await Promise.all(errors)).toContain("rejected")
    expect(client.current).toMatchObject({ state: "closed" })
  })
})
