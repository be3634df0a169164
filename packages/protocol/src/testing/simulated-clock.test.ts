import fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import { SimulatedClock } from "./simulated-clock.ts"
import { unwatched } from "./unwatched.ts"

let clock: SimulatedClock
let log: string[]

beforeEach(() => {
  clock = new SimulatedClock()
  log = []
})

function note(text: string): () => void {
  return () => void log.push(`${text}@${clock.now()}`)
}

describe("SimulatedClock", () => {
  it("starts at 0 and moves only in advance()", async () => {
    expect(clock.now()).toBe(0)
    await clock.settle()
    expect(clock.now()).toBe(0)
    await clock.advance(12.5)
    expect(clock.now()).toBe(12.5)
  })

  it("runs timers in the order of their times, each at its own time", async () => {
    clock.schedule(30, note("c"))
    clock.schedule(10, note("a"))
    clock.schedule(20, note("b"))
    await clock.advance(25)
    expect(log).toEqual(["a@10", "b@20"])
    expect(clock.now()).toBe(25)
    await clock.advance(5)
    expect(log).toEqual(["a@10", "b@20", "c@30"])
  })

  it("runs timers of the same time in the order of their creation", async () => {
    for (const name of ["a", "b", "c", "d"]) clock.schedule(10, note(name))
    await clock.advance(10)
    expect(log).toEqual(["a@10", "b@10", "c@10", "d@10"])
  })

  it("never calls back before schedule returns, also with a delay of 0", async () => {
    clock.schedule(0, note("a"))
    expect(log).toEqual([])
    await clock.settle()
    expect(log).toEqual(["a@0"])
  })

  it("runs a timer once", async () => {
    clock.schedule(1, note("a"))
    await clock.advance(1)
    await clock.advance(10)
    expect(log).toEqual(["a@1"])
    expect(clock.pendingCount).toBe(0)
  })

  it("cancels only the given timer among others of the same time", async () => {
    const cancels = ["a", "b", "c"].map((name) => clock.schedule(10, note(name)))
    expect(clock.pendingCount).toBe(3)
    cancels[1]?.()
    cancels[1]?.()
    expect(clock.pendingCount).toBe(2)
    await clock.advance(10)
    expect(log).toEqual(["a@10", "c@10"])
    cancels[0]?.()
    expect(clock.pendingCount).toBe(0)
  })

  it("lets a timer cancel one that is due at the same time", async () => {
    let cancel = (): void => {}
    clock.schedule(10, () => cancel())
    cancel = clock.schedule(10, note("b"))
    await clock.advance(10)
    expect(log).toEqual([])
  })

  it("runs timers that timers add, at their own time", async () => {
    clock.schedule(10, () => {
      note("a")()
      clock.schedule(5, note("b"))
      clock.schedule(100, note("late"))
    })
    await clock.advance(20)
    expect(log).toEqual(["a@10", "b@15"])
    expect(clock.pendingCount).toBe(1)
  })

  it("runs timers that promise jobs add, before time advances", async () => {
    const work = async (): Promise<void> => {
      await Promise.resolve()
      note("awaited")()
      clock.schedule(10, note("timer"))
    }
    unwatched(work())
    await clock.advance(10)
    expect(log).toEqual(["awaited@0", "timer@10"])
  })

  it("lets promise jobs run after each timer, before the next one", async () => {
    clock.schedule(10, () => {
      note("a")()
      unwatched(Promise.resolve().then(note("job")))
    })
    clock.schedule(10, note("b"))
    await clock.advance(10)
    expect(log).toEqual(["a@10", "job@10", "b@10"])
  })

  it("lets a chain of 20 awaits end", async () => {
    const work = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      note("end")()
    }
    unwatched(work())
    await clock.settle()
    expect(log).toEqual(["end@0"])
  })

  it("settles chains of timers and promise jobs that need no time, and runs no later timer", async () => {
    const wait = (delayMs: number): Promise<void> =>
      new Promise((resolve) => {
        clock.schedule(delayMs, () => resolve())
      })
    const work = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn += 1) await wait(0)
      note("end")()
      await wait(1)
      note("too late")()
    }
    unwatched(work())
    await clock.settle()
    expect(log).toEqual(["end@0"])
    expect(clock.pendingCount).toBe(1)
  })

  it("fails with a clear error for timers that repeat without time", async () => {
    const again = (): void => void clock.schedule(0, again)
    again()
    const reason =
      "10000 timers ran at 0 ms and there are more: something schedules itself again with a delay of 0"
    await expect(clock.settle()).rejects.toThrow(new Error(reason))
    await expect(clock.advance(5)).rejects.toThrow("10000 timers ran at 0 ms")
  })

  it("runs any number of timers while time advances", async () => {
    let ran = 0
    const again = (): void => {
      ran += 1
      if (ran < 15_000) clock.schedule(1, again)
    }
    clock.schedule(1, again)
    await clock.advance(15_000)
    expect(ran).toBe(15_000)
  })

  it("rejects with the error of a timer, and continues from there", async () => {
    clock.schedule(10, () => {
      throw new Error("broken")
    })
    clock.schedule(20, note("b"))
    await expect(clock.advance(30)).rejects.toThrow("broken")
    expect(clock.now()).toBe(10)
    await clock.advance(10)
    expect(log).toEqual(["b@20"])
  })

  it("refuses to run twice at the same time", async () => {
    const first = clock.advance(10)
    await expect(clock.settle()).rejects.toThrow("already running")
    await first
    expect(clock.now()).toBe(10)
  })

  it.each([-1, NaN, Infinity])("refuses a delay and a step of %d ms", async (ms) => {
    expect(() => clock.schedule(ms, note("a"))).toThrow(RangeError)
    await expect(clock.advance(ms)).rejects.toThrow(RangeError)
    expect(clock.pendingCount).toBe(0)
  })

  it("refuses a delay that setTimeout could not hold", () => {
    expect(() => clock.schedule(2 ** 31, note("a"))).toThrow(RangeError)
    clock.schedule(2 ** 31 - 1, note("a"))
    expect(clock.pendingCount).toBe(1)
  })

  it("runs the due timers that are not cancelled, like a sorted list", async () => {
    const timer = fc.record({ delayMs: fc.nat(20), isCancelled: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(timer, { maxLength: 40 }), fc.nat(25), async (timers, endMs) => {
        const simulated = new SimulatedClock()
        const ran: number[] = []
        const cancels = timers.map(({ delayMs }, index) =>
          simulated.schedule(delayMs, () => void ran.push(index)),
        )
        timers.forEach(({ isCancelled }, index) => {
          if (isCancelled) cancels[index]?.()
        })
        await simulated.advance(endMs)
        const left = timers.map((one, index) => ({ ...one, index })).filter(({ isCancelled }) => !isCancelled)
        const due = left.filter(({ delayMs }) => delayMs <= endMs).sort((a, b) => a.delayMs - b.delayMs)
        expect(ran).toEqual(due.map(({ index }) => index))
        expect(simulated.pendingCount).toBe(left.length - due.length)
      }),
    )
  })
})

