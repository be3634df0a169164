import { HawserError, defaultServerLimits } from "@hawser/protocol"
import { TimerQueue, streamWindowMax } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { Reference, RequestFrame } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RequestQueue, failure } from "./request-queue.ts"
import type { Job, Lane, Outcome } from "./job.ts"
import { StartSchedule } from "./start-schedule.ts"

const ok: Outcome = { ok: true, payload: null }
const requestFrame = (reference: Reference, budgetMs = 0, lane: Lane = "ordered"): RequestFrame => ({
  kind: "request",
  call: "command",
  type: lane,
  payload: null,
  budgetMs,
  reference,
})

/** Queue whose handlers the test settles. */
function setUp(changed: Partial<ServerLimits> = {}, runsAtOnce = false) {
  const held: string[] = []
  const clock = new SimulatedClock()
  const faults: unknown[] = []
  const timers = new TimerQueue(clock, (error) => faults.push(error))
  const started: Reference[] = []
  const settled: string[] = []
  const handlers = new Map<Reference, (outcome: Outcome) => void>()
  const jobs = new Map<Reference, Job>()
  let spaces = 0
  const starts = new StartSchedule()
  const onError = (error: unknown): void => void faults.push(error)
  const host = { limits: { ...defaultServerLimits, ...changed }, timers, clock, starts, onError }
  const room = { mayStart: true }
  const queue = new RequestQueue(host, {
    get mayStart() {
      return room.mayStart
    },
    laneOf: ({ type }) => (type === "afterOrdered" || type === "free" ? type : "ordered"),
    onLaneHeld: ({ frame }, heldMs, waiting) => held.push(`${frame.reference}: ${heldMs} ms, ${waiting}`),
    run: (job) => {
      const { reference } = job.frame
      started.push(reference)
      jobs.set(reference, job)
      return runsAtOnce ? ok : new Promise<Outcome>((resolve) => handlers.set(reference, resolve))
    },
    settle: (job, outcome) =>
      settled.push(`${job.frame.reference}: ${outcome.ok ? "ok" : outcome.error.code}`),
    onRunning: () => {},
    onSpace: () => (spaces += 1),
  })
  const push = (...references: Reference[]): void => {
    for (const reference of references) queue.push(requestFrame(reference), 0)
  }
  let sent = 0
  /** Queues requests in the order of sending, as messages that arrived in different reads. */
  const send = (lane: Lane, ...references: Reference[]): void => {
    for (const reference of references) {
      queue.push(requestFrame(reference, 0, lane), (sent += 1))
      queue.start()
    }
  }
  /** Settles a handler, and waits for the effects. */
  const finish = async (reference: Reference, outcome = ok): Promise<void> => {
    handlers.get(reference)?.(outcome)
    await clock.settle()
  }
  const spacesCount = (): number => spaces
  const parts = { clock, timers, queue, room, started, settled, jobs, held, faults, spaces: spacesCount }
  return { ...parts, push, send, finish }
}

