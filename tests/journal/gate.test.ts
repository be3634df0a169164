// The gate over a whole server: nothing that tells of state leaves before the journal's file holds it, and a slow disk makes no
// connection look dead.
import { defineContract } from "@hawser/protocol"
import { TypeTable, clientMessageLimits, createServerCodec } from "@hawser/protocol/core"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import type { KeptState } from "../../packages/server/src/journal/kept-state.ts"
import { unacknowledgedOf } from "../../packages/server/src/journal/kept-state.ts"
import { readSegments } from "../../packages/server/src/journal/read-segments.ts"
import { Rebuild } from "../../packages/server/src/journal/rebuild.ts"
import { SimulatedDisk } from "../../packages/server/src/journal/simulated-files.ts"
import { Lives } from "./lives.ts"
import type { Output } from "./lives.ts"

const contract = defineContract({
  name: "gate",
  commands: { echo: { input: z.string(), output: z.string() } },
  events: { note: { payload: z.string() } },
})

const types = new TypeTable(["echo", "note"])
const limits = clientMessageLimits
const codec = createServerCodec(types, { reads: limits, writes: limits })

/** Returns the state that a process would restore from this disk. */
function keptOn(disk: SimulatedDisk): KeptState {
  const copy = new SimulatedDisk(() => 0)
  copy.restore(disk.copy())
  const rebuild = new Rebuild()
  for (const { body, atMs } of readSegments(copy.files(), { host: "h", boot: "b" }).content.records)
    rebuild.apply(body, atMs)
  return rebuild.state
}

/** Returns what is wrong with this output: it tells of something that is not on the disk. */
function faultOf(output: Output, { sessions, ends }: KeptState, sessionId: string): string | undefined {
  const session = [...sessions.values()].find(({ id }) => id === sessionId)
  if (output.kind === "close")
    return output.reason === "banned" && !ends.has(sessionId) ? "a close before its end" : undefined
  const frame = codec.decode(output.bytes, 0)
  const { kind } = frame
  if (kind === "welcome") {
    const generation = frame.resumeToken === null ? 0 : generationOf(frame.resumeToken)
    return generation > (session?.claims.generation ?? 0) ? "a token that is not kept" : undefined
  }
  if (kind === "reply" || kind === "event") {
    const kept = session === undefined ? [] : unacknowledgedOf(session)
    return kept.some((bytes) => Buffer.from(bytes).equals(output.bytes))
      ? undefined
      : `a ${kind} that is not kept`
  }
  if (kind === "ack" || kind === "pong" || kind === "ping")
    return frame.handled > (session?.handled ?? 0) ? `a count in ${kind} that is not kept` : undefined
  if (kind === "sync" && session !== undefined)
    return frame.count > session.base + unacknowledgedOf(session).length
      ? "a SYNC that is not kept"
      : undefined
  if (kind === "bye" || kind === "reset") return ends.has(sessionId) ? undefined : `a ${kind} before its end`
  return undefined
}

/** A resume token names its generation in bytes 5 to 8. */
function generationOf(token: string): number {
  return Buffer.from(token, "base64url").readUInt32BE(5)
}

function scene() {
  const faults: string[] = []
  const kinds = new Set<string>()
  const process = new Lives(contract, (options) => {
    const server = createServer(contract, { authenticate: (id) => ({ id }), onError: () => {}, ...options })
    server.command("echo", async ({ input, session }) => {
      session.send("note", `before ${input}`)
      await new Promise<void>((resolve) => void options.clock.schedule(3, resolve))
      session.send("note", `after ${input}`)
      return input
    })
    return server
  })
  process.onOutput = (output) => {
    kinds.add(output.kind === "close" ? "close" : codec.decode(output.bytes, 0).kind)
    const fault = faultOf(output, keptOn(process.disk), "session-1-1")
    if (fault !== undefined) faults.push(fault)
  }
  return { process, faults, kinds }
}

describe("trap-01 every way out of a server", () => {
  it("passes the gate: replies, events, counts, tokens, ends and closes, also with a disk that is full for a while", async () => {
    const { process, faults, kinds } = scene()
    await process.start()
    const client = process.client("ann")
    await process.connect(client)
    const replies: Promise<string>[] = []
    for (let round = 0; round < 12; round += 1) {
      for (let count = 0; count < 20; count += 1) replies.push(client.command("echo", `${round}-${count}`))
      if (round % 3 === 1) process.disk.faults.freeBytes = 200
      await process.clock.advance(40)
      if (round % 4 === 2) client.cut()
      await process.clock.advance(150)
      process.disk.faults.freeBytes = Number.POSITIVE_INFINITY
      await process.clock.advance(2_000)
    }
    expect((await Promise.all(replies)).length).toBe(240)
    await process.clock.advance(70_000)
    process.disk.faults.freeBytes = 0
    process.server.local.sessions()[0]?.end("banned")
    await process.clock.advance(500)
    expect([...kinds]).not.toContain("close")
    process.disk.faults.freeBytes = Number.POSITIVE_INFINITY
    await process.clock.advance(500)
    expect(faults).toEqual([])
    expect([...kinds].toSorted()).toEqual(
      expect.arrayContaining(["ack", "bye", "close", "event", "pong", "reply", "welcome"]),
    )
  })
})

describe("trap-02 a disk that takes no bytes for two minutes", () => {
  it("makes no connection look dead: pings and pongs leave, and clients that acknowledge nothing are not slow", async () => {
    const { process, faults } = scene()
    await process.start()
    const client = process.client("ann")
    const states: string[] = []
    client.onStatus(({ state }) => states.push(state))
    await process.connect(client)
    const first = client.command("echo", "kept")
    await process.clock.advance(200)
    expect(await first).toBe("kept")
    states.length = 0
    process.disk.faults.freeBytes = 0
    // The client expects an answer, the server acknowledgements.
    const held = client.command("echo", "held", { timeoutMs: 600_000 })
    for (let minute = 0; minute < 12; minute += 1) {
      process.server.local.sessions()[0]?.send("note", "held")
      await process.clock.advance(15_000)
    }
    process.disk.faults.freeBytes = Number.POSITIVE_INFINITY
    await process.clock.advance(1_000)
    expect(await held).toBe("held")
    await process.clock.advance(100_000)
    const { silentConnectionsClosed, slowConsumersClosed, sessionsResumed } = process.server.stats()
    expect({ silentConnectionsClosed, slowConsumersClosed, sessionsResumed }).toEqual({
      silentConnectionsClosed: 0,
      slowConsumersClosed: 0,
      sessionsResumed: 0,
    })
    expect(states.filter((state) => state !== "open" && state !== "doubtful")).toEqual([])
    expect(faults).toEqual([])
  })
})
