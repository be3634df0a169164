import { expect, it } from "vitest"
import { ReadingTurn } from "./reading-turn.ts"
import type { Held } from "./reading-turn.ts"

const kib = 1_024
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function connections(count: number): { log: string[]; all: Held[] } {
  const log: string[] = []
  const all = Array.from({ length: count }, (_, index) => ({
    holdReading: () => void log.push(`hold ${index}`),
    releaseReading: () => void log.push(`release ${index}`),
  }))
  return { log, all }
}

it("holds connections that receive more when a turn is at its limit, and releases four of them in each later turn", async () => {
  const reading = new ReadingTurn()
  const { log, all } = connections(10)
  const taken = all.map((connection) => reading.takes(64 * kib, connection))
  expect(taken.filter(Boolean)).toHaveLength(4)
  expect(log).toEqual([4, 5, 6, 7, 8, 9].map((index) => `hold ${index}`))
  log.length = 0
  await nextTurn()
  expect(log).toEqual([4, 5, 6, 7].map((index) => `release ${index}`))
  await nextTurn()
  expect(log.slice(4)).toEqual(["release 8", "release 9"])
  await nextTurn()
  expect(log).toHaveLength(6)
})

it("holds no connection for short messages, or in a turn with few bytes", async () => {
  const reading = new ReadingTurn()
  const { log, all } = connections(4)
  for (let turn = 0; turn < 3; turn += 1) {
    for (const connection of all) reading.takes(64 * kib, connection)
    for (let count = 0; count < 1_000; count += 1)
      for (const connection of all) reading.takes(kib, connection)
    await nextTurn()
  }
  expect(log).toEqual([])
})

it("removes a connection that has ended", async () => {
  const reading = new ReadingTurn()
  const { log, all } = connections(6)
  for (const connection of all) reading.takes(64 * kib, connection)
  for (const connection of all) reading.forget(connection)
  log.length = 0
  await nextTurn()
  expect(log).toEqual([])
})