describe("order", () => {
  it("starts one at a time, in order", async () => {
    const { queue, push, started, settled, finish } = setUp()
    push(1, 2, 3)
    expect([started, queue.size]).toEqual([[1], 3])
    await finish(1)
    await finish(2, failure(new HawserError("forbidden")))
    expect([started, settled, queue.size]).toEqual([[1, 2, 3], ["1: ok", "2: forbidden"], 1])
  })

  it("starts as many queries at once as `queriesAtOnce` allows, and settles them as they end", async () => {
    const { send, started, settled, finish } = setUp({ queriesAtOnce: 2 })
    send("afterOrdered", 1, 2, 3, 4)
    expect(started).toEqual([1, 2])
    await finish(2)
    expect(started).toEqual([1, 2, 3])
    await finish(3)
    await finish(1)
    expect(settled).toEqual(["2: ok", "3: ok", "1: ok"])
    expect(started).toEqual([1, 2, 3, 4])
  })

  it("starts a query after the ordered requests that were sent before it, and not after later ones", async () => {
    const { send, started, finish } = setUp({ queriesAtOnce: 1 })
    send("ordered", "a", "b")
    send("afterOrdered", "query 1", "query 2")
    send("ordered", "c")
    await finish("a")
    expect(started).toEqual(["a", "b"])
    await finish("b")
    expect(started).toEqual(["a", "b", "query 1", "c"])
    // The second query has waited for the place of the first one only: the request in the lane was sent after it.
    await finish("query 1")
    expect(started).toEqual(["a", "b", "query 1", "c", "query 2"])
  })

  it("starts ordered requests one at a time, however many queries run or wait", async () => {
    const { send, started, settled, finish } = setUp({ queriesAtOnce: 2 })
    send("afterOrdered", "q1", "q2", "q3")
    send("ordered", "a", "b")
    expect(started).toEqual(["q1", "q2", "a"])
    await finish("a")
    await finish("b")
    expect([started, settled]).toEqual([
      ["q1", "q2", "a", "b"],
      ["a: ok", "b: ok"],
    ])
  })

  it("starts a free request at once, but within `queriesAtOnce`", async () => {
    const { send, started, finish } = setUp({ queriesAtOnce: 1 })
    send("ordered", "a")
    send("afterOrdered", "query")
    send("free", "free 1", "free 2")
    expect(started).toEqual(["a", "free 1"])
    await finish("a")
    expect(started).toEqual(["a", "free 1"])
    await finish("free 1")
    expect(started).toEqual(["a", "free 1", "query"])
  })

  it("still lets a query wait for a running request when a waiting one between them is cancelled", async () => {
    const { queue, send, started, finish } = setUp()
    send("ordered", "a", "b")
    send("afterOrdered", "query")
    queue.cancel("b")
    expect(started).toEqual(["a"])
    await finish("a")
    expect(started).toEqual(["a", "query"])
  })

  it("starts the requests of one read in the order of sending, where they need not wait", () => {
    const { queue, started } = setUp({}, true)
    const lanes: readonly Lane[] = ["afterOrdered", "ordered", "free", "ordered", "afterOrdered"]
    for (const [index, lane] of lanes.entries()) queue.push(requestFrame(index, 0, lane), index + 1)
    queue.start()
    expect(started).toEqual([0, 1, 2, 3, 4])
  })

  it("reports a request that held the lane for more than a second while others waited, and no other", async () => {
    const { clock, send, held, finish } = setUp()
    send("ordered", "alone")
    await clock.advance(2_000)
    await finish("alone")
    send("afterOrdered", "query")
    send("ordered", "quick", "slow", "last")
    send("afterOrdered", "behind")
    await clock.advance(1_000)
    await finish("quick")
    await clock.advance(1_001)
    await finish("query")
    await finish("slow")
    expect(held).toEqual(["slow: 1001 ms, 2"])
  })

  it("settles a synchronous handler at once, without a timer and without recursion", () => {
    const { queue, push, settled, timers } = setUp({}, true)
    push(...Array.from({ length: 20_000 }, (_, index) => index))
    expect([settled.length, settled.at(-1), queue.size, timers.size]).toEqual([20_000, "19999: ok", 0, 0])
  })

  it("is full at the high-water mark, and calls onSpace below it", async () => {
    const { queue, push, finish, spaces } = setUp({ inboxHighWater: 2 })
    push(1, 2)
    expect([queue.isFull, spaces()]).toEqual([false, 0])
    push(3)
    expect(queue.isFull).toBe(true)
    let before = spaces()
    await finish(1)
    expect([queue.isFull, spaces() > before]).toEqual([false, true])
    before = spaces()
    await finish(2)
    expect(spaces()).toBe(before)
    await finish(3)
    expect([queue.size, spaces() > before]).toEqual([0, true])
  })

  it("has waiting and running requests", async () => {
    const { queue, push, finish } = setUp()
    push(1, "2")
    expect([queue.has(1), queue.has("2"), queue.has("1"), queue.has(3)]).toEqual([true, true, false, false])
    await finish(1)
    expect(queue.has(1)).toBe(false)
  })
})

describe("requests of one read", () => {
  it("surprise-C2 start after the whole read was parsed, in order, except for cancelled ones", async () => {
    const { queue, started, settled, finish, clock } = setUp()
    for (const count of [1, 2, 3]) queue.push(requestFrame(count), count)
    queue.cancel(1)
    expect([started, settled, queue.size]).toEqual([[], ["1: cancelled"], 2])
    await clock.settle()
    expect(started).toEqual([2])
    queue.push(requestFrame(4), 4)
    await finish(2)
    await finish(3)
    expect(started).toEqual([2, 3, 4])
  })

  it("start only while the send buffer has space for replies", () => {
    const { queue, room, started, send } = setUp()
    room.mayStart = false
    send("free", 1, 2)
    expect([started, queue.size]).toEqual([[], 2])
    room.mayStart = true
    queue.start()
    expect(started).toEqual([1, 2])
  })

  it("start at once on start(), once, and never after the end", async () => {
    const { queue, started, clock } = setUp()
    queue.push(requestFrame(1), 1)
    queue.start()
    expect(started).toEqual([1])
    queue.push(requestFrame(2, 0, "free"), 2)
    queue.end(new HawserError("session_ended"))
    queue.start()
    await clock.settle()
    expect(started).toEqual([1])
  })
})

