import fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import type { Clock } from "./clock.ts"
import { TimerQueue } from "./timer-queue.ts"

interface Armed {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock for one queue. It fires timers synchronously, refuses invalid delays, and lists the armed timers. */
class FakeClock implements Clock {
  nowMs = 0
  armed: Armed[] = []
  readonly delaysMs: number[] = []

  now(): number {
    return this.nowMs
  }

  schedule(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= 2 ** 31 - 1))
      throw new RangeError(`setTimeout cannot wait for ${delayMs} ms`)
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.delaysMs.push(delayMs)
    this.armed.push(timer)
    return () => {
      this.armed = this.armed.filter((other) => other !== timer)
    }
  }

  /** Advances by `ms` and fires the due timers, each at its time. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms
    for (let next = this.earliest(); next !== undefined && next.atMs <= endMs; next = this.earliest()) {
      this.nowMs = Math.max(next.atMs, this.nowMs)
      this.fire(next)
    }
    this.nowMs = endMs
  }

  /** Fires a timer now, early or late. */
  fire(timer: Armed): void {
    this.armed = this.armed.filter((other) => other !== timer)
    timer.callback()
  }

  earliest(): Armed | undefined {
    return this.armed.toSorted((one, other) => one.atMs - other.atMs)[0]
  }
}

let clock: FakeClock
let queue: TimerQueue
let log: string[]
let errors: unknown[]

beforeEach(() => {
  clock = new FakeClock()
  log = []
  errors = []
  queue = new TimerQueue(clock, (error) => errors.push(error))
})

function note(text: string): () => void {
  return () => void log.push(`${text}@${clock.nowMs}`)
}

function armedAtMs(): number[] {
  return clock.armed.map(({ atMs }) => atMs)
}

describe("one timer of the clock", () => {
  it("is not armed while the queue is empty", () => {
    expect(armedAtMs()).toEqual([])
    queue.at(10, note("a"))()
    expect(armedAtMs()).toEqual([])
    queue.at(10, note("a"))
    clock.advance(10)
    expect(armedAtMs()).toEqual([])
  })

  it("is armed for the earliest entry while entries are added and cancelled", () => {
    const cancelMiddle = queue.at(20, note("b"))
    expect(armedAtMs()).toEqual([20])
    queue.at(30, note("c"))
    expect(armedAtMs()).toEqual([20])
    const cancelFirst = queue.at(10, note("a"))
    expect(armedAtMs()).toEqual([10])
    cancelFirst()
    expect(armedAtMs()).toEqual([20])
    cancelMiddle()
    expect(armedAtMs()).toEqual([30])
    clock.advance(30)
    expect(log).toEqual(["c@30"])
  })

  it("is not replaced while the earliest time does not change", () => {
    const cancel = queue.at(10, note("a"))
    queue.at(10, note("b"))
    const cancelLater = queue.at(11, note("c"))
    cancelLater()
    cancel()
    expect(clock.delaysMs).toEqual([10])
  })

  it("is armed again for the remaining entries after it fired", () => {
    queue.at(10, note("a"))
    queue.at(25, note("b"))
    clock.advance(10)
    expect(armedAtMs()).toEqual([25])
    clock.advance(15)
    expect(log).toEqual(["a@10", "b@25"])
  })
})