describe("SimulatedClock, stepped", () => {
  it("runs timers in the order of their times, then of their creation", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (delays) => {
        const stepped = new SimulatedClock()
        const ran: number[] = []
        for (const [index, delayMs] of delays.entries()) stepped.schedule(delayMs, () => ran.push(index))
        while (stepped.step());
        const expected = delays.map((delayMs, index) => ({ delayMs, index }))
        expected.sort((one, other) => one.delayMs - other.delayMs || one.index - other.index)
        expect(ran).toEqual(expected.map(({ index }) => index))
      }),
    )
  })

  it("removes any number of cancelled timers at once", () => {
    const stepped = new SimulatedClock()
    const ran: number[] = []
    const cancels = Array.from({ length: 1_000 }, (_, index) =>
      stepped.schedule(index, () => ran.push(index)),
    )
    for (const [index, cancel] of cancels.entries()) {
      if (index % 10 !== 0) cancel()
      if (index % 10 === 1) cancel()
    }
    expect([stepped.pendingCount, stepped.nextAtMs]).toEqual([100, 0])
    while (stepped.step());
    expect([ran.length, ran.at(-1), stepped.now(), stepped.pendingCount]).toEqual([100, 990, 990, 0])
    expect([stepped.nextAtMs, stepped.step()]).toEqual([undefined, false])
  })

  it("never runs a timer early, and makes progress for a timer that waits for the rest of a delay", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (dueMs) => {
        const stepped = new SimulatedClock()
        let tries = 0
        const wait = (): void => {
          tries += 1
          if (stepped.now() < dueMs) stepped.schedule(dueMs - stepped.now(), wait)
        }
        stepped.schedule(0.1, wait)
        while (stepped.step());
        expect(stepped.now()).toBeGreaterThanOrEqual(Math.min(dueMs, 0.1))
        expect(tries).toBeLessThan(4)
      }),
    )
  })

  it("throws the error of a timer, which has run", () => {
    clock.schedule(10, () => {
      throw new Error("broken")
    })
    expect(() => clock.step()).toThrow("broken")
    expect([clock.now(), clock.step()]).toEqual([10, false])
  })
})
