// Browsers that close a page, over real sockets: which window a session gets is decided by the close frame's code and
// reason, which every transport has to pass on.
import { describe, expect, it } from "vitest"
import { openRawSession, startServer, until } from "./harness.ts"
import { describeOver } from "./transports.ts"

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
  })
})
