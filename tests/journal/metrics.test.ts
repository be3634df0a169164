// Measurements of a journal whose disk is full, slow or failing, and of starts.
import { defineContract } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const contract = defineContract({
  name: "measured",
  commands: { move: { input: z.object({ direction: z.string() }), output: z.string() } },
})

async function scene() {
  const errors: unknown[] = []
  const process = new Lives(contract, (options) => {
    const server = createServer(contract, {
      authenticate: (id) => ({ id }),
      onError: (error) => errors.push(error),
      ...options,
    })
    server.command("move", ({ input }) => input.direction)
    return server
  })
  await process.start()
  const client = process.client("ann")
  await process.connect(client)
  const stats = () => {
    const { journal } = process.server.stats()
    if (journal === undefined) throw new Error("the server has a journal")
    return journal
  }
  return { process, client, stats, errors }
}

describe("server.stats().journal", () => {
  it("counts a record with its bytes for each turn in which something happened, and the size of the folder", async () => {
    const { process, client, stats } = await scene()
    const before = stats()
    expect(before).toMatchObject({ stalls: 0, heldMs: 0, pendingMs: 0, writesRefused: 0, syncsFailed: 0 })
    const moving = client.command("move", { direction: "UP" })
    await process.clock.advance(1_000)
    await moving
    const after = stats()
    expect(after.records).toBeGreaterThan(before.records)
    expect(after.appends.count).toBe(after.records)
    expect(after.bytes).toBeGreaterThan(before.bytes)
    expect(after.syncs).toBeGreaterThan(0)
    const onDisk = [...process.disk.copy().values()].reduce((sum, { length }) => sum + length, 0)
    expect(after.keptBytes).toBe(onDisk)
    await process.clock.advance(60_000)
    expect(stats().records).toBe(after.records)
  })

  it("tells for how long a full disk has held output, and that it holds it no more", async () => {
    const { process, client, stats, errors } = await scene()
    process.disk.faults.freeBytes = 0
    const moving = client.command("move", { direction: "UP" })
    await process.clock.advance(2_000)
    expect(errors).toHaveLength(1)
    const held = stats()
    expect(held.pendingMs).toBeGreaterThan(1_800)
    expect(held.heldMs).toBe(held.pendingMs)
    expect(held.writesRefused).toBeGreaterThan(10)
    process.disk.faults.freeBytes = Number.POSITIVE_INFINITY
    await process.clock.advance(1_000)
    expect(await moving).toBe("UP")
    const after = stats()
    expect([after.pendingMs, after.stalls]).toEqual([0, 1])
    expect(after.heldMs).toBeGreaterThanOrEqual(held.heldMs)
    await process.clock.advance(10_000)
    expect(stats().heldMs).toBe(after.heldMs)
  })

  it("counts failed syncs, and the size of the segment that replaces the others", async () => {
    const { process, client, stats } = await scene()
    process.disk.faults.failsSync = true
    const moving = client.command("move", { direction: "UP" })
    await process.clock.advance(1_000)
    await moving
    expect(stats().syncsFailed).toBeGreaterThan(1)
    process.disk.faults.failsSync = false
    await process.clock.advance(1_000)
    const onDisk = [...process.disk.copy().values()].reduce((sum, { length }) => sum + length, 0)
    expect(stats().keptBytes).toBe(onDisk)
  })

  it("holds the result of the start: sessions, topics, bytes and what is missing", async () => {
    const { process, stats } = await scene()
    expect(stats().recovery).toMatchObject({ sessions: 0, topics: 0, bytes: 0, isWhole: true })
    process.kill()
    await process.start()
    expect(stats().recovery).toMatchObject({ sessions: 1, isWhole: true, setAside: 0, requestsSetAside: 0 })
    expect(stats().recovery).toEqual(process.server.recovery)
    expect(stats().recovery?.bytes).toBeGreaterThan(0)
    const earlier = [...process.disk.copy().values()].reduce((sum, { length }) => sum + length, 0)
    expect(stats().keptBytes).toBe(earlier)
  })

  it("is undefined without a journal", () => {
    const server = createServer(contract, { authenticate: (id) => ({ id }) })
    server.command("move", ({ input }) => input.direction)
    expect(server.stats().journal).toBeUndefined()
  })
})
