// A user's token over the life of a session: renewed on the live connection, closed after its grace period, never
// exchanged for another user's. Tokens are "name until second".
import type { Client, ClientOptions, SessionEvent } from "@hawser/client"
import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, epochMs } from "../faults/harness.ts"
import type { TestContract, TestUser, World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"
import { WireTap } from "./wire-tap.ts"

interface Scene {
  readonly world: World
  readonly tap: WireTap
  readonly client: Client<TestContract>
  readonly events: readonly SessionEvent[]
  readonly states: readonly string[]
  readonly ends: readonly string[]
  /** Reasons that the token function got, call by call. */
  readonly asked: readonly (string | undefined)[]
}

function createTokenWorld(): World {
  const world = createWorld({
    profile: "hawser.1",
    server: {
      authenticate(token): TestUser {
        const [id = "", until = ""] = token.split(" until ")
        const expiresAtMs = epochMs + 1_000 * Number(until)
        if (expiresAtMs <= epochMs + world.clock.now()) throw new HawserError("auth_token_expired")
        return { id, expiresAtMs }
      },
    },
  })
  return world
}

/** Connects ann; each call of her token function returns the next of `tokens`, then the last one repeatedly. */
async function createScene(tokens: readonly string[], options: Partial<ClientOptions> = {}): Promise<Scene> {
  const world = createTokenWorld()
  const tap = new WireTap(world.network.dial)
  const asked: (string | undefined)[] = []
  const ends: string[] = []
  world.server.onSessionEnd(({ session, cause }) => ends.push(`${session.user.id} ${cause}`))
  const token: ClientOptions["token"] = ({ refused }) => {
    asked.push(refused?.code)
    return tokens[Math.min(asked.length, tokens.length) - 1] ?? ""
  }
  const client = world.client({ dial: tap.dial, token, ...options })
  const states: string[] = []
  const events: SessionEvent[] = []
  const connected = client.connect()
  await world.clock.settle()
  await connected
  client.onStatus(({ state }) => states.push(state))
  client.onSession((event) => events.push(event))
  return { world, tap, client, events, states, ends, asked }
}

function kinds({ tap }: Scene): { sent: string[]; received: string[] } {
  const ofTokens = (kind: string): boolean => kind.startsWith("auth")
  return {
    sent: tap.sent.map(({ kind }) => kind).filter(ofTokens),
    received: tap.received.map(({ kind }) => kind).filter(ofTokens),
  }
}

describe("a token that expires", () => {
  it("is renewed a minute before on the live connection, as often as needed, without a visible gap", async () => {
    const scene = await createScene(["ann until 120", "ann until 300", "ann until 9000"])
    const { world, tap, events, states, asked } = scene
    await world.clock.advance(59_999)
    expect(kinds(scene)).toEqual({ sent: [], received: [] })
    await world.clock.advance(1)
    expect(kinds(scene)).toEqual({ sent: ["auth"], received: ["authRequest", "authOk"] })
    expect(tap.received.findLast(({ kind }) => kind === "authRequest")).toMatchObject({ expiresInMs: 60_000 })
    expect(tap.received.findLast(({ kind }) => kind === "authOk")).toMatchObject({ expiresInMs: 240_000 })
    const [session] = world.server.local.sessions()
    expect(session?.user).toEqual({ id: "ann", expiresAtMs: epochMs + 300_000 })
    await world.clock.advance(180_000)
    expect(session?.user).toEqual({ id: "ann", expiresAtMs: epochMs + 9_000_000 })
    await world.clock.advance(1_000_000)
    expect(kinds(scene).sent).toEqual(["auth", "auth"])
    expect(asked).toEqual([undefined, undefined, undefined])
    expect([events, states]).toEqual([[], []])
    expect(world.network.links).toHaveLength(1)
  })

  it("abuse-A21 closes its connection with 4401 after the grace, and the session resumes with a fresh one", async () => {
    // The same token again has no effect, so it is not sent. The function is called once in 10 s until the end.
    const stale = Array.from({ length: 11 }, () => "ann until 120")
    const scene = await createScene([...stale, "ann until 9000"])
    const { world, client, tap, events, states, ends, asked } = scene
    const [session] = world.server.local.sessions()
    await world.clock.advance(149_999)
    expect(kinds(scene)).toEqual({ sent: [], received: ["authRequest"] })
    expect(states).toEqual([])
    session?.send("note", { text: "kept" })
    const reply = client.command("echo", { text: "kept" })
    await world.clock.advance(5_000)
    expect(await reply).toEqual({ text: "kept" })
    expect(events).toMatchObject([{ kind: "resumed", sessionId: "session-1" }])
    expect(asked).toEqual([...stale.map(() => undefined), "auth_token_invalid"])
    expect(world.clientErrors).toMatchObject([{ code: "auth_token_expired" }])
    expect(tap.hellos.map(({ token }) => token)).toEqual(["ann until 120", "ann until 9000"])
    expect(world.server.local.sessions()).toEqual([session])
    expect(session?.user.expiresAtMs).toBe(epochMs + 9_000_000)
    expect(ends).toEqual([])
  })

  it("is renewed later, if the token function returned the current one at first, without an error", async () => {
    const scene = await createScene(["ann until 120", "ann until 120", "ann until 9000"])
    const { world, events, states } = scene
    await world.clock.advance(69_999)
    expect(kinds(scene).sent).toEqual([])
    await world.clock.advance(1)
    expect(kinds(scene).sent).toEqual(["auth"])
    await world.clock.advance(200_000)
    expect([events, states, world.clientErrors]).toEqual([[], [], []])
  })

  it("is reported at once, if the option token is a text", async () => {
    const scene = await createScene([], { token: "ann until 120" })
    const { world, client } = scene
    await world.clock.advance(60_000)
    expect(world.clientErrors).toMatchObject([{ code: "auth_token_expired" }])
    expect(world.clientErrors[0]).toHaveProperty(
      "message",
      expect.stringContaining("the option token is a text: pass a function that returns a fresh token"),
    )
    await world.clock.advance(89_000)
    expect([client.current.state, kinds(scene).sent]).toEqual(["open", []])
    expect(world.clientErrors).toHaveLength(1)
  })

  it("does not prevent a resume with a fresh one, inside the window", async () => {
    const tokens = ["ann until 120", "ann until 130", "ann until 9000"]
    const scene = await createScene(tokens, { reconnect: () => 1_000 })
    const { world, client, events, ends, asked } = scene
    await world.clock.advance(50_000)
    world.network.listening = false
    world.network.links[0]?.cut()
    await world.clock.advance(90_000)
    world.network.listening = true
    await world.clock.advance(5_000)
    expect(client.current.state).toBe("open")
    expect(asked.at(-1)).toBeUndefined()
    expect(events.map(({ kind }) => kind)).toEqual(["prolonged", "resumed"])
    expect(ends).toEqual([])
  })

  it("closes a connection whose client sends no other, by 4401, and the session stays detached", async () => {
    const world = createTokenWorld()
    const mute = await sendHello(world, { token: "ann until 100" })
    expect(mute.welcome).toMatchObject({ expiresInMs: 100_000 })
    await world.clock.advance(130_000)
    expect(mute.closes).toEqual([4401])
    expect(mute.received.filter(({ kind }) => kind === "authRequest")).toHaveLength(1)
    expect(world.server.local.sessions()).toMatchObject([{ active: true, attached: false }])
  })
})

describe("a token on a live connection", () => {
  it("of another user ends the session with 4403, for good", async () => {
    const scene = await createScene(["ann until 120", "bob until 9000"])
    const { world, client, events, ends } = scene
    await world.clock.advance(120_000)
    expect(ends).toEqual(["ann auth_forbidden"])
    expect(client.current).toMatchObject({ state: "closed", error: { code: "auth_forbidden" } })
    expect(events).toMatchObject([{ kind: "reset", cause: "auth_forbidden" }])
    expect(world.server.stats()).toMatchObject({ sessions: 0, connections: 0 })
    expect(world.network.links).toHaveLength(1)
  })

  it("abuse-A20 of another user closes a scripted client with 4403 after BYE, and bob has no session by it", async () => {
    const world = createTokenWorld()
    const client = await sendHello(world, { token: "ann until 100" })
    client.send({ kind: "auth", token: "bob until 100" })
    await world.clock.settle()
    expect([client.refusal, client.closes]).toEqual(["auth_forbidden", [4403]])
    expect(world.server.local.sessions()).toEqual([])
  })

  it("that is invalid closes the connection with 4401, and the session stays detached", async () => {
    const world = createTokenWorld()
    const client = await sendHello(world, { token: "ann until 100" })
    client.send({ kind: "auth", token: "ann until 0" })
    await world.clock.settle()
    expect(client.closes).toEqual([4401])
    expect(world.server.local.sessions()).toMatchObject([{ active: true, attached: false }])
  })

  it("door-10 is checked three times at once and then once in 10 s, the newest, however many come", async () => {
    const checked: string[] = []
    const world = createWorld({
      profile: "hawser.1",
      server: {
        authenticate(token) {
          checked.push(token)
          return { id: "ann", expiresAtMs: epochMs + 1_000_000 + Number(token) }
        },
      },
    })
    const client = await sendHello(world, { token: "0" })
    for (let number = 1; number <= 405; number += 1) {
      client.send({ kind: "auth", token: `${number}` })
      await world.clock.advance(20)
    }
    expect(checked).toEqual(["0", "1", "2", "3"])
    await world.clock.advance(2_000)
    expect(checked.slice(4)).toEqual(["405"])
    expect(world.server.local.sessions()).toMatchObject([{ user: { expiresAtMs: epochMs + 1_000_405 } }])
    await world.clock.advance(60_000)
    expect(checked).toHaveLength(5)
    expect(client.closes).toEqual([])
  })

  it("door-10 is checked at once after AUTHREQ, however often the server sends it", async () => {
    // Each token lives for 2 s: the server requests the next one every second.
    const world = createWorld({
      profile: "hawser.1",
      server: {
        authenticate: () => ({ id: "ann", expiresAtMs: epochMs + world.clock.now() + 2_000 }),
      },
    })
    const client = world.client({ token: () => `${world.clock.now()}`, limits: { dialsPerMinute: 600 } })
    const connected = client.connect()
    await world.clock.settle()
    await connected
    const states: string[] = []
    client.onStatus(({ state }) => states.push(state))
    const [session] = world.server.local.sessions()
    for (let second = 0; second < 30; second += 1) {
      await world.clock.advance(1_000)
      expect(session?.user.expiresAtMs).toBeGreaterThan(epochMs + world.clock.now())
    }
    expect(states).toEqual([])
  })

  it("is accepted also without AUTHREQ, and changes the permissions", async () => {
    const world = createTokenWorld()
    const client = await sendHello(world, { token: "ann until 100" })
    client.send({ kind: "auth", token: "ann until 500" })
    await world.clock.settle()
    expect(client.received.at(-1)).toEqual({ kind: "authOk", expiresInMs: 500_000 })
    expect(world.server.local.sessions()).toMatchObject([{ user: { expiresAtMs: epochMs + 500_000 } }])
  })
})
