// Results of an application's `authenticate`: a missing user, or one with an invalid expiry, is the server's fault, is
// reported, and never becomes a session.
import { describe, expect, it, vi } from "vitest"
import { createWorld, openClient, profiles } from "../faults/harness.ts"
import type { TestUser } from "../faults/harness.ts"

function containing(text: string): unknown {
  return expect.stringContaining(text)
}

const anything = (value: unknown): TestUser => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the test is about a value that the types forbid
  return value as TestUser
}

describe.each(profiles)("authenticate in profile %s", (profile) => {
  it.each([
    ["an expiry of NaN", { id: "ann", expiresAtMs: Number.NaN }, "expiresAtMs NaN"],
    ["an expiry above 2⁵³", { id: "ann", expiresAtMs: 2 ** 53 }, "expiresAtMs 9007199254740992"],
    ["an expiry of -Infinity", { id: "ann", expiresAtMs: -Infinity }, "expiresAtMs -Infinity"],
    ["an expiry that is a text", { id: "ann", expiresAtMs: "soon" }, "expiresAtMs string"],
    ["an expiry of null", { id: "ann", expiresAtMs: null }, "expiresAtMs object"],
    ["nothing", undefined, "returned nothing"],
    ["null", null, "returned nil"],
    ["a text", "ann", 'returned "ann"'],
    ["a user without an id", {}, "returned an object without `id`"],
    ["an id that is a number", { id: 7 }, "returned an object whose `id` is 7"],
    ["an empty id", { id: "" }, "returned an object whose `id` is an empty text"],
  ])("surprise-A4 that returns %s fails the log-in and is reported", async (_, user, sentence) => {
    const world = createWorld({ profile, server: { authenticate: () => anything(user) } })
    const client = world.client({ reconnect: false })
    const refused = client.connect().catch((error: unknown) => error)
    await world.clock.settle()
    expect(await refused).toMatchObject({
      cause: { code: profile === "2.0" ? "connection_lost" : "sys_internal_error" },
    })
    expect(world.serverErrors).toHaveLength(1)
    expect(world.serverErrors[0]).toBeInstanceOf(TypeError)
    expect(String(world.serverErrors[0])).toContain(sentence)
    expect(world.server.stats()).toMatchObject({ sessions: 0, sessionsOpened: 0, timers: 0 })
  })

  it.each([undefined, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])(
    "surprise-A4 may return the expiry %s",
    async (expiresAtMs) => {
      const user = anything({ id: "ann", ...(expiresAtMs === undefined ? {} : { expiresAtMs }) })
      const world = createWorld({ profile, server: { authenticate: () => user } })
      const client = await openClient(world)
      expect([client.current.state, world.serverErrors]).toEqual(["open", []])
    },
  )
})

describe("a renewal", () => {
  it("surprise-A4 with an invalid expiry closes the connection as the server's fault, and is reported", async () => {
    const expiries = [100_000, Number.NaN, 200_000_000]
    const world = createWorld({
      profile: "hawser.1",
      server: {
        wallClockMs: () => world.clock.now(),
        authenticate: () => ({ id: "ann", expiresAtMs: expiries.shift() ?? 0 }),
      },
    })
    let tokens = 0
    const client = await openClient(world, { token: () => `ann ${++tokens}` })
    await world.clock.advance(60_000)
    expect(world.serverErrors.map(String)).toEqual([containing("expiresAtMs NaN")])
    expect([client.current.state, client.stats().sessionsResumed]).toEqual(["open", 1])
  })
})

describe("onError of a server", () => {
  it("surprise-A4 may throw and reject: other users are not affected, and the console has both errors", async () => {
    for (const fail of [
      () => {
        throw new Error("a fault of the application")
      },
      () => Promise.reject(new Error("a fault of the application")),
    ]) {
      const shown: unknown[] = []
      const spy = vi
        .spyOn(console, "error")
        .mockImplementation((text) => shown.push(String(text).split("\n")[1]?.trim()))
      const world = createWorld({ profile: "hawser.1", server: { onError: fail } })
      world.server.onSession(() => {
        throw new Error("a fault of a hook")
      })
      const client = await openClient(world)
      const reply = client.command("echo", { text: "here" })
      await world.clock.settle()
      expect(await reply).toEqual({ text: "here" })
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
      spy.mockRestore()
      expect(shown).toEqual(["Error: a fault of a hook", "Error: a fault of the application"])
    }
  })
})
