// Identity, and the owner of a reply: tokens in other places than the first message, a log-out while the session is
// elsewhere, unrequested replies, and colliding references and names.
import { profile20 } from "@hawser/server/profile20"
import { HawserError } from "@hawser/protocol"
import { closeCode, subprotocol } from "@hawser/protocol/core"
import type { Profile, ResumeClaim } from "@hawser/protocol/core"
import { createServer } from "@hawser/server"
import { encode } from "@msgpack/msgpack"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import {
  echoBytes,
  gateBytes,
  helloBytes,
  openRaw,
  openRawSession,
  profiles,
  startServer,
  until,
} from "./harness.ts"
import type { RawPeer } from "./harness.ts"
import { contract } from "./server-program.ts"
import { describeOver } from "./transports.ts"

/** Every place but the first message. */
const elsewhere = {
  cookie: "token=ann; access_token=ann; hawser=ann; session=ann",
  authorization: "Bearer ann",
  "x-auth-token": "ann",
}

describeOver(["ws", "bun"], (transport) => {
  describe.each(profiles)("a token in another place than the first message, in profile %s", (profile) => {
    it("abuse-A4 in a cookie or a header opens no session, and is not verified", async () => {
      const world = await startServer(transport, { limits: { authTimeoutMs: 50 } })
      const peer = await openRaw(world, profile, elsewhere)
      const code = profile === "2.0" ? closeCode.policyViolation : closeCode.authentication
      expect(await peer.refusal()).toMatchObject({ said: "auth_timeout", code })
      expect(await world.verified()).toEqual([])
    })

    it("abuse-A4 in a cookie does not replace a bad one in the first message", async () => {
      const world = await startServer(transport)
      const peer = await openRaw(world, profile, elsewhere)
      peer.send(helloBytes(profile, "bad"))
      expect(await peer.refusal()).toMatchObject({ said: "auth_token_invalid" })
      expect(await world.verified()).toEqual(["bad"])
      expect(await world.stats()).toMatchObject({ sessionsOpened: 0 })
    })

    it("abuse-A5 in the query or the subprotocol opens no session, and is in no error, warning or answer", async () => {
      const world = await startServer(transport, { limits: { authTimeoutMs: 50 } })
      const token = "eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0"
      const offered = profile === "2.0" ? [] : [token, subprotocol]
      const socket = new WebSocket(`${world.url}?token=${token}&access_token=${token}`, offered)
      onTestFinished(() => socket.terminate())
      const said: string[] = []
      socket.on("message", (content) => said.push(Buffer.isBuffer(content) ? content.toString("latin1") : ""))
      const closed = await new Promise<string>((resolve) => {
        socket.on("close", (code, reason) => resolve(`${code} ${String(reason)}`))
      })
      expect(closed).toMatch(/^(4401|1008) no verified token/)
      expect(socket.protocol).toBe(profile === "2.0" ? "" : subprotocol)
      expect(await world.verified()).toEqual([])
      const texts = [closed, ...said, ...(await world.errors()), ...(await world.warnings())]
      expect(texts.join("\n")).not.toContain("eyJ")
    })
  })

  it("abuse-A31 gives two users with the same pending id each the right reply", async () => {
    const world = await startServer(transport)
    const peers = await Promise.all(["ann", "bob"].map((user) => openRawSession(world, "2.0", user)))
    for (const peer of peers) peer.send(gateBytes("2.0"))
    await until(async () => (await world.handled()).length === 2)
    for (const [index, peer] of peers.entries()) peer.send(echoBytes("2.0", `answer ${index}`, "same"))
    await world.admit()
    const repliesOf = ({ frames }: RawPeer): unknown[] =>
      frames.flatMap((frame) => (frame.kind === "reply" ? [[frame.reference, frame.outcome]] : []))
    await until(() => peers.every((peer) => repliesOf(peer).length === 2))
    for (const [index, peer] of peers.entries())
      expect(repliesOf(peer)).toEqual([
        ["gate", { ok: true, payload: {} }],
        ["same", { ok: true, payload: { text: `answer ${index}` } }],
      ])
  })

  it.each(profiles)("abuse-A30 ignores a reply from a user of %s, to no request", async (profile) => {
    const world = await startServer(transport)
    const ann = await openRawSession(world, profile, "ann")
    ann.send(gateBytes(profile))
    await until(async () => (await world.handled()).length === 1)
    const bob = await openRawSession(world, profile, "bob")
    for (const reference of profile === "2.0" ? ["gate", "none"] : [1, 9])
      bob.send(replyBytes(profile, reference))
    if (profile === "hawser.1") expect((await bob.closed).code).toBe(closeCode.protocolError)
    else {
      await until(() => bob.frames.filter(({ kind }) => kind === "reply").length === 2)
      for (const frame of bob.frames.filter(({ kind }) => kind === "reply"))
        expect(frame).toMatchObject({ outcome: { ok: false, error: { code: "sys_invalid_message" } } })
    }
    expect(ann.frames.filter(({ kind }) => kind === "reply")).toEqual([])
    await world.admit()
    expect(await ann.next("reply")).toMatchObject({ outcome: { ok: true } })
  })

  it.each(["toString", "hasOwnProperty", "__proto__", "constructor", "valueOf"])(
    "abuse-A48 answers a request and an event of the name %s as an unknown one",
    async (name) => {
      const world = await startServer(transport)
      const peer = await openRawSession(world, "2.0")
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const types = [name, `cmd_${snake}`, `query_${snake}`, `event_${snake}`, `cmd_${name}`]
      for (const type of types) peer.send(encode({ id: type, type, payload: {} }))
      await until(() => peer.frames.filter(({ kind }) => kind === "reply").length === types.length)
      for (const frame of peer.frames.filter(({ kind }) => kind === "reply"))
        expect(frame).toMatchObject({ outcome: { ok: false } })
      peer.send(echoBytes("2.0", "on", "last"))
      await until(async () => (await world.handled()).length === 1)
      expect(await world.handled()).toEqual(["on"])
      expect(await world.errors()).toEqual([])
    },
  )
})

