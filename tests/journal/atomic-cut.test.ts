// Trades between durable records, each with a publication and an entry of an outbox, while the process ends within every write: no
// life knows half of a trade, no client has seen one that the next life does not know, and the database has each one once.
import { defineContract, defineReplica, defineTopic, integer } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import Database from "libsql"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { Lives } from "./lives.ts"

const trade = z.object({ from: z.string(), to: z.string(), gold: z.int() })
const gold = { gold: integer() }
const contract = defineContract({
  name: "market",
  commands: { pay: { input: trade, output: z.int() } },
  events: { paid: { payload: z.object({ number: z.int() }) } },
  errors: { too_poor: null },
  replicas: {
    purses: defineReplica({ fields: gold, durable: true }),
    /** Trades until now, in the record `all`. */
    counts: defineReplica({ fields: { trades: integer() }, durable: true }),
    outbox: defineReplica({ fields: { number: integer() }, durable: true }),
  },
  topics: { news: defineTopic({ events: ["paid"] }) },
})
type User = { readonly id: string }
const total = 40

function newMarket() {
  const database = new Database(":memory:")
  database.exec("CREATE TABLE trades (key TEXT PRIMARY KEY, number INTEGER)")
  const insert = database.prepare("INSERT OR IGNORE INTO trades VALUES (?, ?)")
  const errors: unknown[] = []
  const lives = new Lives<typeof contract, User>(contract, (life) => {
    const server = createServer(contract, {
      authenticate: (id: string) => ({ id }),
      onError: (error) => {
        if (!/the journal's (disk|segment)/.test(String(error))) errors.push(error)
      },
      ...life,
    })
    const { purses, counts, outbox } = {
      purses: server.replica("purses"),
      counts: server.replica("counts"),
      outbox: server.replica("outbox"),
    }
    const move = (id: string, change: number): void =>
      purses.set(id, { gold: (purses.get(id)?.gold ?? 0) + change })
    server.command("pay", ({ input: { from, to, gold: amount }, messageKey }) => {
      move(to, amount)
      const number = (counts.get("all")?.trades ?? 0) + 1
      counts.set("all", { trades: number })
      outbox.set(messageKey, { number })
      server.topic("news:all").publish("paid", { number })
      move(from, -amount)
      if ((purses.get(from)?.gold ?? 0) < 0) throw contract.error("too_poor")
      return number
    })
    server.topicKind("news", { canJoin: () => true, history: { maxCount: 1_000 } })
    server.onSession(({ session }) => void purses.view(session))
    server.onSessionRestored((session) => void purses.view(session))
    return server
  })
  /** Moves the entries of the outbox to the database, each after the journal has kept it. */
  const flush = async (): Promise<void> => {
    const { server } = lives
    const outbox = server.replica("outbox")
    await server.committed()
    for (const [key, { number }] of [...outbox]) {
      if (server !== lives.server) return
      insert.run(key, number)
      outbox.remove(key)
    }
  }
  return { lives, database, flush, errors }
}

/** @param at number of the write within which the process ends. @param share share of its bytes that reach the disk. */
async function run(at: number, share: number): Promise<number> {
  const { lives, database, flush, errors } = newMarket()
  const { clock, disk } = lives
  let writes = 0
  let mustStart = false
  let seenTrades = 0
  const sums: number[] = []
  disk.faults.endsAfter = (bytes) => {
    writes += 1
    if (writes !== at) return undefined
    lives.kill()
    mustStart = true
    return Math.round(bytes * share)
  }
  const sumOf = (purses: Iterable<readonly [string, { readonly gold: number }]>): number =>
    [...purses].reduce((sum, [, one]) => sum + one.gold, 0)
  const begin = async (): Promise<void> => {
    mustStart = false
    await lives.start()
    const { server } = lives
    const trades = server.replica("counts").get("all")?.trades ?? 0
    expect(trades).toBeGreaterThanOrEqual(seenTrades)
    const purses = server.replica("purses")
    if (purses.size === 0)
      server.atomic(() => ["a", "b"].forEach((id) => purses.set(id, { gold: total / 2 })))
    expect(sumOf(purses)).toBe(total)
  }
  const hasEnded = (): boolean => mustStart
  await begin()
  const viewer = lives.client("bob", 2)
  const told: number[] = []
  const news = viewer.topic("news:all")
  news.on("paid", ({ number }) => {
    told.push(number)
    seenTrades = Math.max(seenTrades, number)
  })
  const copy = viewer.replica("purses")
  copy.subscribe(() => sums.push(sumOf(copy)))
  viewer.connect().catch(() => {})
  news.join().catch(() => {})
  const payer = lives.client("ann", 1)
  payer.connect().catch(() => {})
  const replies: Promise<PromiseSettledResult<number>[]>[] = []
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(300)
    if (hasEnded()) await begin()
    const pay = (from: string, to: string, amount: number): void => {
      const reply = payer.command("pay", { from, to, gold: amount })
      reply.then(
        (number) => (seenTrades = Math.max(seenTrades, number)),
        () => {},
      )
      replies.push(Promise.allSettled([reply]))
    }
    pay("a", "b", 3)
    pay("b", "a", 1_000)
    pay("b", `c${round}`, 2)
    void flush().catch(() => {})
  }
  for (let wait = 0; wait < 20; wait += 1) {
    await clock.advance(500)
    if (hasEnded()) await begin()
    void flush().catch(() => {})
  }
  const outcomes = (await Promise.all(replies)).flat()
  expect(outcomes.map(({ status }) => status)).toEqual(
    Array.from({ length: 5 }, () => ["fulfilled", "rejected", "fulfilled"]).flat(),
  )
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1)
  expect(outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))).toEqual(numbers)
  // All since the join, which a process may have ended before.
  expect(told.length).toBeGreaterThanOrEqual(at === Number.POSITIVE_INFINITY ? 10 : 4)
  expect(told).toEqual(numbers.slice(-told.length))
  expect(lives.server.replica("counts").get("all")).toEqual({ trades: 10 })
  expect(lives.server.replica("outbox").size).toBe(0)
  expect(database.prepare("SELECT number FROM trades ORDER BY number").all()).toEqual(
    numbers.map((number) => ({ number })),
  )
  expect(new Set(sums.filter((sum) => sum !== 0))).toEqual(new Set([total]))
  expect(Object.fromEntries(copy)).toEqual(Object.fromEntries(lives.server.replica("purses")))
  expect(errors).toEqual([])
  for (const client of [viewer, payer]) client.close()
  database.close()
  return writes
}

describe("trades in a process that ends within a write", () => {
  it.each([0, 0.5, 1])(
    "after %s of its bytes are whole or not at all",
    { timeout: 120_000 },
    async (share) => {
      const writes = await run(Number.POSITIVE_INFINITY, 0)
      expect(writes).toBeGreaterThan(20)
      for (let at = 1; at <= writes; at += 1) await run(at, share)
    },
  )
})
