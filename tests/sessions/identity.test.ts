// The user of a client when connect() resolves: both real ends on a simulated clock, in either profile.
import type { SessionEvent } from "@hawser/client"
import { describe, expect, it } from "vitest"
import { connect, createWorld, openClient, profiles, rejection, watchStatus } from "../faults/harness.ts"
import type { World } from "../faults/harness.ts"

const users = (world: World): string[] => world.server.local.sessions().map(({ user }) => user.id)

/** A token function that the test resolves. */
function slowToken() {
  const answers: ((token: string) => void)[] = []
  return {
    token: () => new Promise<string>((resolve) => answers.push(resolve)),
    answer: (token: string): void => answers.shift()?.(token),
  }
}

describe.each(profiles)("another token in profile %s", (profile) => {
  it("surprise-A5 cancels the attempt with the previous one: its caller is rejected, and no session opens with it", async () => {
    const world = createWorld({ profile })
    const slow = slowToken()
    const client = world.client({ token: slow.token })
    const old = rejection(client.connect())
    await world.clock.settle()
    const connected = client.connect({ token: "new" })
    slow.answer("old")
    await world.clock.settle()
    await connected
    expect((await old).code).toBe("cancelled")
    expect(users(world)).toEqual(["new"])
    expect(world.server.stats().sessionsOpened).toBe(1)
  })

  it.each([
    ["dialling", 5],
    ["logging in", 15],
  ])("surprise-A5 cancels an attempt that is %s", async (_, afterMs) => {
    const world = createWorld({ profile, latencyMs: 10 })
    const client = world.client({ token: "old" })
    const old = rejection(client.connect())
    await world.clock.advance(afterMs)
    const connected = client.connect({ token: "new" })
    await world.clock.advance(100)
    await connected
    expect((await old).code).toBe("cancelled")
    expect(client.current.state).toBe("open")
    await world.clock.advance(200)
    expect(users(world)).toContain("new")
    expect(world.server.local.sessions("old").filter(({ attached }) => attached)).toEqual([])
  })

  it("surprise-A5 cancels a delayed attempt, and dials at once", async () => {
    const world = createWorld({ profile })
    world.network.listening = false
    const client = world.client({ token: "old" })
    const old = rejection(client.connect())
    await world.clock.advance(20_000)
    world.network.listening = true
    const connected = client.connect({ token: "new" })
    await world.clock.settle()
    await connected
    expect((await old).code).toBe("cancelled")
    expect(users(world)).toEqual(["new"])
  })

  it("surprise-A5 logs an open client in again: its session ends at both ends before connect() resolves", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world, { token: "old" })
    const events: SessionEvent[] = []
    client.onSession((event) => events.push(event))
    const statuses = watchStatus(client)
    const connected = client.connect({ token: "new" })
    expect(client.current.state).toBe("connecting")
    await world.clock.settle()
    await connected
    expect(users(world)).toEqual(["new"])
    expect(events).toMatchObject([{ kind: "reset", cause: "client_closed" }, { kind: "opened" }])
    expect(statuses.map(({ state }) => state)).toEqual(["connecting", "open"])
    expect(client.stats()).toMatchObject({ connectionsLost: 0, outages: 0, sessionsReset: 0 })
  })

  it("surprise-A5 lets no request of the previous user reach the session of the next one", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world, { token: "old" })
    const sent = rejection(client.command("never", {}, { timeoutMs: 60_000 }))
    await world.clock.settle()
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.settle()
    const waiting = rejection(client.command("echo", { text: "as old" }))
    const keyed = rejection(client.command("echo", { text: "as old, too" }, { key: "k" }))
    world.network.listening = true
    const connected = client.connect({ token: "new" })
    await world.clock.settle()
    await connected
    await world.clock.advance(1_000)
    expect(world.handled).toEqual([])
    expect((await waiting).code).toBe("client_closed")
    expect((await keyed).code).toBe("client_closed")
    expect((await sent).code).toBe(profile === "2.0" ? "connection_lost" : "client_closed")
    expect(client.stats()).toMatchObject({ pending: 0, queued: 0 })
  })

  it("changes nothing when it is the current text or function", async () => {
    const world = createWorld({ profile })
    const token = (): string => "ann"
    const client = await openClient(world, { token })
    const { sessionId } = client
    await client.connect({ token })
    await client.connect()
    expect(client.sessionId).toBe(sessionId)
    expect(world.network.links).toHaveLength(1)
    const text = await openClient(world, { token: "bob" })
    await text.connect({ token: "bob" })
    expect(world.network.links).toHaveLength(2)
  })

  it("resolves every caller with the same token", async () => {
    const world = createWorld({ profile })
    const client = world.client({ token: "old" })
    const callers = [client.connect({ token: "new" }), client.connect({ token: "new" }), client.connect()]
    await world.clock.settle()
    await Promise.all(callers)
    expect(users(world)).toEqual(["new"])
  })

  it("surprise-A5 resolves the last caller's promise alone when it changes again and again", async () => {
    const world = createWorld({ profile, latencyMs: 10 })
    const client = world.client({ token: "u0" })
    const cancelled: Promise<unknown>[] = []
    for (let user = 1; user < 8; user += 1) {
      cancelled.push(rejection(client.connect({ token: `u${user}` })))
      await world.clock.advance(user * 7)
      if (user % 2 === 0) cancelled.push(rejection(client.connect()))
    }
    const last = client.connect({ token: "last" })
    await world.clock.advance(100)
    await last
    for (const error of await Promise.allSettled(cancelled)) {
      // An attempt that was open before the next one started has resolved.
      if (error.status === "fulfilled") expect(error.value).toMatchObject({ code: "cancelled" })
    }
    await world.clock.advance(1_000)
    expect(
      world.server.local
        .sessions()
        .filter(({ attached }) => attached)
        .map(({ user }) => user.id),
    ).toEqual(["last"])
  })

  it("surprise-A5 is not cancelled by the abort of the call that it replaced", async () => {
    const world = createWorld({ profile })
    const client = world.client({ token: "old" })
    const [first, second] = [new AbortController(), new AbortController()]
    const old = rejection(client.connect({ token: "first", signal: first.signal }))
    const connected = client.connect({ token: "second", signal: second.signal })
    first.abort()
    await world.clock.settle()
    await connected
    expect((await old).code).toBe("cancelled")
    expect(users(world)).toEqual(["second"])
  })

  it("opens a closed client whose token had been refused", async () => {
    const world = createWorld({ profile })
    const client = world.client({ token: "bad" })
    const refused = rejection(client.connect())
    await world.clock.settle()
    expect((await refused).code).toBe("auth_token_invalid")
    const connected = client.connect({ token: "good" })
    await world.clock.settle()
    await connected
    expect(users(world)).toEqual(["good"])
    await connect(world, client)
  })
})
