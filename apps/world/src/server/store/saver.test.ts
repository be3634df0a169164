import { expect, test } from "vitest"
import type { Progress } from "./player-record.ts"
import type { SaveOutcome } from "./player-store.ts"
import { createSaver } from "./saver.ts"

const isWell: SaveOutcome = { refused: [], failure: undefined }

function progress(id: number, x = 0): Progress {
  return { id, mapId: "meadow", x, y: 0, facing: "DOWN", currentHp: 10, maxHp: 10, skills: {}, goods: {} }
}

/** A saver whose database calls end on call, in order. */
function handSaver(pendingMaxCount = 10_000) {
  const calls: { readonly records: readonly Progress[]; end(outcome: SaveOutcome): Promise<void> }[] = []
  const errors: Error[] = []
  const saver = createSaver({
    saveAll: (records) =>
      new Promise((resolve) => {
        calls.push({
          records,
          async end(outcome) {
            resolve(outcome)
            for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
          },
        })
      }),
    onError: (error) => errors.push(error instanceof Error ? error : new Error(String(error))),
    pendingMaxCount,
  })
  const end = async (outcome: SaveOutcome | "down"): Promise<void> => {
    const call = calls.at(-1)
    const cause = new Error("database is locked")
    await call?.end(outcome === "down" ? { refused: [], failure: { cause, unsaved: call.records } } : outcome)
  }
  return { saver, calls, errors, end }
}

test("door-5 keeps refused progress, reports the cause, and saves the newest of each player later", async () => {
  const { saver, calls, errors, end } = handSaver()
  saver.put([progress(1), progress(2)])
  await end("down")
  expect(errors).toMatchObject([
    { message: "the progress of 2 players is not saved yet", cause: { message: "database is locked" } },
  ])
  expect(saver.health).toEqual({ failures: 1, isFailing: true, pending: 2, lost: 0 })

  saver.put([progress(1, 5)])
  await end("down")
  saver.retry()
  expect(calls.at(-1)?.records).toEqual([progress(2), progress(1, 5)])
  expect(saver.isPending(1)).toBe(true)
  await end(isWell)
  expect(saver.health).toEqual({ failures: 2, isFailing: false, pending: 0, lost: 0 })
  expect(saver.isPending(1)).toBe(false)
  saver.retry()
  expect(calls).toHaveLength(3)
})

test("door-5 treats progress that is put during a save as newer", async () => {
  const { saver, calls, end } = handSaver()
  saver.put([progress(1)])
  saver.put([progress(1, 5), progress(2)])
  expect(calls).toHaveLength(1)
  await end(isWell)
  expect(saver.health.pending).toBe(2)
  saver.retry()
  expect(calls[1]?.records).toEqual([progress(1, 5), progress(2)])
})

test("door-5 drops progress that can never be saved, and reports it", async () => {
  const { saver, errors, end } = handSaver()
  const broken = progress(1, Number.NaN)
  saver.put([broken, progress(2)])
  await end({
    refused: [{ record: broken, error: new Error("NOT NULL constraint failed") }],
    failure: undefined,
  })
  expect(saver.health).toEqual({ failures: 0, isFailing: false, pending: 0, lost: 1 })
  expect(errors).toMatchObject([{ message: "the progress of player 1 cannot be saved" }])
})

test("door-5 keeps a bounded number of players, drops the oldest and reports it", async () => {
  const { saver, errors, end } = handSaver(3)
  saver.put([progress(1), progress(2), progress(3)])
  await end("down")
  saver.put([progress(1, 5)])
  await end("down")
  saver.put([progress(4)])
  expect([1, 2, 3, 4].filter((id) => saver.isPending(id))).toEqual([1, 3, 4])
  expect(saver.health.lost).toBe(1)
  expect(errors.at(-1)?.message).toBe(
    "3 players' progress waits to be saved: the progress of player 2 was dropped",
  )
})

test("door-7 only collects after `hold`, and then saves all progress at once", async () => {
  const { saver, calls, end } = handSaver()
  saver.put([progress(1)])
  saver.hold()
  saver.put([progress(1, 2), progress(2)])
  saver.put([progress(1, 3)])
  await end(isWell)
  saver.retry()
  expect(calls).toHaveLength(1)
  const flushed = saver.flush()
  await Promise.resolve()
  expect(calls[1]?.records).toEqual([progress(2), progress(1, 3)])
  await end(isWell)
  expect(await flushed).toBe(0)
  expect(await saver.flush()).toBe(0)
  expect(calls).toHaveLength(2)
})
