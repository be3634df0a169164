// Fault 4: any first answer counts as "authenticated".
import { closeCode } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, openClient, profiles, rejection, watchStatus } from "./harness.ts"
import { scriptedServer } from "./scripted-server.ts"

describe.each(profiles)("fault-04 in profile %s", (profile) => {
  it("abuse-A7 stays undecided on every message but WELCOME", async () => {
    const world = createWorld({ profile })
    const server = scriptedServer(profile)
    const client = world.client({ dial: server.dial })
    const connected = client.connect()
    await world.clock.settle()
    server.open()
    server.send({ kind: "event", type: "note", payload: { text: "early" } })
    server.send({
      kind: "reply",
      reference: profile === "2.0" ? "1" : 1,
      outcome: { ok: true, payload: {} },
    })
    const error = {
      code: "move_rate_limited",
      message: "not about the login",
      category: "rate_limit" as const,
    }
    server.send({ kind: "reply", reference: profile === "2.0" ? null : 1, outcome: { ok: false, error } })
    await world.clock.settle()
    expect(client.current.state).toBe("connecting")
    server.welcome()
    await connected
    expect(client.current.state).toBe("open")
  })

  it("fails at once when the socket closes during the login", async () => {
    const world = createWorld({ profile })
    const server = scriptedServer(profile)
    const refused = rejection(world.client({ dial: server.dial, reconnect: false }).connect())
    await world.clock.settle()
    server.open()
    server.close(closeCode.abnormal)
    expect((await refused).code).toBe("reconnect_exhausted")
    expect(world.clock.now()).toBe(0)
  })

  it("fails when no WELCOME comes in time", async () => {
    const world = createWorld({ profile })
    const server = scriptedServer(profile)
    const refused = rejection(world.client({ dial: server.dial, reconnect: false }).connect())
    await world.clock.settle()
    server.open()
    await world.clock.advance(8_000)
    const error = await refused
    expect(error.message).toContain("no WELCOME in time")
    expect(error.cause).toMatchObject({ code: "connection_timeout" })
  })

  it("makes one attempt for one bad token, and works again with a new one", async () => {
    const world = createWorld({ profile })
    const client = world.client({ token: "bad" })
    const refused = rejection(client.connect())
    await world.clock.settle()
    expect((await refused).code).toBe("auth_token_invalid")
    await world.clock.advance(120_000)
    expect(world.network.links).toHaveLength(1)
    expect(world.server.stats()).toMatchObject({ handshakesRefused: 1, sessionsOpened: 0 })
    const connected = client.connect({ token: "ann" })
    await world.clock.settle()
    await connected
    expect(client.current.state).toBe("open")
  })

  it("calls the token function once more after a refusal, with the reason", async () => {
    const world = createWorld({ profile })
    const asked: (string | undefined)[] = []
    const client = await openClient(world, {
      token: ({ refused }) => {
        asked.push(refused?.code)
        return refused === undefined ? "bad and old" : "ann"
      },
    })
    expect(asked).toEqual([undefined, "auth_token_invalid"])
    expect(client.current.state).toBe("open")
  })

  it("keeps the token after a failed attempt", async () => {
    const world = createWorld({ profile })
    world.network.listening = false
    const client = world.client()
    const statuses = watchStatus(client)
    const connected = client.connect()
    await world.clock.advance(2_000)
    expect(client.current.state).toBe("reconnecting")
    world.network.listening = true
    await world.clock.advance(60_000)
    await connected
    expect(statuses.at(-1)).toEqual({ state: "open" })
  })

  it("abuse-A7 refuses any first message but a token, before any handler or session", async () => {
    const world = createWorld({ profile })
    const { codec } = scriptedServer(profile)
    const closes: number[] = []
    const frames: Uint8Array[] = []
    const connection = world.network.dial("", profile === "2.0" ? [] : ["hawser.1"], {
      open: () =>
        void connection.send({
          bytes: codec.encode(
            profile === "2.0"
              ? {
                  kind: "request",
                  call: "command",
                  type: "echo",
                  payload: { text: "x" },
                  budgetMs: 0,
                  reference: "1",
                }
              : { kind: "request", call: "command", type: "note", payload: {}, budgetMs: 0, reference: 1 },
          ),
        }),
      message: (bytes) => frames.push(bytes),
      text: () => {},
      drained: () => {},
      pong: () => {},
      closed: (code) => closes.push(code),
    })
    await world.clock.settle()
    expect(closes).toEqual([profile === "2.0" ? closeCode.policyViolation : closeCode.protocolError])
    expect(frames).toHaveLength(1)
    expect(world.handled).toEqual([])
    expect(world.server.stats()).toMatchObject({ sessionsOpened: 0, connections: 0, timers: 0 })
  })
})
