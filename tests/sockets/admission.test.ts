import { describe, expect, it } from "vitest"
import {
  echoBytes,
  expectLeft,
  helloBytes,
  openRaw,
  openRawSession,
  profiles,
  startServer,
  until,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"

const tooLarge = 64 * 1024 + 1

/** Whatever was refused: no handler ran, no session was opened, and the next peer is served. */
async function expectUntouched({ server, handler, url }: SocketServer): Promise<void> {
  expect(handler).not.toHaveBeenCalled()
  expect(server.stats().sessionsOpened).toBe(0)
  await openRawSession(url, "hawser.1", "next")
}

describe("profile hawser.1", () => {
  const profile = "hawser.1"

  it("closes a silent socket at authTimeoutMs", async () => {
    const world = await startServer({ limits: { authTimeoutMs: 50 } })
    const peer = await openRaw(world.url, profile)
    expect(await peer.refusal()).toEqual({
      said: "auth_timeout",
      code: 4401,
      reason: "no verified token within 50 ms",
    })
    await expectUntouched(world)
  })

  it("closes at authTimeoutMs also when the verification hangs, and tells it", async () => {
    const signals: AbortSignal[] = []
    const world = await startServer({
      limits: { authTimeoutMs: 50 },
      authenticate: (_token, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile))
    expect(await peer.refusal()).toMatchObject({ said: "auth_timeout", code: 4401 })
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })

  it("refuses a HELLO of 9 KiB unverified", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile, "t".repeat(9 * 1024)))
    expect(await peer.refusal()).toMatchObject({ said: "message_too_large", code: 4413 })
    expect(world.authenticate).not.toHaveBeenCalled()
    await expectUntouched(world)
  })

  it("closes with 4400 when the first message is not HELLO", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(echoBytes(profile))
    expect(await peer.refusal()).toMatchObject({ said: "sys_invalid_message", code: 4400 })
    expect(world.authenticate).not.toHaveBeenCalled()
    await expectUntouched(world)
  })

  it("closes with 4400 when anything follows HELLO before WELCOME, even if the token is good", async () => {
    let admit = (): void => {}
    const verified = new Promise<{ id: string }>((resolve) => {
      admit = () => resolve({ id: "ann" })
    })
    const world = await startServer({
      authenticate: (token) => (token === "next" ? { id: token } : verified),
    })
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile))
    peer.send(echoBytes(profile))
    expect(await peer.refusal()).toMatchObject({ said: "sys_invalid_message", code: 4400 })
    admit()
    await expectUntouched(world)
  })

  it("closes with 4400 on a second HELLO", async () => {
    const { url, ended } = await startServer()
    const peer = await openRawSession(url, profile)
    peer.send(helloBytes(profile))
    expect((await peer.closed).code).toBe(4400)
    expect(ended.map(({ cause }) => cause)).toEqual(["sys_invalid_message"])
  })

  it("says BYE with the code, then closes with 4401 and a reason, on a bad token", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile, "bad"))
    expect(await peer.refusal()).toEqual({
      said: "auth_token_invalid",
      code: 4401,
      reason: "The token is not valid.",
    })
    expect(peer.frames).toHaveLength(1)
    await expectUntouched(world)
  })
})

