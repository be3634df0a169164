import { TimerQueue } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import { AckSchedule } from "./ack-schedule.ts"

function setUp() {
  const clock = new SimulatedClock()
  const faults: unknown[] = []
  const timers = new TimerQueue(clock, (error) => faults.push(error))
  const acks = new AckSchedule(timers, 500)
  const log: string[] = []
  const session = (name: string) => ({ flushAck: () => void log.push(`${name}@${clock.now()}`) })
  return { clock, faults, timers, acks, log, session }
}

describe("AckSchedule", () => {
  it("flushes all sessions within its delay from the first request, in order", async () => {
    const { clock, acks, log, session, timers } = setUp()
    acks.add(session("a"))
    await clock.advance(400)
    acks.add(session("b"))
    expect(timers.size).toBe(1)
    await clock.advance(99)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual(["a@500", "b@500"])
    expect([timers.size, clock.pendingCount]).toEqual([0, 0])
  })

  it("flushes a session once after several requests", async () => {
    const { clock, acks, log, session } = setUp()
    const a = session("a")
    acks.add(a)
    acks.add(a)
    await clock.advance(2_000)
    expect(log).toEqual(["a@500"])
    acks.add(a)
    await clock.advance(2_000)
    expect(log).toEqual(["a@500", "a@2500"])
  })

  it("removes an ended session, and keeps no timer without sessions", async () => {
    const { clock, acks, log, session, timers } = setUp()
    const [a, b] = [session("a"), session("b")]
    acks.add(a)
    acks.add(b)
    acks.delete(a)
    expect(timers.size).toBe(1)
    acks.delete(b)
    acks.delete(b)
    expect([timers.size, clock.pendingCount]).toEqual([0, 0])
    await clock.advance(1_000)
    expect(log).toEqual([])
    acks.add(b)
    await clock.advance(500)
    expect(log).toEqual(["b@1500"])
  })

  it("accepts another request of a session during its flush", async () => {
    const { clock, acks, timers } = setUp()
    const flushedAtMs: number[] = []
    const eager = {
      flushAck: () => {
        flushedAtMs.push(clock.now())
        acks.add(eager)
      },
    }
    acks.add(eager)
    await clock.advance(1_600)
    expect(flushedAtMs).toEqual([500, 1_000, 1_500])
    expect(timers.size).toBe(1)
  })

  it("keeps one timer for any number of sessions", () => {
    const { acks, session, timers } = setUp()
    for (let count = 0; count < 1_000; count += 1) acks.add(session(`${count}`))
    expect(timers.size).toBe(1)
  })
})
