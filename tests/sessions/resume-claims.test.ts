// Claims of a session: only its own client resumes it, with the newest token that it received. Any other claim does not
// affect it (S10, S11), or ends it for all clients where a theft cannot be distinguished from a mistake.
import type { Client, SessionEvent } from "@hawser/client"
import { defaultServerLimits } from "@hawser/protocol"
import type { HelloFrame, ResumeClaim } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { createWorld, rejection } from "../faults/harness.ts"
import type { TestContract, World, WorldOptions } from "../faults/harness.ts"
import { sendHello, sendHelloLater } from "./scripted-client.ts"
import { WireTap } from "./wire-tap.ts"

interface Scene {
  readonly world: World
  readonly tap: WireTap
  /** The client of the user ann. */
  readonly client: Client<TestContract>
  readonly events: readonly SessionEvent[]
  readonly ends: readonly string[]
  readonly suspicions: readonly string[]
}

/** Connects ann's client; a tap records its frames. */
async function createScene(limits: WorldOptions["limits"] = {}, latencyMs = 0): Promise<Scene> {
  const world = createWorld({ profile: "hawser.1", limits, latencyMs })
  const tap = new WireTap(world.network.dial)
  const ends: string[] = []
  const suspicions: string[] = []
  world.server.onSessionEnd(({ session, cause }) => ends.push(`${session.user.id} ${cause}`))
  world.server.onSuspicion(({ session, address }) => suspicions.push(`${session.id} ${address}`))
  const client = world.client({ dial: tap.dial })
  const connected = client.connect()
  await world.clock.advance(5 * latencyMs)
  await connected
  const events: SessionEvent[] = []
  client.onSession((event) => events.push(event))
  return { world, tap, client, events, ends, suspicions }
}

/** The claim that ann's client would send. */
function claimOf({ client, tap }: Scene): ResumeClaim {
  return { sessionId: client.sessionId ?? "", token: tap.token, handled: 0, digest: 0, sent: 0 }
}

async function reconnect({ world, client }: Scene): Promise<void> {
  client.cut()
  await world.clock.advance(1_000)
  expect(client.current.state).toBe("open")
}

/** Asserts that messages pass in both directions, and that the client has noticed nothing. */
async function expectUntouched(scene: Scene): Promise<void> {
  const { world, client, events, ends, suspicions } = scene
  const received: string[] = []
  const stop = client.on("note", ({ text }) => received.push(text))
  const [session] = world.server.local.sessions("ann")
  session?.send("note", { text: "still here" })
  const reply = client.command("echo", { text: "me too" })
  await world.clock.advance(1_000)
  expect(await reply).toEqual({ text: "me too" })
  expect(received).toEqual(["still here"])
  stop()
  expect(session?.id).toBe("session-1")
  expect(events.filter(({ kind }) => kind === "reset")).toEqual([])
  expect([ends, suspicions]).toEqual([[], []])
}

