import { expect, test } from "vitest"
import { createHashQueue } from "./hash-queue.ts"
import type { HashOutcome } from "./hash-queue.ts"

/** A queue whose jobs end on call, in the order in which they were started. */
function handQueue(bounds: Partial<Parameters<typeof createHashQueue>[0]> = {}) {
  const queue = createHashQueue({ hashThreads: 1, hashesPerLine: 8, hashesMaxCount: 64, ...bounds })
  const begun: string[] = []
  const endings: (() => void)[] = []
  return {
    queue,
    begun,
    ask: (address: string, name = address): Promise<HashOutcome<string>> =>
      queue.run(address, () => {
        begun.push(name)
        return new Promise<string>((resolve) => endings.push(() => resolve(name)))
      }),
    endOne: async (): Promise<void> => {
      endings.shift()?.()
      // The next job starts after the outcome of this one has arrived.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
    },
  }
}

test("door-3 serves another address after the running job, for any number of jobs of one address", async () => {
  const { begun, ask, endOne } = handQueue()
  const flood = Array.from({ length: 1_040 }, () => ask("10.0.0.1", "flood"))
  const login = ask("10.0.0.2", "log-in")
  await endOne()
  expect(begun).toEqual(["flood", "log-in"])
  await endOne()
  expect(await login).toEqual({ kind: "done", value: "log-in" })
  for (let job = 0; job < 8; job += 1) await endOne()
  const outcomes = await Promise.all(flood)
  expect(outcomes.filter(({ kind }) => kind === "done")).toHaveLength(8)
  expect(outcomes.filter(({ kind }) => kind === "lineIsFull")).toHaveLength(1_032)
})

test("door-3 lets addresses take turns, and runs at most one job per thread", async () => {
  const { queue, begun, ask, endOne } = handQueue({ hashThreads: 2 })
  const asked = ["a1", "a2", "a3", "b1", "b2", "c1"].map((name) => ask(name.slice(0, 1), name))
  expect(begun).toEqual(["a1", "a2"])
  for (let job = 0; job < 6; job += 1) await endOne()
  expect(begun).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"])
  expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual(Array.from(asked, () => "done"))
  expect(queue.size).toBe(0)
})

test("door-3 makes space for a new job by refusing the newest job of the longest line, else refuses the new job", async () => {
  const { ask, begun, endOne } = handQueue({ hashesMaxCount: 5 })
  const flood = ["1", "2", "3", "4", "5"].map((name) => ask("a", name))
  const newcomers = ["b", "c", "d"].map((name) => ask(name))
  expect(await Promise.all([flood[4], flood[3], flood[2]])).toEqual(
    Array.from({ length: 3 }, () => ({ kind: "full" })),
  )
  expect(await ask("e")).toEqual({ kind: "full" })
  for (let job = 0; job < 5; job += 1) await endOne()
  expect(begun).toEqual(["1", "b", "c", "d", "2"])
  expect((await Promise.all(newcomers)).map(({ kind }) => kind)).toEqual(["done", "done", "done"])
})

test("continues after a failed job", async () => {
  const queue = createHashQueue({ hashThreads: 1, hashesPerLine: 8, hashesMaxCount: 64 })
  const failed = queue.run("a", () => Promise.reject(new Error("no memory")))
  const next = queue.run("a", () => Promise.resolve("well"))
  await expect(failed).rejects.toThrow("no memory")
  expect(await next).toEqual({ kind: "done", value: "well" })
  expect(queue.size).toBe(0)
})
