// Bounds of sessions over several processes: the time without a connection, and the send buffer of a restored session.
import { defineContract } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "bounds",
  commands: { ask: { input: z.string(), output: z.string() } },
  events: { note: { payload: z.string() } },
})

function scene(limits: Partial<ServerLimits> = {}) {
  const ended: string[] = []
  const process = new Lives(contract, (options) => {
    const server = createServer(contract, { authenticate: (id) => ({ id }), limits, ...options })
    server.command("ask", ({ input }) => input)
    server.onSessionEnd(({ cause }) => ended.push(cause))
    return server
  })
  return { process, ended }
}

describe("the time without a connection", () => {
  it("adds up over processes, to 10 minutes at most", async () => {
    const { process } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    await process.clock.advance(1_000)
    let awayMs = 0
    process.kill()
    // It does not come back.
    client.close()
    while (awayMs < 590_000) {
      await process.clock.advance(10_000)
      await process.start()
      expect([awayMs, process.server.recovery?.sessions]).toEqual([awayMs, 1])
      await process.clock.advance(50_000)
      process.kill()
      awayMs += 60_000
    }
    await process.clock.advance(20_000)
    await process.start()
    await process.clock.advance(1)
    expect(process.server.local.sessions()).toEqual([])
  })
})

describe("trap-04 the bounds of a send buffer", () => {
  it("leave out restored messages until the first resume: the client may have acknowledged them", async () => {
    const { process, ended } = scene({ sendBufferMaxCount: 10 })
    await process.start()
    const client = process.client("ann")
    const received: string[] = []
    client.on("note", (text) => received.push(text))
    await process.connect(client)
    const [session] = process.server.local.sessions()
    for (let count = 0; count < 10; count += 1) session?.send("note", `before ${count}`)
    // The client acknowledges all of them; the record of this is lost with the process, because it causes no append.
    await process.clock.advance(60)
    process.kill()
    await process.start()
    const [restored] = process.server.local.sessions()
    for (let count = 0; count < 10; count += 1)
      expect(restored?.send("note", `after ${count}`)).toBe("buffered")
    await process.clock.advance(5_000)
    expect(received.length).toBe(20)
    expect(ended).toEqual([])
  })

  it("hold for what is sent after the restart", async () => {
    const { process, ended } = scene({ sendBufferMaxCount: 10 })
    await process.start()
    await process.connect(process.client("ann"))
    for (const session of process.server.local.sessions()) session.send("note", "before")
    await process.clock.settle()
    process.kill()
    await process.start()
    const [restored] = process.server.local.sessions()
    for (let count = 0; count < 11; count += 1) restored?.send("note", "after")
    expect(ended).toEqual(["session_overflow"])
  })

  it("of all sessions together count a restored broadcast once", async () => {
    const { process } = scene()
    await process.start()
    for (let seed = 1; seed <= 5; seed += 1) await process.connect(process.client(`user ${seed}`, seed))
    process.server.broadcast("note", "x".repeat(10_000))
    await process.clock.settle()
    const before = process.server.stats().replayBytes
    expect(before).toBeGreaterThan(10_000)
    process.kill()
    await process.start()
    expect(process.server.local.sessions().length).toBe(5)
    expect(process.server.stats().replayBytes).toBe(before)
  })
})