describe("firing", () => {
  it("follows time, and at equal times the order of adding", () => {
    queue.at(20, note("c"))
    queue.at(10, note("a"))
    queue.at(20, note("d"))
    queue.at(10, note("b"))
    queue.at(20, note("e"))
    clock.advance(20)
    expect(log).toEqual(["a@10", "b@10", "c@20", "d@20", "e@20"])
  })

  it("counts a delay from now", () => {
    clock.advance(100)
    queue.after(5, note("a"))
    queue.after(0, note("b"))
    clock.advance(0)
    expect(log).toEqual(["b@100"])
    clock.advance(5)
    expect(log).toEqual(["b@100", "a@105"])
  })

  it("runs an entry whose time has passed as soon as possible, never in the call of `at`", () => {
    clock.advance(100)
    queue.at(50, note("a"))
    queue.at(40, note("b"))
    queue.after(-3, note("c"))
    expect(log).toEqual([])
    expect(armedAtMs()).toEqual([100])
    clock.advance(0)
    expect(log).toEqual(["b@100", "a@100", "c@100"])
  })

  it("runs overdue entries in order when the clock fires late", () => {
    for (const atMs of [30, 10, 20, 10]) queue.at(atMs, note(String(atMs)))
    const timer = clock.earliest()
    clock.nowMs = 25
    if (timer !== undefined) clock.fire(timer)
    expect(log).toEqual(["10@25", "10@25", "20@25"])
    expect(armedAtMs()).toEqual([30])
  })

  it("arms the timer again when the clock fires early", () => {
    queue.at(10, note("a"))
    const timer = clock.earliest()
    clock.nowMs = 9.5
    if (timer !== undefined) clock.fire(timer)
    expect(log).toEqual([])
    expect(armedAtMs()).toEqual([10])
    clock.advance(1)
    expect(log).toEqual(["a@10"])
  })

  it("waits longer than setTimeout can", () => {
    const dayMs = 86_400_000
    queue.at(100 * dayMs, note("late"))
    queue.at(2 ** 31, note("just too long"))
    clock.advance(99 * dayMs)
    expect(log).toEqual([`just too long@${2 ** 31}`])
    expect(clock.armed.length).toBe(1)
    clock.advance(dayMs)
    expect(log).toEqual([`just too long@${2 ** 31}`, `late@${100 * dayMs}`])
    expect(Math.max(...clock.delaysMs)).toBe(2 ** 31 - 1)
    expect(armedAtMs()).toEqual([])
  })
})

describe("callbacks that change the queue", () => {
  it("may add entries, which wait for the next wake-up even when they are due", () => {
    let armedMeanwhile: number[] | undefined
    queue.at(10, () => {
      note("a")()
      queue.at(10, note("due"))
      queue.at(3, note("overdue"))
      queue.after(5, note("later"))
      armedMeanwhile = armedAtMs()
    })
    queue.at(10, note("b"))
    const timer = clock.earliest()
    clock.nowMs = 10
    if (timer !== undefined) clock.fire(timer)
    expect(log).toEqual(["a@10", "b@10"])
    expect(armedMeanwhile).toEqual([])
    expect(armedAtMs()).toEqual([10])
    clock.advance(5)
    expect(log).toEqual(["a@10", "b@10", "due@10", "overdue@10", "later@15"])
  })

  it("cannot prolong a wake-up by adding themselves again", () => {
    let ran = 0
    const again = (): void => {
      ran += 1
      queue.after(0, again)
    }
    again()
    for (let wakeUp = 1; wakeUp <= 3; wakeUp += 1) {
      const timer = clock.earliest()
      if (timer !== undefined) clock.fire(timer)
      expect(ran).toBe(1 + wakeUp)
    }
    expect(queue.size).toBe(1)
  })

  it("may cancel entries that are due at the same time", () => {
    let cancel = (): void => {}
    queue.at(10, () => cancel())
    cancel = queue.at(10, note("b"))
    queue.at(10, note("c"))
    clock.advance(10)
    expect(log).toEqual(["c@10"])
  })

  it("may cancel the earliest remaining entry", () => {
    let cancel = (): void => {}
    queue.at(10, () => cancel())
    cancel = queue.at(20, note("b"))
    queue.at(30, note("c"))
    clock.advance(10)
    expect(armedAtMs()).toEqual([30])
  })

  it("may cancel themselves without effect", () => {
    const cancel = queue.at(10, () => {
      cancel()
      note("a")()
    })
    queue.at(10, note("b"))
    clock.advance(10)
    expect(log).toEqual(["a@10", "b@10"])
    expect(queue.size).toBe(0)
  })

  it("may clear the queue, which ends the wake-up", () => {
    queue.at(10, () => queue.clear())
    queue.at(10, note("b"))
    clock.advance(20)
    expect(log).toEqual([])
    expect(armedAtMs()).toEqual([])
  })
})

