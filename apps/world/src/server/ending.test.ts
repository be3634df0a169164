import { expect, it } from "vitest"
import { createEnding } from "./ending.ts"
import type { Progress } from "./store/player-record.ts"
import type { SaveOutcome } from "./store/player-store.ts"
import { createSaver } from "./store/saver.ts"

const at = (x: number): Progress => ({
  id: 1,
  mapId: "meadow",
  x,
  y: 0,
  facing: "DOWN",
  currentHp: 10,
  maxHp: 10,
  skills: {},
  goods: {},
})

/** A world with a player who walks while the sessions close, and leaves with the last one. */
function world(saveAll: (records: readonly Progress[]) => Promise<SaveOutcome>) {
  const events: string[] = []
  const saver = createSaver({ saveAll, onError: (error) => events.push(String(error)) })
  let present = [at(1)]
  const ending = createEnding({
    sessions: {
      async close() {
        present = [at(2)]
        await Promise.resolve()
        // Like the game when a session ends.
        saver.put([at(3)])
        present = []
        events.push("sessions ended")
      },
    },
    tick: { stop: () => events.push("tick stopped") },
    http: { close: async () => void events.push("http closed") },
    saver,
    progress: () => present,
    store: { close: async () => void events.push("store closed") },
    onClosing: () => events.push("closing"),
  })
  return { ending, events }
}

const isWell: SaveOutcome = { refused: [], failure: undefined }

it("door-7 saves once, after the last handler has stopped, with its last changes", async () => {
  const saved: (readonly Progress[])[] = []
  const { ending, events } = world(async (records) => {
    saved.push(records)
    events.push("saved")
    return isWell
  })
  await Promise.all([ending.close(), ending.close()])
  expect(saved).toEqual([[at(3)]])
  expect(events).toEqual([
    "closing",
    "sessions ended",
    "tick stopped",
    "http closed",
    "saved",
    "store closed",
  ])
})

it("door-5 retries the last save, and reports how much is lost", async () => {
  let calls = 0
  const failing = world(async (unsaved) => {
    calls += 1
    return { refused: [], failure: { cause: new Error("database is locked"), unsaved } }
  })
  await expect(failing.ending.close()).rejects.toThrow(
    "the progress of 1 players could not be saved and is lost",
  )
  expect(calls).toBe(4)
  expect(failing.events.at(-1)).toBe("store closed")

  const late = world(async (unsaved) => {
    calls += 1
    return calls < 7 ? { refused: [], failure: { cause: new Error("database is locked"), unsaved } } : isWell
  })
  await late.ending.close()
  expect(calls).toBe(7)
})
