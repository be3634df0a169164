import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RoundTrip } from "./round-trip.ts"

const unbounded = { leastMs: 0, mostMs: Infinity }

function after(...samples: readonly number[]): RoundTrip {
  const roundTrip = new RoundTrip()
  for (const sample of samples) roundTrip.observe(sample)
  return roundTrip
}

describe("the estimate of a round trip", () => {
  it("is unknown before the first sample, and every deadline is the least one", () => {
    expect(after().smoothedMs).toBeUndefined()
    expect(after().expectedMs(4)).toBe(0)
    expect(after().timeoutMs({ leastMs: 2_000, mostMs: 60_000 })).toBe(2_000)
  })

  it("follows RFC 6298: three round trips after one sample, then an eighth and a quarter of each", () => {
    expect(after(100)).toMatchObject({ smoothedMs: 100 })
    expect(after(100).timeoutMs(unbounded)).toBe(300)
    expect(after(100, 180)).toMatchObject({ smoothedMs: 110 })
    expect(after(100, 180).timeoutMs(unbounded)).toBe(110 + 4 * (50 + (80 - 50) / 4))
  })

  it("counts the deviation once if an answer takes several round trips", () => {
    expect(after(100).timeoutMs({ ...unbounded, roundTrips: 4 })).toBe(4 * 100 + 4 * 50)
  })

  it("converges to the samples of a steady link, and recovers from an outlier", () => {
    const steady = after(...Array.from({ length: 300 }, () => 40))
    expect(steady.timeoutMs(unbounded)).toBeCloseTo(40, 3)
    steady.observe(3_000)
    const shakenMs = steady.timeoutMs(unbounded)
    expect(shakenMs).toBeGreaterThan(3_000)
    for (let count = 0; count < 100; count += 1) steady.observe(40)
    expect(steady.timeoutMs(unbounded)).toBeLessThan(shakenMs / 20)
  })

  it("surprise-C3 keeps the deviation of a lossy link, also after ten samples without a loss", () => {
    const lossy = after(100, 100, 300, 100, 700, 100)
    const measuredMs = lossy.timeoutMs(unbounded)
    for (let count = 0; count < 10; count += 1) lossy.observe(100)
    expect(lossy.timeoutMs(unbounded)).toBeGreaterThan(measuredMs / 2)
  })

  it("doubles deadlines with each missed answer, the least one too, until the next sample", () => {
    const roundTrip = after(1_000)
    roundTrip.lengthen()
    expect(roundTrip.timeoutMs(unbounded)).toBe(6_000)
    roundTrip.lengthen()
    expect(roundTrip.expectedMs()).toBe(3_000)
    expect(roundTrip.timeoutMs({ leastMs: 5_000, mostMs: Infinity })).toBe(20_000)
    expect(roundTrip.timeoutMs({ leastMs: 5_000, mostMs: 15_000 })).toBe(15_000)
    roundTrip.observe(1_000)
    expect(roundTrip.timeoutMs(unbounded)).toBeLessThan(3_000)
  })

  it.each([-1, NaN, Infinity, -Infinity])("ignores a sample of %d ms", (ms) => {
    expect(after(100, ms).timeoutMs(unbounded)).toBe(300)
  })

  it("cuts a sample to a minute, because a process that slept has measured nothing", () => {
    expect(after(3_600_000)).toMatchObject({ smoothedMs: 60_000 })
  })

  it("stays within its bounds, and a longer link never gets a shorter deadline", () => {
    const samples = fc.array(fc.double({ min: 0, max: 30_000, noNaN: true }), { maxLength: 30 })
    const bounds = fc.record({
      leastMs: fc.double({ min: 0, max: 1e4, noNaN: true }),
      mostMs: fc.double({ min: 1e4, max: 1e5, noNaN: true }),
      roundTrips: fc.integer({ min: 1, max: 5 }),
    })
    fc.assert(
      fc.property(samples, bounds, fc.nat(40), (measured, bound, missed) => {
        const roundTrip = after(...measured)
        const twice = after(...measured.map((ms) => 2 * ms))
        for (let count = 0; count < missed; count += 1) {
          roundTrip.lengthen()
          twice.lengthen()
        }
        const timeoutMs = roundTrip.timeoutMs(bound)
        expect(timeoutMs).toBeGreaterThanOrEqual(bound.leastMs)
        expect(timeoutMs).toBeLessThanOrEqual(bound.mostMs)
        expect(twice.timeoutMs(bound)).toBeGreaterThanOrEqual(timeoutMs * (1 - 1e-9))
      }),
    )
  })
})