describe("callbacks that throw", () => {
  it("do not stop the others, and are reported in order", () => {
    for (const name of ["a", "b", "c"]) {
      queue.at(10, note(name))
      queue.at(10, () => {
        throw new Error(name)
      })
    }
    queue.at(20, note("later"))
    clock.advance(20)
    expect(log).toEqual(["a@10", "b@10", "c@10", "later@20"])
    expect(errors).toEqual([new Error("a"), new Error("b"), new Error("c")])
  })

  it("cannot leave the queue without a timer even if the report throws too", () => {
    const strict = new TimerQueue(clock, (error) => {
      throw error
    })
    strict.at(10, () => {
      throw new Error("broken")
    })
    strict.at(10, note("b"))
    expect(() => clock.advance(10)).toThrow("broken")
    expect(armedAtMs()).toEqual([10])
    clock.advance(0)
    expect(log).toEqual(["b@10"])
  })
})

describe("cancelling", () => {
  it("removes the entry at once", () => {
    const cancels = ["a", "b", "c"].map((name) => queue.at(10, note(name)))
    expect(queue.size).toBe(3)
    cancels[1]?.()
    expect(queue.size).toBe(2)
    clock.advance(10)
    expect(log).toEqual(["a@10", "c@10"])
  })

  it("does nothing the second time, or after the entry fired", () => {
    const cancel = queue.at(10, note("a"))
    const cancelFired = queue.at(5, note("b"))
    clock.advance(5)
    cancel()
    queue.at(10, note("c"))
    cancel()
    cancelFired()
    expect(queue.size).toBe(1)
    clock.advance(10)
    expect(log).toEqual(["b@5", "c@10"])
  })
})

describe("a clock that delays its timers, as browsers do in a hidden page", () => {
  /** Makes the armed timer late by `ms`. */
  function holdBack(ms: number): void {
    clock.nowMs = (clock.earliest()?.atMs ?? 0) + ms
  }

  it("surprise-A1 arms a fresh timer for a late head when a deadline is added, and runs nothing in the caller", () => {
    queue.at(10, note("tick"))
    holdBack(30_000)
    queue.after(500, note("ack"))
    expect(log).toEqual([])
    expect(armedAtMs()).toEqual([30_010])
    clock.advance(0)
    expect(log).toEqual(["tick@30010"])
    clock.advance(500)
    expect(log).toEqual(["tick@30010", "ack@30510"])
  })

  it("surprise-A1 runs the overdue entries when a message arrives, and arms a fresh timer for the rest", () => {
    queue.at(10, note("tick"))
    queue.at(500, note("ack"))
    queue.at(50_000, note("deadline"))
    holdBack(30_000)
    queue.runDue()
    expect(log).toEqual(["tick@30010", "ack@30010"])
    expect(armedAtMs()).toEqual([50_000])
    expect(clock.delaysMs.at(-1)).toBe(19_990)
    clock.advance(20_000)
    expect(log.at(-1)).toBe("deadline@50000")
  })

  it("surprise-A1 replaces a timer that a timer armed when a message arrives, once", () => {
    queue.at(10, () => queue.at(1_010, note("tick")))
    clock.advance(10)
    const [chained] = clock.armed
    clock.nowMs = 20
    queue.runDue()
    const [fresh] = clock.armed
    expect(fresh).not.toBe(chained)
    expect(armedAtMs()).toEqual([1_010])
    queue.runDue()
    expect(clock.armed).toEqual([fresh])
    clock.advance(990)
    expect(log).toEqual(["tick@1010"])
  })

  it("replaces a late timer once for each 100 ms, so that repeated additions cannot postpone it for ever", () => {
    queue.at(10, note("tick"))
    holdBack(100)
    for (let count = 0; count < 5; count += 1) queue.after(1_000, note("more"))
    expect(clock.delaysMs).toEqual([10])
    clock.nowMs = 111
    for (let count = 0; count < 5; count += 1) queue.after(1_000, note("more"))
    expect(clock.delaysMs).toEqual([10, 0])
    clock.nowMs = 212
    queue.after(1_000, note("more"))
    expect(clock.delaysMs).toEqual([10, 0, 0])
    expect(armedAtMs()).toEqual([212])
  })

  it("keeps entries that are added while it runs overdue ones for the next run", () => {
    const again = (): void => {
      note("again")()
      queue.at(0, again)
    }
    queue.at(10, again)
    clock.nowMs = 50
    queue.runDue()
    expect(log).toEqual(["again@50"])
    expect(armedAtMs()).toEqual([50])
    queue.runDue()
    expect(log).toEqual(["again@50", "again@50"])
  })

  it("does nothing inside a callback or on an empty queue", () => {
    queue.runDue()
    queue.at(10, () => {
      note("a")()
      queue.runDue()
    })
    queue.at(10, note("b"))
    clock.advance(10)
    expect(log).toEqual(["a@10", "b@10"])
    queue.runDue()
    expect(armedAtMs()).toEqual([])
  })
})

