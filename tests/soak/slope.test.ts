import { expect, it } from "vitest"
import { growth } from "./slope.ts"

const mib = 1024 * 1024
const samples = (bytesAt: (minute: number) => number) =>
  Array.from({ length: 61 }, (_, index) => ({ atMs: index * 10_000, bytes: bytesAt(index / 6) }))

it("surprise-C4 returns the growth of memory after the warm-up", () => {
  expect(
    growth(
      samples((minute) => (50 + 2 * minute) * mib),
      0,
    ),
  ).toBeCloseTo(2)
  expect(
    growth(
      samples((minute) => (minute < 3 ? 10 * minute : 30) * mib),
      180_000,
    ),
  ).toBeCloseTo(0)
  // Up and down around a level.
  expect(
    growth(
      samples((minute) => (50 + (Math.round(minute * 6) % 2)) * mib),
      0,
    ),
  ).toBeLessThan(0.05)
  expect([growth([], 0), growth([{ atMs: 5, bytes: 7 }], 0)]).toEqual([0, 0])
})
