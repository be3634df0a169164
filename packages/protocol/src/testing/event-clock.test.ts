import fc from "fast-check"
import { expect, it } from "vitest"
import { EventClock } from "./event-clock.ts"

it("runs events in the order of their times, at equal times in the order in which they were made", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (delays) => {
      const clock = new EventClock()
      const ran: number[] = []
      for (const [index, delayMs] of delays.entries()) clock.schedule(delayMs, () => ran.push(index))
      while (clock.step());
      const expected = delays.map((delayMs, index) => ({ delayMs, index }))
      expected.sort((one, other) => one.delayMs - other.delayMs || one.index - other.index)
      expect(ran).toEqual(expected.map(({ index }) => index))
    }),
  )
})

it("forgets what was cancelled, however much it was", () => {
  const clock = new EventClock()
  const ran: number[] = []
  const cancels = Array.from({ length: 1_000 }, (_, index) => clock.schedule(index, () => ran.push(index)))
  for (const [index, cancel] of cancels.entries()) {
    if (index % 10 !== 0) cancel()
    if (index % 10 === 1) cancel()
  }
  expect([clock.pendingCount, clock.nextAtMs]).toEqual([100, 0])
  while (clock.step());
  expect([ran.length, ran.at(-1), clock.now(), clock.pendingCount]).toEqual([100, 990, 990, 0])
  expect([clock.nextAtMs, clock.step()]).toEqual([undefined, false])
})

it("never wakes anybody before his time, and moves on for whoever waits for the rest of it", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (dueMs) => {
      const clock = new EventClock()
      let tries = 0
      const wait = (): void => {
        tries += 1
        if (clock.now() < dueMs) clock.schedule(dueMs - clock.now(), wait)
      }
      clock.schedule(0.1, wait)
      while (clock.step());
      expect(clock.now()).toBeGreaterThanOrEqual(Math.min(dueMs, 0.1))
      expect(tries).toBeLessThan(4)
    }),
  )
})

it.each([-1, Number.NaN, 2 ** 31])("refuses a delay of %d", (delayMs) => {
  expect(() => new EventClock().schedule(delayMs, () => {})).toThrow(RangeError)
})
