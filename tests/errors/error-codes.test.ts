// Errors that no test of a fault causes, each from the outside: a client and a server, nothing in between.
import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { contract, createWorld, openClient, profiles, rejection, watchStatus } from "../faults/harness.ts"

describe.each(profiles)("errors in profile %s", (profile) => {
  it("answers with `forbidden` when a handler throws it", async () => {
    const world = createWorld({ profile })
    world.server.query("secret", () => {
      throw new HawserError("forbidden", { message: "only for the harbour master" })
    })
    const client = await openClient(world)
    const refused = rejection(client.query("secret", {}))
    await world.clock.settle()
    expect(await refused).toMatchObject({
      code: "forbidden",
      retry: "never",
      category: "permission",
      message: "only for the harbour master",
    })
  })

  it("ends a session with `forbidden` when the application does so, for good", async () => {
    const world = createWorld({ profile })
    const causes: string[] = []
    world.server.onSessionEnd(({ cause }) => causes.push(cause))
    const client = await openClient(world)
    world.server.local.sessions()[0]?.end()
    await world.clock.advance(120_000)
    expect(causes).toEqual(["forbidden"])
    expect(client.current).toMatchObject({
      state: "closed",
      // The close code of `2.0` cannot distinguish a forbidden account from a bad token; BYE carries the code.
      error: { code: profile === "2.0" ? "auth_token_invalid" : "forbidden" },
    })
    expect(world.network.links).toHaveLength(1)
  })

  it("refuses an account that may not connect with `auth_forbidden`, and the client does not dial again", async () => {
    const authenticate = (): never => {
      throw new HawserError("auth_forbidden", { message: "this account is banned" })
    }
    const world = createWorld({ profile, server: { authenticate } })
    const client = world.client()
    const refused = rejection(client.connect())
    await world.clock.advance(120_000)
    expect(await refused).toMatchObject({ code: "auth_forbidden", message: "this account is banned" })
    expect(world.network.links).toHaveLength(1)
  })

  it("refuses a log-in with a code of the application, and the client neither dials again nor asks for a token", async () => {
    const facts = { message: "no such account", category: "permission" } as const
    const authenticate = (): never => {
      throw contract.error("auth_player_not_found", facts)
    }
    const world = createWorld({ profile, server: { authenticate } })
    let tokens = 0
    const client = world.client({
      token: () => {
        tokens += 1
        return Promise.resolve("ann")
      },
    })
    const refused = rejection(client.connect())
    await world.clock.advance(120_000)
    expect(await refused).toMatchObject({ code: "auth_player_not_found", retry: "never", ...facts })
    expect(tokens).toBe(1)
    expect(world.network.links).toHaveLength(1)
  })

  it("refuses a log-in with an error of the contract: code and details reach the client", async () => {
    const authenticate = (): never => {
      throw contract.error("banned", { days: 3 }, { message: "banned for 3 days", category: "permission" })
    }
    const world = createWorld({ profile, server: { authenticate } })
    const client = world.client()
    const refused = rejection(client.connect())
    await world.clock.advance(120_000)
    const error = await refused
    // A client of `2.0` stops only for a code `auth_…`.
    if (profile === "2.0") return
    expect(contract.isError(error, "banned") && error.details.days).toBe(3)
    expect(error).toMatchObject({ message: "banned for 3 days" })
    expect(client.current).toMatchObject({ state: "closed", error: { code: "banned", details: { days: 3 } } })
    expect(world.network.links).toHaveLength(1)
  })

  it("rejects a request with an error of the contract and its details", async () => {
    const world = createWorld({ profile })
    world.server.query("secret", () => {
      throw contract.error("banned", { days: 3 })
    })
    const client = await openClient(world)
    const refused = rejection(client.query("secret", {}))
    await world.clock.advance(1_000)
    const error = await refused
    expect(contract.isError(error, "banned") && error.details.days).toBe(3)
    expect(error).toMatchObject({ code: "banned", retry: "never", category: "validation" })
  })

  it("refuses one session too many with `too_many_connections` where the oldest wins", async () => {
    const world = createWorld({
      profile,
      limits: { sessionsPerUser: 1 },
      server: { sessionPolicy: "oldestWins" },
    })
    const first = await openClient(world)
    const second = world.client()
    const connected = second.connect()
    await world.clock.settle()
    expect(second.current).toMatchObject({
      state: "reconnecting",
      // In `2.0` only errors with an `auth_*` code concern the login; any other end is a closed connection.
      error: { code: profile === "2.0" ? "connection_lost" : "too_many_connections" },
    })
    expect(first.current.state).toBe("open")
    first.close()
    await world.clock.advance(60_000)
    await connected
    expect(second.current.state).toBe("open")
  })

  it("rejects a ping with `client_closed` after close(), as every request", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    client.close()
    await expect(client.ping()).rejects.toMatchObject({ code: "client_closed" })
    await expect(client.command("echo", { text: "late" })).rejects.toMatchObject({ code: "client_closed" })
  })

  it("rejects with `not_connected` before the first connect() and after the client gave up", async () => {
    const world = createWorld({ profile })
    const client = world.client({ reconnect: false })
    const notConnected = { code: "not_connected", retry: "later" }
    await expect(client.command("echo", { text: "early" })).rejects.toMatchObject(notConnected)
    await expect(client.ping()).rejects.toMatchObject(notConnected)
    world.network.listening = false
    const gaveUp = rejection(client.connect())
    await world.clock.settle()
    expect((await gaveUp).code).toBe("reconnect_exhausted")
    await expect(client.command("echo", { text: "late" })).rejects.toMatchObject(notConnected)
    expect(world.handled).toEqual([])
  })

  it("tries again after `sys_service_unavailable` when the token function fails", async () => {
    const world = createWorld({ profile })
    const cause = new Error("the login server is down")
    let calls = 0
    const client = world.client({
      token: async () => {
        calls += 1
        if (calls === 1) throw cause
        return "ann"
      },
    })
    const statuses = watchStatus(client)
    const connected = client.connect()
    await world.clock.advance(60_000)
    await connected
    expect(statuses).toMatchObject([
      { state: "connecting" },
      { state: "reconnecting", waiting: true, error: { code: "sys_service_unavailable", cause } },
      { state: "reconnecting", waiting: false },
      { state: "open" },
    ])
  })

  it("ends a client's reconnection if the application ended its session with a code of its own", async () => {
    const world = createWorld({ profile })
    const client = await openClient(world)
    for (const session of world.server.local.sessions()) session.end("cheated", "we saw it")
    await world.clock.advance(60_000)
    expect(client.current.state).toBe("closed")
    expect(world.network.links).toHaveLength(1)
  })

  it("aborts running handlers with `session_ended` when their session ends", async () => {
    const world = createWorld({ profile })
    const reasons: unknown[] = []
    world.server.query("secret", ({ signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason))
      return new Promise(() => {})
    })
    const client = await openClient(world)
    const lost = rejection(client.query("secret", {}))
    await world.clock.settle()
    client.close()
    await world.clock.settle()
    expect(reasons).toMatchObject([{ code: "session_ended", retry: "later" }])
    expect((await lost).code).toBe("client_closed")
  })
})
