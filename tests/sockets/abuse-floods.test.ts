// Peers above their limits: with frames of the session layer, with pings of the WebSocket, and with new connections as
// a try to get new buckets. Another client is served meanwhile.
import type { Socket } from "node:net"
import { describe, expect, it } from "vitest"
import {
  connectionsReach,
  echoBytes,
  nextTurn,
  openRawSession,
  openTcp,
  openTcpSession,
  startServer,
  until,
} from "./harness.ts"
import type { SocketServer } from "./harness.ts"
import { describeOver } from "./transports.ts"

/** Number of replies that another user got while `isGoingOn`; at least one. */
async function serveAnother(world: SocketServer, isGoingOn: () => boolean): Promise<number> {
  const client = world.client({ token: "next" })
  await client.connect()
  let replies = 0
  do {
    expect(await client.command("echo", { text: "on" })).toEqual({ text: "on" })
    replies += 1
  } while (isGoingOn())
  return replies
}

/** A client's ping with a mask of zeros. */
const ping = (payload: Uint8Array): Buffer =>
  Buffer.concat([Uint8Array.of(0x89, 0x80 | payload.length, 0, 0, 0, 0), payload])
const mostBytes = 64 << 20
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

/**
 * Writes until the server has closed the connection, or `mostBytes` were written. Returns the number of written bytes.
 */
async function floodUntilGone(world: SocketServer, socket: Socket, piece: Buffer): Promise<number> {
  let written = 0
  while ((await world.stats()).connectionsClosed === 0 && written < mostBytes) {
    if (socket.writable && socket.writableLength < 1 << 20) {
      socket.write(piece)
      written += piece.length
    }
    await nextTurn()
  }
  return written
}

describeOver(["ws", "bun"], (transport) => {
  it.each([
    ["abuse-A28 ACK", Uint8Array.of(0x06, 0x91, 0x00)],
    ["abuse-A29 PING", Uint8Array.of(0x07, 0x92, 0x01, 0x00)],
    ["abuse-A29 control frames of a later version", Uint8Array.of(0x20, 0x90)],
  ])("%s at thousands a second end the session with 4429, and others are served", async (_what, frame) => {
    const world = await startServer(transport, { limits: { throttledMaxMs: 1_000 } })
    const peer = await openRawSession(world, "hawser.1")
    const served = serveAnother(world, () => peer.isOpen)
    for (let sent = 0; sent < 10_000 && peer.isOpen; sent += 1) {
      peer.send(frame)
      if (sent % 10 === 9) await nextTurn()
    }
    expect((await peer.closed).code).toBe(4429)
    expect(await served).toBeGreaterThan(1)
    expect((await world.ended()).map(({ cause }) => cause)).toEqual(["rate_limited"])
    // The server reads and answers only as many frames as the bucket of 100 a second and its burst allow, and one
    // read of a socket.
    const answers = peer.frames.filter(({ kind }) => kind === "pong").length
    expect(answers).toBeLessThanOrEqual((await world.stats()).messagesReceived)
    expect((await world.errors()).length).toBeLessThan(10)
  })

  it("abuse-A28 a second VOID on a connection ends the session with 4400", async () => {
    const world = await startServer(transport)
    const peer = await openRawSession(world, "hawser.1")
    for (const _ of [1, 2]) peer.send(Uint8Array.of(0x0f, 0x91, 0x90))
    expect((await peer.closed).code).toBe(4400)
  })

  describe.each([
    ["a stranger", openTcp],
    ["a user", openTcpSession],
  ])("%s", (_who, open) => {
    it("abuse-A29 is closed with 1008 for more pings in a second than the limit", async () => {
      const world = await startServer(transport, { limits: { controlFramesPerSecond: 20, shutdownMs: 200 } })
      const socket = await open(world.port, "hawser.1")
      let said = Buffer.alloc(0)
      socket.on("data", (chunk: Buffer) => (said = Buffer.concat([said, chunk])))
      // A pong with the one byte for each ping; then the close.
      const closeStart = (): number => said.indexOf(0x88)
      const closed = new Promise((resolve) => socket.once("close", resolve))
      for (let sent = 1; sent < 2_000 && closeStart() < 0; sent += 1) {
        socket.write(ping(Buffer.from("x")))
        await until(() => said.length >= 3 * sent || closeStart() >= 0)
      }
      await closed
      expect(said.readUInt16BE(closeStart() + 2)).toBe(1008)
      expect(closeStart()).toBeGreaterThanOrEqual(3 * 20)
      expect(await world.errors()).toEqual([
        "more than 20 pings and pongs in a second (limits.controlFramesPerSecond)",
      ])
      await connectionsReach(world, 0)
    })

    it.each([
      ["pings of 125 bytes", "reads the answers", ping(Buffer.alloc(125, "x"))],
      ["pings of 125 bytes", "reads nothing", ping(Buffer.alloc(125, "x"))],
      ["empty pings", "reads nothing", ping(Buffer.alloc(0))],
      ["pongs", "reads nothing", pong],
    ])(
      "abuse-A29 is dropped for %s without end when it %s, and others are served",
      async (_what, how, one) => {
        const world = await startServer(transport, { limits: { shutdownMs: 200 } })
        const socket = await open(world.port, "hawser.1")
        if (how === "reads nothing") socket.pause()
        else socket.resume()
        let isGone = false
        const served = serveAnother(world, () => !isGone)
        const written = await floodUntilGone(world, socket, Buffer.concat(Array<Buffer>(100).fill(one)))
        isGone = true
        await served
        expect(written).toBeLessThan(mostBytes)
        await connectionsReach(world, 1)
      },
    )
  })

  it("abuse-A41 gives a user no new bucket for a new connection or session", async () => {
    const limits = { userMessagesPerSecond: 1, userMessageBurst: 20 }
    const world = await startServer(transport, { limits })
    const startedMs = performance.now()
    const connections = 10
    for (let connection = 0; connection < connections; connection += 1) {
      const peer = await openRawSession(world, "hawser.1")
      for (let message = 0; message < limits.userMessageBurst; message += 1) peer.send(echoBytes("hawser.1"))
      await until(async () => {
        const { throttledPauses } = await world.stats()
        return connection === 0 ? (await world.handled()).length === 20 : throttledPauses >= connection
      })
      peer.terminate()
    }
    // A message of a user in debt is the last one that its connection accepts.
    const elapsedSeconds = (performance.now() - startedMs) / 1_000
    const most = limits.userMessageBurst + connections + Math.ceil(elapsedSeconds)
    expect((await world.handled()).length).toBeLessThanOrEqual(most)
    expect((await world.handled()).length).toBeGreaterThanOrEqual(limits.userMessageBurst)
  })
})

describeOver(["ws"], (transport) => {
  it("abuse-A29 thousands of frames in one read are processed only as far as the user's rate allows", async () => {
    const world = await startServer(transport)
    const socket = await openTcpSession(world.port, "hawser.1")
    const frame = Buffer.of(0x82, 0x84, 0, 0, 0, 0, 0x07, 0x92, 0x01, 0x00)
    const before = (await world.stats()).messagesReceived
    socket.write(Buffer.concat(Array<Buffer>(6_000).fill(frame)))
    await until(async () => (await world.stats()).messagesReceived - before > 200)
    await serveAnother(world, () => false)
    const { messagesReceived } = await world.stats()
    // The burst of a user is 200 messages; a few more arrive while the test looks.
    expect(messagesReceived - before).toBeLessThan(400)
    socket.destroy()
  })
})
