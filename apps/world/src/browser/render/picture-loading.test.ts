import { expect, test } from "vitest"
import { loadPicture } from "./picture-loading.ts"

interface Attempt {
  readonly resolve: (picture: string) => void
  readonly reject: () => void
  readonly signal: AbortSignal
}

/** A page whose timers and downloads the test completes. */
function page() {
  let nowMs = 0
  let timers: { readonly atMs: number; readonly callback: () => void }[] = []
  const attempts: Attempt[] = []
  const loaded: string[] = []
  const loading = loadPicture<string>({
    load: (signal) =>
      new Promise((resolve, reject) => {
        attempts.push({ resolve, reject: () => reject(new Error("no picture")), signal })
      }),
    onLoaded: (picture) => loaded.push(picture),
    clock: {
      schedule(delayMs, callback) {
        const timer = { atMs: nowMs + delayMs, callback }
        timers.push(timer)
        return () => {
          timers = timers.filter((other) => other !== timer)
        }
      },
    },
  })
  return {
    loading,
    loaded,
    attempts,
    timerCount: () => timers.length,
    /** Fails the last attempt. */
    fail: async (): Promise<void> => {
      attempts.at(-1)?.reject()
      await new Promise((resolve) => setImmediate(resolve))
    },
    load: async (picture: string): Promise<void> => {
      attempts.at(-1)?.resolve(picture)
      await new Promise((resolve) => setImmediate(resolve))
    },
    /** Runs the next timer. Returns its delay. */
    runNext: (): number => {
      const [next] = timers.toSorted((one, other) => one.atMs - other.atMs)
      if (next === undefined) throw new Error("no timer is set")
      timers = timers.filter((timer) => timer !== next)
      const delayMs = next.atMs - nowMs
      nowMs = next.atMs
      next.callback()
      return delayMs
    },
  }
}

test("tries again after a failure, with growing delays and a bound, and at each retry after that", async () => {
  const { loading, attempts, fail, load, loaded, runNext, timerCount } = page()
  const delays: number[] = []
  for (let count = 1; count <= 6; count += 1) {
    expect(attempts.length).toBe(count)
    await fail()
    if (timerCount() > 0) delays.push(runNext())
  }
  expect(delays).toEqual([1_000, 3_000, 10_000, 30_000, 60_000])
  expect(timerCount()).toBe(0)
  loading.retry()
  loading.retry()
  expect(attempts.length).toBe(7)
  await load("tiles")
  expect(loaded).toEqual(["tiles"])
  loading.retry()
  expect([attempts.length, timerCount()]).toEqual([7, 0])
})

test("does not wait for the delay if a session opens", async () => {
  const { loading, attempts, fail, timerCount } = page()
  await fail()
  loading.retry()
  expect(attempts.length).toBe(2)
  expect(timerCount()).toBe(1)
})

test("ends a download that hangs, and gives the next one twice the time", async () => {
  const { attempts, load, loaded, runNext } = page()
  expect(runNext()).toBe(30_000)
  expect(attempts[0]?.signal.aborted).toBe(true)
  expect(runNext()).toBe(1_000)
  expect(attempts.length).toBe(2)
  // The first one arrives after all.
  attempts[0]?.resolve("late")
  await load("tiles")
  expect(loaded).toEqual(["tiles"])
})

test("ends the download and its timers with the page's world", async () => {
  const { loading, attempts, load, loaded, timerCount } = page()
  loading.stop()
  expect(attempts[0]?.signal.aborted).toBe(true)
  await load("tiles")
  expect([loaded.length, timerCount()]).toEqual([0, 0])
})