describe("a client that resumes", () => {
  it("is accepted with the previous token when its last WELCOME was lost, any number of times", async () => {
    const scene = await createScene()
    const { world, tap, client, events } = scene
    let lost = 0
    tap.change = (frame) => {
      if (frame.kind !== "welcome" || lost === 3) return frame
      lost += 1
      return undefined
    }
    client.cut()
    const reply = client.command("echo", { text: "once" }, { timeoutMs: 60_000 })
    world.server.local.sessions()[0]?.send("note", { text: "kept" })
    // Each lost WELCOME doubles the timeout of the next one: 8, 16, 32 s.
    await world.clock.advance(60_000)
    expect(lost).toBe(3)
    expect(await reply).toEqual({ text: "once" })
    expect(world.handled).toEqual(["once"])
    expect(events.filter(({ kind }) => kind === "resumed")).toHaveLength(1)
    expect(tap.hellos.slice(1).map(({ resume }) => resume?.token)).toEqual(
      Array(4).fill(tap.hellos[1]?.resume?.token),
    )
    await reconnect(scene)
    await expectUntouched(scene)
  })

  it("takes the session from its own live connection, which is inert from then on", async () => {
    const scene = await createScene({}, 10)
    const { world, client } = scene
    const [session] = world.server.local.sessions()
    const newer = sendHelloLater(world, { clientId: "the same, in truth", dial: 9, resume: claimOf(scene) })
    await world.clock.advance(15)
    // Under way when the newer connection takes over.
    const late = rejection(client.command("echo", { text: "on the old link" }))
    await world.clock.advance(100)
    expect(newer.welcome).toMatchObject({ resumed: true, sessionId: "session-1" })
    expect(world.server.local.sessions()).toEqual([session])
    expect(session?.attached).toBe(true)
    expect(world.handled).toEqual([])
    expect(world.server.stats()).toMatchObject({ takeovers: 1, connections: 1, messagesReceived: 0 })
    // Replaced by a newer connection: the old one must not dial again.
    expect(client.current).toMatchObject({ state: "closed", error: { code: "replaced" } })
    expect(await late).toMatchObject({ code: "connection_lost", cause: { code: "replaced" } })
    expect(session?.send("note", { text: "to the new one" })).toBe("sent")
    await world.clock.advance(100)
    expect(newer.received.at(-1)).toMatchObject({ kind: "event", payload: { text: "to the new one" } })
    expect(world.network.links).toHaveLength(2)
  })

  it("abuse-A45 thrashes when more than takeoversMax connections in takeoverWindowMs take the session from a live one", async () => {
    const scene = await createScene()
    const { world, ends } = scene
    const { takeoversMax, takeoverWindowMs } = defaultServerLimits
    let resume = claimOf(scene)
    let dial = 10
    const takeOver = async (): ReturnType<typeof sendHello> => {
      dial += 1
      const taker = await sendHello(world, { clientId: "copy", dial, resume })
      resume = { ...resume, token: taker.welcome?.resumeToken ?? "" }
      return taker
    }
    for (let count = 0; count < takeoversMax; count += 1)
      expect((await takeOver()).welcome?.resumed).toBe(true)
    // The window slides: after it, the same number of claims is accepted again.
    await world.clock.advance(takeoverWindowMs)
    const takers: Awaited<ReturnType<typeof takeOver>>[] = []
    for (let count = 0; count < takeoversMax; count += 1) takers.push(await takeOver())
    expect(takers.map(({ welcome }) => welcome?.resumed)).toEqual(Array(takeoversMax).fill(true))
    expect(ends).toEqual([])
    const last = await takeOver()
    expect(last.welcome).toMatchObject({ resumed: false, refusal: "session_thrash" })
    expect(ends).toEqual(["ann session_thrash"])
    expect(takers.map(({ closes }) => closes)).toEqual(Array(takeoversMax).fill([4409]))
    expect(world.server.local.sessions().map(({ id }) => id)).toEqual([last.welcome?.sessionId])
  })
})

