// The verdict on a token arrives when `authenticate` resolves. If its connection is lost by then, or another token has
// replaced it, the verdict has no effect, whatever it is (M1, Y2, Y5).
import { HawserError } from "@hawser/protocol"
import type { ErrorCode } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { createWorld, epochMs } from "../faults/harness.ts"
import type { TestUser, World } from "../faults/harness.ts"
import { sendHello } from "./scripted-client.ts"
import type { ScriptedClient } from "./scripted-client.ts"

interface Verdict {
  accept(until: number): void
  reject(code: ErrorCode): void
}

function userUntil(seconds: number): TestUser {
  return { id: "ann", expiresAtMs: epochMs + 1_000 * seconds }
}

/** A token that is a number is valid for that number of seconds; the test decides about any other one, at any time. */
function createScene(): { readonly world: World; readonly verdicts: Map<string, Verdict> } {
  const verdicts = new Map<string, Verdict>()
  const authenticate = (token: string): TestUser | Promise<TestUser> => {
    if (/^\d+$/.test(token)) return userUntil(Number(token))
    return new Promise((resolve, reject) => {
      verdicts.set(token, {
        accept: (until) => resolve(userUntil(until)),
        reject: (code) => reject(new HawserError(code)),
      })
    })
  }
  return { world: createWorld({ profile: "hawser.1", server: { authenticate } }), verdicts }
}

/** Another connection of the same client, with another token. */
async function resume(world: World, first: ScriptedClient): Promise<ScriptedClient> {
  const { sessionId = "", resumeToken } = first.welcome ?? {}
  const claim = { sessionId, token: resumeToken ?? "", handled: 0, digest: 0, sent: 0 }
  const second = await sendHello(world, { dial: 2, token: "500", resume: claim })
  expect(second.welcome).toMatchObject({ resumed: true, sessionId })
  return second
}

const outcomes = [
  { what: "a rejection", settle: (verdict: Verdict | undefined) => verdict?.reject("auth_token_expired") },
  { what: "another user's", settle: (verdict: Verdict | undefined) => verdict?.reject("auth_forbidden") },
  { what: "good", settle: (verdict: Verdict | undefined) => verdict?.accept(900) },
]

describe.each(outcomes)("the late verdict on a fresh token, $what,", ({ settle }) => {
  it("door-8 of a lost connection does not affect its successor", async () => {
    const { world, verdicts } = createScene()
    const first = await sendHello(world, { token: "100" })
    first.send({ kind: "auth", token: "lost" })
    await world.clock.settle()
    first.cut()
    await world.clock.settle()
    const second = await resume(world, first)
    settle(verdicts.get("lost"))
    await world.clock.advance(1_000)
    expect([second.closes, second.refusal]).toEqual([[], undefined])
    expect(second.received.filter(({ kind }) => kind === "authOk")).toEqual([])
    expect(world.server.local.sessions()).toMatchObject([{ attached: true, user: userUntil(500) }])
    expect(world.serverErrors).toEqual([])
  })

  it("door-8 of a detached session does not affect it", async () => {
    const { world, verdicts } = createScene()
    const first = await sendHello(world, { token: "100" })
    first.send({ kind: "auth", token: "lost" })
    await world.clock.settle()
    first.cut()
    await world.clock.settle()
    settle(verdicts.get("lost"))
    await world.clock.advance(1_000)
    expect(world.server.local.sessions()).toMatchObject([
      { active: true, attached: false, user: userUntil(100) },
    ])
    expect((await resume(world, first)).closes).toEqual([])
  })

  it("door-8 has no effect after another token replaced it", async () => {
    const { world, verdicts } = createScene()
    const client = await sendHello(world, { token: "100" })
    client.send({ kind: "auth", token: "before" })
    await world.clock.settle()
    client.send({ kind: "auth", token: "after" })
    await world.clock.settle()
    settle(verdicts.get("before"))
    await world.clock.settle()
    expect(client.received.filter(({ kind }) => kind === "authOk")).toEqual([])
    verdicts.get("after")?.accept(700)
    await world.clock.advance(1_000)
    expect([client.closes, client.refusal]).toEqual([[], undefined])
    expect(client.received.filter(({ kind }) => kind === "authOk")).toHaveLength(1)
    expect(world.server.local.sessions()).toMatchObject([{ attached: true, user: userUntil(700) }])
  })
})

describe.each(outcomes)("the late verdict on the token of a log-in, $what,", ({ settle }) => {
  it("door-8 opens no session and counts nothing when the connection is closed", async () => {
    const { world, verdicts } = createScene()
    const first = await sendHello(world, { token: "gone" })
    first.cut()
    await world.clock.settle()
    settle(verdicts.get("gone"))
    await world.clock.advance(1_000)
    expect(world.server.local.sessions()).toEqual([])
    const { sessionsOpened, handshakesAccepted, handshakesRefused, handshakesAbandoned } =
      world.server.stats()
    expect([sessionsOpened, handshakesAccepted, handshakesRefused, handshakesAbandoned]).toEqual([0, 0, 0, 1])
    expect(world.serverErrors).toEqual([])
  })
})