describe("a log-out everywhere", () => {
  it("abuse-A22 ends sessions at once, open at another listener or detached, and lets neither resume", async () => {
    const revoked = new Set<string>()
    const server = createServer(contract, {
      profile20: profile20(),
      authenticate(token) {
        const [id = ""] = token.split(" ")
        if (revoked.has(id)) throw new HawserError("auth_token_invalid")
        return { id }
      },
    })
    onTestFinished(() => server.close())
    server.command("echo", ({ input }) => input)
    server.command("never", () => ({}))
    server.command("gate", () => ({}))
    server.query("look", () => ({ seen: 0 }))
    const place = { host: "127.0.0.1" }
    const [first, second] = [await server.listen(place), await server.listen(place)]
    const open = await openRawSession(second.url, "hawser.1", "ann phone")
    const away = await openRawSession(second.url, "hawser.1", "ann tablet")
    const other = await openRawSession(second.url, "hawser.1", "bob")
    away.terminate()
    await until(() => server.stats().detached === 1)
    const startedMs = performance.now()
    await server.endSessions({ user: "ann", code: "forbidden", message: "logged out" })
    expect(await open.refusal()).toEqual({
      said: "forbidden",
      code: closeCode.forbidden,
      reason: "logged out",
    })
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    const reconnect = async (hello: Uint8Array): Promise<RawPeer> => {
      const peer = await openRaw(first.url, "hawser.1")
      peer.send(hello)
      return peer
    }
    for (const { frames } of [open, away]) {
      const back = await reconnect(helloBytes("hawser.1", "ann", { resume: claimIn(frames), dial: 2 }))
      expect(await back.refusal()).toMatchObject({ said: "forbidden", code: closeCode.forbidden })
    }
    revoked.add("ann")
    const again = await reconnect(helloBytes("hawser.1", "ann"))
    expect(await again.refusal()).toMatchObject({
      said: "auth_token_invalid",
      code: closeCode.authentication,
    })
    expect(other.isOpen).toBe(true)
    expect(server.stats()).toMatchObject({ sessions: 1, sessionsResumed: 0 })
  })
})

/** The claim of a client that got these frames. */
function claimIn(frames: RawPeer["frames"]): ResumeClaim {
  const welcome = frames.find((frame) => frame.kind === "welcome")
  return {
    sessionId: welcome?.sessionId ?? "",
    token: welcome?.resumeToken ?? "",
    handled: 0,
    digest: 0,
    sent: 0,
  }
}

/** A reply as only servers send it. */
function replyBytes(profile: Profile, reference: string | number): Uint8Array {
  return profile === "2.0"
    ? encode({ id: reference, type: "resp_success", payload: {} })
    : Buffer.concat([Uint8Array.of(0x42), encode([reference, 0, {}])])
}