describe("profile 2.0", () => {
  const profile = "2.0"

  it("closes a silent socket at authTimeoutMs", async () => {
    const world = await startServer({ limits: { authTimeoutMs: 50 } })
    const peer = await openRaw(world.url, profile)
    expect(await peer.refusal()).toEqual({
      said: "auth_timeout",
      code: 1008,
      reason: "no verified token within 50 ms",
    })
    await expectUntouched(world)
  })

  it("refuses a cmd_authenticate of 9 KiB unverified", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile, "t".repeat(9 * 1024)))
    const { said, code, reason } = await peer.refusal()
    expect({ said, code }).toEqual({ said: "message_too_large", code: 1008 })
    expect(reason).toMatch(/^the first message has \d+ bytes; the limit is 8192$/)
    expect(peer.frames).toMatchObject([{ kind: "reply", reference: "hello" }])
    expect(world.authenticate).not.toHaveBeenCalled()
    await expectUntouched(world)
  })

  it("takes a cmd_authenticate of 8 KiB to the byte, and not one byte more", async () => {
    const { url } = await startServer()
    const overhead = helloBytes(profile, "t".repeat(8_000)).length - 8_000
    const fits = await openRaw(url, profile)
    fits.send(helloBytes(profile, "t".repeat(8_192 - overhead)))
    await fits.next("welcome")
    const over = await openRaw(url, profile)
    over.send(helloBytes(profile, "t".repeat(8_193 - overhead)))
    expect(await over.refusal()).toMatchObject({ said: "message_too_large" })
  })

  it("answers resp_error, then closes with 1008 and a reason, on a bad token", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(helloBytes(profile, "bad"))
    expect(await peer.refusal()).toEqual({
      said: "auth_token_invalid",
      code: 1008,
      reason: "The token is not valid.",
    })
    expect(peer.frames).toMatchObject([{ kind: "reply", reference: "hello" }])
    await expectUntouched(world)
  })

  it("answers auth_required, then closes with 1008, when the first message is a request", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(echoBytes(profile, "x", "early"))
    expect(await peer.refusal()).toMatchObject({ said: "auth_required", code: 1008 })
    expect(peer.frames).toMatchObject([{ kind: "reply", reference: "early" }])
    await expectUntouched(world)
  })

  it("keeps what comes right after the token, and serves it after event_welcome", async () => {
    const { url, handler } = await startServer()
    const peer = await openRaw(url, profile)
    peer.send(helloBytes(profile))
    peer.send(echoBytes(profile, "early"))
    await peer.next("reply")
    expect(peer.frames.map(({ kind }) => kind)).toEqual(["welcome", "reply"])
    expect(handler.mock.calls).toEqual([["early"]])
  })
})

describe.each(profiles)("profile %s", (profile) => {
  it("closes with 1003 on text instead of a token", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(JSON.stringify({ token: "ann" }))
    expect((await peer.closed).code).toBe(1003)
    expect(world.authenticate).not.toHaveBeenCalled()
    await expectUntouched(world)
  })

  it("closes with 1003 on text in a session, and ends it once", async () => {
    const { url, ended } = await startServer()
    const peer = await openRawSession(url, profile)
    peer.send("hello")
    expect((await peer.closed).code).toBe(1003)
    expect(ended).toHaveLength(1)
  })

  it("closes with 1009 on a first message above 64 KiB", async () => {
    const world = await startServer()
    const peer = await openRaw(world.url, profile)
    peer.send(new Uint8Array(tooLarge))
    expect((await peer.closed).code).toBe(1009)
    await until(() => world.server.stats().connections === 0)
    expect(world.authenticate).not.toHaveBeenCalled()
    await expectUntouched(world)
  })

  it("closes with 1009 on a message above 64 KiB in a session, and handles nothing of it", async () => {
    const world = await startServer()
    const peer = await openRawSession(world.url, profile)
    peer.send(echoBytes(profile, "x".repeat(tooLarge)))
    expect((await peer.closed).code).toBe(1009)
    await until(() => world.server.stats().connections === 0)
    await expectLeft(world, profile, "ann")
    expect(world.server.stats().messagesReceived).toBe(0)
    expect(world.handler).not.toHaveBeenCalled()
  })

  it("returns to the baseline after a flood of 200 sockets that never authenticate", async () => {
    const world = await startServer()
    const { server, url } = world
    const { connections, sessions, topics, timers } = server.stats()
    const peers = await Promise.all(Array.from({ length: 200 }, () => openRaw(url, profile)))
    expect(server.stats()).toMatchObject({ connections: 200, sessions: 0 })
    for (const [place, { socket }] of peers.entries()) {
      if (place % 2 === 0) socket.terminate()
      else socket.close()
    }
    await Promise.all(peers.map((peer) => peer.closed))
    await until(() => server.stats().connections === 0)
    expect(server.stats()).toMatchObject({ connections, sessions, topics, timers, connectionsClosed: 200 })
    await expectUntouched(world)
  })
})