describe("credit", () => {
  it("is held for a stream until its start, adds up, and is cut at the largest window", async () => {
    const { queue, push, finish, jobs } = setUp()
    push(1, 2, 3)
    queue.credit(1, 4)
    queue.credit(2, 5)
    queue.credit(2, 6)
    queue.credit(3, Number.MAX_SAFE_INTEGER)
    queue.credit(3, Number.MAX_SAFE_INTEGER)
    queue.credit(9, 7)
    await finish(1)
    await finish(2)
    expect([1, 2, 3].map((reference) => jobs.get(reference)?.credit)).toEqual([4, 11, streamWindowMax])
  })
})

describe("cancel", () => {
  it("settles a waiting request, and never starts it", async () => {
    const { queue, push, started, settled, finish } = setUp()
    push(1, 2, 3)
    queue.cancel(2)
    expect([settled, queue.size]).toEqual([["2: cancelled"], 2])
    await finish(1)
    expect(started).toEqual([1, 3])
  })

  it("calls onSpace when a waiting request of a full queue is cancelled", () => {
    const { queue, push, spaces } = setUp({ inboxHighWater: 1 })
    push(1, 2)
    expect(queue.isFull).toBe(true)
    const before = spaces()
    queue.cancel(2)
    expect([queue.isFull, spaces() - before]).toEqual([false, 1])
  })

  it("aborts a running request, and its handler settles it", async () => {
    const { queue, push, jobs, settled, finish, timers } = setUp()
    push(1)
    queue.cancel(1)
    expect(jobs.get(1)?.abort.reason).toMatchObject({ code: "cancelled" })
    expect(settled).toEqual([])
    await finish(1, failure(new HawserError("cancelled")))
    expect([settled, queue.size, timers.size]).toEqual([["1: cancelled"], 0, 0])
  })

  it("gives a handler that ignores its signal one grace period, also after several cancels", async () => {
    const { queue, push, settled, clock, started } = setUp()
    push(1, 2)
    queue.cancel(1)
    await clock.advance(4_000)
    queue.cancel(1)
    await clock.advance(999)
    expect(settled).toEqual([])
    await clock.advance(1)
    expect([settled, started]).toEqual([["1: timeout"], [1, 2]])
  })

  it("ignores unknown references", () => {
    const { queue, push, settled } = setUp()
    push(1)
    queue.cancel(9)
    queue.cancel("1")
    expect([queue.size, settled]).toEqual([1, []])
  })
})

describe("deadlines", () => {
  it.each([
    [0, 10_000],
    [300, 300],
    [1e9, 60_000],
  ])("aborts after a budget of %d ms at %d ms, and settles after the grace", async (budgetMs, timeoutMs) => {
    const { queue, clock, jobs, settled, finish, timers } = setUp()
    queue.push(requestFrame(1, budgetMs), 0)
    await clock.advance(timeoutMs - 1)
    expect(jobs.get(1)?.abort.aborted).toBe(false)
    await clock.advance(1)
    expect(jobs.get(1)?.abort.reason).toMatchObject({ code: "timeout" })
    await clock.advance(4_999)
    expect(settled).toEqual([])
    await clock.advance(1)
    expect([settled, queue.size, timers.size]).toEqual([["1: timeout"], 0, 0])
    await finish(1) // too late: discarded
    expect(settled).toEqual(["1: timeout"])
  })

  it("uses the handler's outcome within the grace period", async () => {
    const { push, clock, settled, finish, timers } = setUp()
    push(1)
    await clock.advance(10_000 + 4_000)
    await finish(1)
    expect([settled, timers.size]).toEqual([["1: ok"], 0])
  })

  it("starts the deadline with the handler, not with the wait", async () => {
    const { push, clock, jobs, finish } = setUp()
    push(1, 2)
    await clock.advance(9_000)
    await finish(1)
    await clock.advance(9_999)
    expect(jobs.get(2)?.abort.aborted).toBe(false)
    await clock.advance(1)
    expect(jobs.get(2)?.abort.aborted).toBe(true)
  })
})