describe("clear", () => {
  it("cancels everything and leaves a queue that can be used again", () => {
    const cancel = queue.at(10, note("a"))
    queue.at(20, note("b"))
    queue.clear()
    expect(queue.size).toBe(0)
    expect(armedAtMs()).toEqual([])
    queue.at(30, note("c"))
    cancel()
    expect(queue.size).toBe(1)
    clock.advance(100)
    expect(log).toEqual(["c@30"])
  })

  it("does nothing to an empty queue", () => {
    queue.clear()
    expect(clock.delaysMs).toEqual([])
  })
})

describe("mistakes", () => {
  it.each([NaN, Infinity, -Infinity])("refuses the time %d, which would disorder the queue", (atMs) => {
    expect(() => queue.at(atMs, note("a"))).toThrow(RangeError)
    expect(() => queue.after(atMs, note("a"))).toThrow(RangeError)
    expect(queue.size).toBe(0)
    expect(armedAtMs()).toEqual([])
  })
})

describe("against a sorted array", () => {
  interface Expected {
    readonly atMs: number
    readonly name: number
  }

  const step = fc.oneof(
    {
      weight: 40,
      arbitrary: fc.record({ kind: fc.constant("add" as const), inMs: fc.integer({ min: -5, max: 60 }) }),
    },
    { weight: 30, arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.nat() }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(25) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("holdBack" as const), ms: fc.nat(400) }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant("message" as const) }) },
  )

  it("fires the same entries in the same order, with one timer armed for the first of them", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const fake = new FakeClock()
        const timers = new TimerQueue(fake, () => {})
        const fired: number[] = []
        const cancels: (() => void)[] = []
        const firedExpected: number[] = []
        let waiting: Expected[] = []
        for (const change of steps) {
          if (change.kind === "add") {
            const name = cancels.length
            const atMs = fake.nowMs + change.inMs
            cancels.push(timers.at(atMs, () => void fired.push(name)))
            waiting = [...waiting, { atMs, name }].toSorted((one, other) => one.atMs - other.atMs)
          } else if (change.kind === "cancel" && cancels.length > 0) {
            const name = change.which % cancels.length
            cancels[name]?.()
            waiting = waiting.filter((entry) => entry.name !== name)
          } else if (change.kind === "holdBack") {
            fake.nowMs += change.ms
          } else if (change.kind === "advance" || change.kind === "message") {
            if (change.kind === "advance") fake.advance(change.ms)
            else timers.runDue()
            firedExpected.push(...waiting.filter(({ atMs }) => atMs <= fake.nowMs).map(({ name }) => name))
            waiting = waiting.filter(({ atMs }) => atMs > fake.nowMs)
          } else if (change.kind === "clear") {
            timers.clear()
            waiting = []
          }
          expect(fired).toEqual(firedExpected)
          expect(timers.size).toBe(waiting.length)
          const [first] = waiting
          const [armed, ...others] = fake.armed
          expect([armed === undefined, others]).toEqual([first === undefined, []])
          // A delayed timer is armed for a time that has passed.
          if (first !== undefined && armed !== undefined)
            expect(Math.max(armed.atMs, fake.nowMs)).toBe(Math.max(first.atMs, fake.nowMs))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it("fires half of 100,000 entries after the other half was cancelled, and keeps none", () => {
    const count = 100_000
    const fired: number[] = []
    const cancels = Array.from({ length: count }, (_, index) => {
      const atMs = (index * 7919) % 10_007
      return queue.at(atMs, () => void fired.push(atMs))
    })
    expect(queue.size).toBe(count)
    cancels.forEach((cancel, index) => {
      if (index % 2 === 0) cancel()
    })
    expect(queue.size).toBe(count / 2)
    expect(clock.armed.length).toBe(1)
    clock.advance(10_007)
    expect(fired.length).toBe(count / 2)
    expect(fired).toEqual(fired.toSorted((one, other) => one - other))
    expect(queue.size).toBe(0)
    expect(armedAtMs()).toEqual([])
  })
})