describe("a claim with", () => {
  it("abuse-A25 a token that its owner has replaced ends the session for both, and the application gets the address", async () => {
    const scene = await createScene()
    const { world, events, ends, suspicions, client } = scene
    const stolen = claimOf(scene)
    await reconnect(scene)
    await world.clock.advance(1_000)
    const thief = await sendHello(world, { clientId: "thief", dial: 99, resume: stolen })
    expect(suspicions).toEqual(["session-1 memory"])
    expect(ends).toEqual(["ann session_stolen"])
    expect(thief.welcome).toMatchObject({ resumed: false, refusal: "session_stolen" })
    expect(thief.welcome?.sessionId).not.toBe("session-1")
    await world.clock.advance(5_000)
    expect(events.map(({ kind }) => kind)).toEqual(["resumed", "reset", "opened"])
    expect(events[1]).toMatchObject({ cause: "session_stolen" })
    expect(client.current.state).toBe("open")
  })

  it.each(["the current token", "the previous token"])(
    "%s on an older dial of the same client arrives late, is refused, and does not affect the session",
    async (which) => {
      const scene = await createScene()
      const { world, tap } = scene
      const before = claimOf(scene)
      await reconnect(scene)
      const { clientId, dial }: HelloFrame = tap.hellos[1] ?? expect.fail("no second HELLO")
      const resume = which === "the current token" ? claimOf(scene) : before
      for (const late of [dial, dial - 1, 0]) {
        const refused = await sendHello(world, { clientId, dial: late, resume })
        expect([refused.refusal, refused.closes]).toEqual(["replaced", [4409]])
      }
      expect(world.server.stats()).toMatchObject({ takeovers: 0, sessionsResumed: 1, connections: 1 })
      await expectUntouched(scene)
      await reconnect(scene)
      await expectUntouched(scene)
    },
  )

  it("no token on an older dial of the same client does not replace the session of the newer dial", async () => {
    const scene = await createScene({ sessionsPerUser: 1 })
    const { world, tap } = scene
    const { clientId } = tap.hellos[0] ?? expect.fail("no HELLO")
    const late = await sendHello(world, { clientId, dial: 0 })
    expect([late.refusal, late.closes]).toEqual(["replaced", [4409]])
    await expectUntouched(scene)
  })

  it("abuse-A23 another user's token is refused with 4403, and does not affect the session", async () => {
    const scene = await createScene()
    const { world } = scene
    for (const resume of [claimOf(scene), { ...claimOf(scene), handled: 2 ** 40, digest: 5, sent: 0 }]) {
      const foreign = await sendHello(world, { token: "bob", dial: 99, resume })
      expect([foreign.refusal, foreign.closes]).toEqual(["auth_forbidden", [4403]])
    }
    expect(world.server.local.sessions("bob")).toEqual([])
    await expectUntouched(scene)
    await reconnect(scene)
    await expectUntouched(scene)
  })

  it("abuse-A23 another user's token does not lengthen the window of a detached session", async () => {
    const scene = await createScene()
    const { world, client, ends } = scene
    const claim = claimOf(scene)
    world.network.links[0]?.cut()
    client.close()
    await world.clock.advance(119_000)
    const foreign = await sendHello(world, { token: "bob", dial: 99, resume: claim })
    expect(foreign.closes).toEqual([4403])
    expect(ends).toEqual([])
    await world.clock.advance(1_000)
    expect(ends).toEqual(["ann session_expired"])
  })

  it("abuse-A24 a token with any bit changed never attaches, and does not affect the session", async () => {
    const scene = await createScene()
    const { world } = scene
    const claim = claimOf(scene)
    const bytes = Buffer.from(claim.token, "base64url")
    const outcomes = new Map<string, number>()
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const resume = { ...claim, token: forged.toString("base64url") }
      const forger = await sendHello(world, { clientId: `forger ${bit}`, dial: 99, token: "bob", resume })
      const outcome = forger.welcome?.refusal ?? forger.refusal ?? "taken"
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      expect(forger.welcome?.resumed ?? false).toBe(false)
      forger.send({ kind: "bye", code: "client_closed", message: "" })
      forger.cut()
      await world.clock.settle()
    }
    // 4 bytes name the key; with another name it is the token of another server, or of an earlier process of this one.
    expect(Object.fromEntries(outcomes)).toEqual({ auth_token_invalid: 45 * 8, session_unknown: 4 * 8 })
    expect(world.server.stats().sessionsResumed).toBe(0)
    expect(world.server.local.sessions("ann")).toHaveLength(1)
  })

  it.each(["", "x", "=", `${"A".repeat(66)}`, "A".repeat(4_000)])(
    "no token at all (%#) is refused with 4401, and does not affect the session",
    async (token) => {
      const scene = await createScene()
      const refused = await sendHello(scene.world, { dial: 99, resume: { ...claimOf(scene), token } })
      expect([refused.refusal, refused.closes]).toEqual(["auth_token_invalid", [4401]])
      await expectUntouched(scene)
    },
  )

  it("abuse-A26 the id of a session, right or guessed, gets the same answer without the session's token", async () => {
    const scene = await createScene()
    const { world } = scene
    const bob = await sendHello(world, { token: "bob", clientId: "bob" })
    const own = bob.welcome?.resumeToken ?? ""
    const forged = Buffer.from(own, "base64url")
    forged[20] = (forged[20] ?? 0) ^ 1
    const answers: unknown[] = []
    for (const sessionId of ["session-1", "session-9", "session-2 ", "", "__proto__"])
      for (const token of [own, forged.toString("base64url")]) {
        const asked = await sendHello(world, {
          token: "bob",
          dial: 99,
          resume: { ...claimOf(scene), sessionId, token },
        })
        answers.push([asked.received, asked.closes])
      }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject([[{ kind: "bye", code: "auth_token_invalid" }], [4401]])
    await expectUntouched(scene)
  })

  it("the id of an ended session gets the cause only as its own user", async () => {
    const scene = await createScene()
    const { world, client } = scene
    const claim = claimOf(scene)
    client.close()
    await world.clock.settle()
    const own = await sendHello(world, { dial: 99, resume: claim })
    expect(own.welcome).toMatchObject({ resumed: false, refusal: "closed" })
    const other = await sendHello(world, { token: "bob", dial: 99, resume: claim })
    expect([other.refusal, other.closes]).toEqual(["auth_forbidden", [4403]])
    const guessed = await sendHello(world, {
      token: "bob",
      dial: 99,
      resume: { ...claim, sessionId: "session-9" },
    })
    expect([guessed.refusal, guessed.closes]).toEqual(["auth_token_invalid", [4401]])
  })
})