describe("a request that waited", () => {
  it("surprise-C2 is settled as `timeout` without a start if its time limit passed in the queue", async () => {
    const { queue, push, clock, started, settled, finish, timers } = setUp()
    push(1)
    queue.push(requestFrame(2, 2_000), 0)
    queue.push(requestFrame(3, 2_001), 0)
    await clock.advance(2_000)
    await finish(1)
    expect([started, settled]).toEqual([
      [1, 3],
      ["1: ok", "2: timeout"],
    ])
    await finish(3)
    expect([settled, queue.size, timers.size]).toEqual([["1: ok", "2: timeout", "3: ok"], 0, 0])
  })

  it("surprise-C2 counts the time in the inbox before the queue", async () => {
    const { queue, clock, started, settled } = setUp()
    await clock.advance(5_000)
    queue.push(requestFrame(1, 2_000), 0, 3_000)
    queue.push(requestFrame(2, 2_000), 0, 3_001)
    expect([started, settled]).toEqual([[2], ["1: timeout"]])
  })

  it("surprise-C2 gives its handler only the remaining time", async () => {
    const { queue, push, clock, jobs, finish } = setUp()
    push(1)
    queue.push(requestFrame(2, 2_000), 0)
    await clock.advance(1_500)
    await finish(1)
    await clock.advance(499)
    expect(jobs.get(2)?.abort.aborted).toBe(false)
    await clock.advance(1)
    expect(jobs.get(2)?.abort.reason).toMatchObject({ code: "timeout" })
  })

  it("surprise-C2 is settled as `cancelled` at once, and never starts, when it was refused on arrival", async () => {
    const { queue, push, started, settled, finish } = setUp()
    push(1)
    queue.refuse(requestFrame(2), 0)
    expect([started, settled, queue.size]).toEqual([[1], ["2: cancelled"], 1])
    await finish(1)
    expect(started).toEqual([1])
    queue.end(new HawserError("session_ended"))
    queue.refuse(requestFrame(3), 0)
    expect(settled).toEqual(["2: cancelled", "1: ok"])
  })
})

describe("end", () => {
  it("aborts all requests, settles and starts none, and leaves no timer", async () => {
    const { queue, push, send, jobs, started, settled, finish, timers, clock, spaces } = setUp()
    send("ordered", 1)
    send("free", 2)
    send("ordered", 3)
    queue.cancel(2)
    queue.end(new HawserError("session_ended"))
    expect(jobs.get(1)?.abort.reason).toMatchObject({ code: "session_ended" })
    expect(jobs.get(2)?.abort.reason).toMatchObject({ code: "cancelled" })
    expect([queue.size, timers.size]).toEqual([0, 0])
    await finish(1)
    await finish(2)
    push(4)
    queue.cancel(3)
    queue.end(new HawserError("session_ended"))
    await clock.advance(100_000)
    expect([started, settled, spaces()]).toEqual([[1, 2], [], 0])
  })
})

describe("random lives", () => {
  const lanes: readonly Lane[] = ["ordered", "afterOrdered", "free"]
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constantFrom(...lanes), which: fc.constant(0) }) },
    fc.record({ what: fc.constantFrom("finish", "cancel", "pass"), which: fc.nat(20) }),
  )
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

  /** Runs the steps, and checks the order after each one. */
  async function live(steps: readonly Step[], queriesAtOnce: number): Promise<void> {
    const { clock, timers, queue, started, settled, send, finish, faults } = setUp({ queriesAtOnce })
    const laneOf = new Map<number, Lane>()
    const isSettled = (reference: number): boolean =>
      settled.some((line) => Number.parseInt(line, 10) === reference)
    const check = (): void => {
      const running = started.map(Number).filter((reference) => !isSettled(reference))
      const waiting = [...laneOf.keys()].filter((one) => !started.includes(one) && !isSettled(one))
      const ordered = running.filter((one) => laneOf.get(one) === "ordered")
      const open = [...ordered, ...waiting.filter((one) => laneOf.get(one) === "ordered")]
      const mayStart = (one: number): boolean => {
        const lane = laneOf.get(one)
        if (lane === "ordered") return ordered.length === 0
        if (running.length - ordered.length >= queriesAtOnce) return false
        return lane === "free" || open.every((other) => other > one)
      }
      expect(ordered.length).toBeLessThanOrEqual(1)
      expect(running.length - ordered.length).toBeLessThanOrEqual(queriesAtOnce)
      const early = (one: number): boolean =>
        laneOf.get(one) === "afterOrdered" && open.some((other) => other < one)
      expect(running.filter(early)).toEqual([])
      // Each request that may start has started.
      expect(waiting.filter(mayStart)).toEqual([])
      for (const lane of lanes) {
        const own = started.filter((one) => laneOf.get(Number(one)) === lane).map(Number)
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
      expect(queue.size + settled.length).toBe(laneOf.size)
    }
    for (const { what, which } of steps) {
      const lane = lanes.find((one) => one === what)
      if (lane !== undefined) {
        const reference = laneOf.size + 1
        laneOf.set(reference, lane)
        send(lane, reference)
      } else if (what === "finish") await finish(which)
      else if (what === "cancel") queue.cancel(which)
      else await clock.advance(which * 1000)
      check()
    }
    await clock.advance(15_000 * (laneOf.size + 1))
    const ended = settled.map((line) => Number.parseInt(line, 10)).toSorted((a, b) => a - b)
    expect(ended).toEqual([...laneOf.keys()])
    expect([queue.size, timers.size, faults.length]).toEqual([0, 0, 0])
  }

  it("settle each request exactly once and start them in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), live),
      { numRuns: 200 },
    )
  })
})
