import { describe, expect, it } from "vitest"
import { seededRandom } from "./seeded-random.ts"

function draws(seed: number, count: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}

/** Returns the frequency of each number from 0 to 255. */
function bucketCounts(buckets: Iterable<number>): number[] {
  const counts = Array.from({ length: 256 }, () => 0)
  for (const bucket of buckets) counts[bucket] = (counts[bucket] ?? 0) + 1
  return counts
}

/** Returns Pearson's statistic of counts that should be equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

describe("seededRandom", () => {
  it("repeats its draws for the same seed", () => {
    expect(draws(42, 100)).toEqual(draws(42, 100))
  })

  it("keeps its sequences in every version, because seeds of failures are stored", () => {
    expect(draws(1, 4).map((draw) => draw * 2 ** 32)).toEqual([3243629885, 2925214466, 646200046, 1391970778])
    expect(draws(-(2 ** 40) - 7, 2).map((draw) => draw * 2 ** 32)).toEqual([1723491115, 1255736021])
  })

  it("gives other draws for other seeds, also for those that differ above 32 bits or in the sign", () => {
    const seeds = [
      0,
      1,
      2,
      -1,
      -2,
      2 ** 32,
      2 ** 32 + 1,
      2 ** 33,
      -(2 ** 32),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ]
    expect(new Set(seeds.map((seed) => draws(seed, 3).join())).size).toBe(seeds.length)
  })

  it("draws from 0 up to, but not including, 1", () => {
    const all = draws(3, 100_000)
    expect(all.every((draw) => draw >= 0 && draw < 1)).toBe(true)
  })

  it.each([0, 1, 2, 3, 1000])("spreads its draws evenly over 256 buckets, seed %i", (seed) => {
    const counts = bucketCounts(draws(seed, 256_000).map((draw) => Math.floor(draw * 256)))
    // 255 degrees of freedom: the mean is 255, the standard deviation 22.6; five of them are allowed.
    expect(chiSquare(counts)).toBeGreaterThan(142)
    expect(chiSquare(counts)).toBeLessThan(368)
  })

  it("spreads pairs of draws evenly, so that a draw does not predict the next", () => {
    const random = seededRandom(9)
    const pair = (): number => Math.floor(random() * 16) * 16 + Math.floor(random() * 16)
    const counts = bucketCounts(Array.from({ length: 256_000 }, pair))
    expect(chiSquare(counts)).toBeGreaterThan(142)
    expect(chiSquare(counts)).toBeLessThan(368)
  })

  it("spreads the first draws of neighbouring seeds evenly", () => {
    const first = (_: unknown, seed: number): number => Math.floor(seededRandom(seed)() * 256)
    const counts = bucketCounts(Array.from({ length: 64_000 }, first))
    expect(chiSquare(counts)).toBeGreaterThan(142)
    expect(chiSquare(counts)).toBeLessThan(368)
  })

  it("sets each of its 32 bits about half of the time", () => {
    const all = draws(5, 50_000).map((draw) => draw * 2 ** 32)
    for (let bit = 0; bit < 32; bit += 1) {
      const set = all.filter((draw) => Math.floor(draw / 2 ** bit) % 2 === 1).length
      expect(Math.abs(set / all.length - 0.5), `bit ${bit}`).toBeLessThan(0.015)
    }
  })

  it.each([NaN, Infinity, 0.5, 2 ** 53])("refuses the seed %d", (seed) => {
    expect(() => seededRandom(seed)).toThrow(new RangeError(`a seed must be a safe integer, not ${seed}`))
  })
})
