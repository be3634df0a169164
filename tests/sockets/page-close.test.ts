// Browsers that close a page, over real sockets: the close frame's code and reason decide the session's window, and
// every transport must pass them on.
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { openRawSession, openTcpSession, startServer, until } from "./harness.ts"
import { describeOver, skipWithout } from "./transports.ts"

describeOver(["ws", "bun", "memory"], (transport) => {
  describe("a page that is left", () => {
    it("surprise-A8 ends its session after leaveWindowMs on 1001 without a reason, and keeps it on 1001 with one", async () => {
      const world = await startServer(transport, { limits: { leaveWindowMs: 1, resumeWindowMs: 600_000 } })
      const cached = await openRawSession(world, "hawser.1", "ann")
      const closed = await openRawSession(world, "hawser.1", "bob")
      cached.close(1001, "WebSocket is closed due to suspension.")
      await until(async () => (await world.sessionsOf("ann")).every(({ attached }) => !attached))
      closed.close(1001, "")
      await until(async () => (await world.ended()).length > 0)
      const ended = (await world.ended()).map(({ userId, cause }) => [userId, cause])
      expect(ended).toEqual([["bob", "session_expired"]])
      expect(await world.sessionsOf("ann")).toEqual([{ active: true, attached: false }])
    })

    it("surprise-A8 ends its session after leaveWindowMs, though the server wrote to it while it was closing", async (context) => {
      skipWithout(context, transport, "tcp")
      const world = await startServer(transport, { limits: { leaveWindowMs: 1, resumeWindowMs: 600_000 } })
      const socket = await openTcpSession(world.port, "hawser.1", "ann")
      // The browser's close frame is answered, and its socket stays open for a moment.
      socket.write(Buffer.concat([Buffer.from([0x88, 0x82, 0, 0, 0, 0]), Buffer.from([0x03, 0xe9])]))
      await once(socket, "data")
      await world.broadcast("too late")
      await until(async () => (await world.sessionsOf("ann")).every(({ attached }) => !attached))
      socket.end()
      await until(async () => (await world.ended()).length > 0)
      expect((await world.ended()).map(({ cause }) => cause)).toEqual(["session_expired"])
    })
  })
})
