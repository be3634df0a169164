import { describe, expect, it } from "vitest"
import {
  connectionsReach,
  echoBytes,
  expectLeft,
  helloBytes,
  openRaw,
  openRawSession,
  profiles,
  startServer,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { describeOver, skipWithout } from "./transports.ts"

const tooLarge = 64 * 1024 + 1

/** Asserts after any refusal that no handler ran, no session was opened, and the next peer is served. */
async function expectUntouched(world: SocketServer): Promise<void> {
  expect(await world.handled()).toEqual([])
  expect((await world.stats()).sessionsOpened).toBe(0)
  await openRawSession(world, "hawser.1", "next")
}

describeOver(["ws", "bun", "memory"], (transport) => {
  describe("profile hawser.1", () => {
    const profile = "hawser.1"

    it("closes a silent socket at authTimeoutMs", async () => {
      const world = await startServer(transport, { limits: { authTimeoutMs: 50 } })
      const peer = await openRaw(world, profile)
      expect(await peer.refusal()).toEqual({
        said: "auth_timeout",
        code: 4401,
        reason: "no verified token within 50 ms (limits.authTimeoutMs)",
      })
      await expectUntouched(world)
    })

    it("closes at authTimeoutMs also when the verification hangs, and reports it", async () => {
      const world = await startServer(transport, { limits: { authTimeoutMs: 50 } })
      const peer = await openRaw(world, profile)
      peer.send(helloBytes(profile, "hung"))
      expect(await peer.refusal()).toMatchObject({ said: "auth_timeout", code: 4401 })
      expect(await world.aborted()).toEqual(["hung"])
    })

    it("abuse-A19 refuses a HELLO of 9 KiB unverified", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(helloBytes(profile, "t".repeat(9 * 1024)))
      expect(await peer.refusal()).toMatchObject({ said: "message_too_large", code: 4413 })
      expect(await world.verified()).toEqual([])
      await expectUntouched(world)
    })

    it("abuse-A6 closes with 4400 when the first message is not HELLO", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(echoBytes(profile))
      expect(await peer.refusal()).toMatchObject({ said: "sys_invalid_message", code: 4400 })
      expect(await world.verified()).toEqual([])
      await expectUntouched(world)
    })

    it("abuse-A6 closes with 4400 when anything follows HELLO before WELCOME, even if the token is good", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(helloBytes(profile, "late"))
      peer.send(echoBytes(profile))
      expect(await peer.refusal()).toMatchObject({ said: "sys_invalid_message", code: 4400 })
      await world.admit()
      await expectUntouched(world)
    })

    it("abuse-A6 closes with 4400 on a second HELLO", async () => {
      const world = await startServer(transport)
      const peer = await openRawSession(world, profile)
      peer.send(helloBytes(profile))
      expect((await peer.closed).code).toBe(4400)
      expect((await world.ended()).map(({ cause }) => cause)).toEqual(["sys_invalid_message"])
    })

    it("sends BYE with the code, then closes with 4401 and a reason, on a bad token", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
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
      const world = await startServer(transport, { limits: { authTimeoutMs: 50 } })
      const peer = await openRaw(world, profile)
      expect(await peer.refusal()).toEqual({
        said: "auth_timeout",
        code: 1008,
        reason: "no verified token within 50 ms (limits.authTimeoutMs)",
      })
      await expectUntouched(world)
    })

    it("refuses a cmd_authenticate of 9 KiB unverified", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(helloBytes(profile, "t".repeat(9 * 1024)))
      const { said, code, reason } = await peer.refusal()
      expect({ said, code }).toEqual({ said: "message_too_large", code: 1008 })
      expect(reason).toMatch(/^the first message has \d+ bytes; the limit is 8192 \(limits\.helloMaxBytes\)$/)
      expect(peer.frames).toMatchObject([{ kind: "reply", reference: "hello" }])
      expect(await world.verified()).toEqual([])
      await expectUntouched(world)
    })

    it("accepts a cmd_authenticate of 8 KiB to the byte, and not one byte more", async () => {
      const world = await startServer(transport)
      const overhead = helloBytes(profile, "t".repeat(8_000)).length - 8_000
      const fits = await openRaw(world, profile)
      fits.send(helloBytes(profile, "t".repeat(8_192 - overhead)))
      await fits.next("welcome")
      const over = await openRaw(world, profile)
      over.send(helloBytes(profile, "t".repeat(8_193 - overhead)))
      expect(await over.refusal()).toMatchObject({ said: "message_too_large" })
    })

    it("answers resp_error, then closes with 1008 and a reason, on a bad token", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
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
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(echoBytes(profile, "x", "early"))
      expect(await peer.refusal()).toMatchObject({ said: "auth_required", code: 1008 })
      expect(peer.frames).toMatchObject([{ kind: "reply", reference: "early" }])
      await expectUntouched(world)
    })

    it("keeps messages directly after the token, and serves them after event_welcome", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(helloBytes(profile))
      peer.send(echoBytes(profile, "early"))
      await peer.next("reply")
      expect(peer.frames.map(({ kind }) => kind)).toEqual(["welcome", "reply"])
      expect(await world.handled()).toEqual(["early"])
    })
  })

  describe.each(profiles)("profile %s", (profile) => {
    it("closes with 1003 on text instead of a token", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(JSON.stringify({ token: "ann" }))
      expect((await peer.closed).code).toBe(1003)
      expect(await world.verified()).toEqual([])
      await expectUntouched(world)
    })

    it("closes with 1003 on text in a session, and ends it once", async () => {
      const world = await startServer(transport)
      const peer = await openRawSession(world, profile)
      peer.send("hello")
      expect((await peer.closed).code).toBe(1003)
      expect(await world.ended()).toHaveLength(1)
    })

    it("abuse-A19 closes with 1009 on a first message above 64 KiB", async (context) => {
      skipWithout(context, transport, "messageBound")
      const world = await startServer(transport)
      const peer = await openRaw(world, profile)
      peer.send(new Uint8Array(tooLarge))
      expect((await peer.closed).code).toBe(1009)
      await connectionsReach(world, 0)
      expect(await world.verified()).toEqual([])
      await expectUntouched(world)
    })

    it("closes with 1009 on a message above 64 KiB in a session, and handles nothing of it", async (context) => {
      skipWithout(context, transport, "messageBound")
      const world = await startServer(transport)
      const peer = await openRawSession(world, profile)
      peer.send(echoBytes(profile, "x".repeat(tooLarge)))
      expect((await peer.closed).code).toBe(1009)
      await connectionsReach(world, 0)
      await expectLeft(world, profile, "ann")
      expect((await world.stats()).messagesReceived).toBe(0)
      expect(await world.handled()).toEqual([])
    })

    it("returns to the baseline after a flood of 200 sockets that never authenticate", async () => {
      const world = await startServer(transport)
      const { connections, sessions, topics, timers } = await world.stats()
      const peers = await Promise.all(Array.from({ length: 200 }, () => openRaw(world, profile)))
      expect(await world.stats()).toMatchObject({ connections: 200, sessions: 0 })
      for (const [place, peer] of peers.entries()) {
        if (place % 2 === 0) peer.terminate()
        else peer.close()
      }
      await Promise.all(peers.map((peer) => peer.closed))
      await connectionsReach(world, 0)
      expect(await world.stats()).toMatchObject({
        connections,
        sessions,
        topics,
        timers,
        connectionsClosed: 200,
      })
      await expectUntouched(world)
    })
  })
})
