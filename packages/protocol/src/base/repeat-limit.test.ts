import { describe, expect, it } from "vitest"
import { RepeatLimit, repeatedWords } from "./repeat-limit.ts"

describe("RepeatLimit", () => {
  it("reports a key so many times a minute, then with the number since", () => {
    const limit = new RepeatLimit({ perMinute: 2 })
    expect([0, 1, 2, 3, 59_999].map((atMs) => limit.count("a", atMs))).toEqual([1, 1, 0, 0, 0])
    expect([60_000, 60_001, 60_002].map((atMs) => limit.count("a", atMs))).toEqual([4, 1, 0])
    expect([repeatedWords(1), repeatedWords(4)]).toEqual(["", " (4 times since the last such line)"])
  })

  it("counts keys apart", () => {
    const limit = new RepeatLimit({ perMinute: 1 })
    expect([limit.count("a", 0), limit.count("b", 0), limit.count("a", 1)]).toEqual([1, 1, 0])
  })

  it("bounds reports and memory for any number of keys", () => {
    const limit = new RepeatLimit({ perMinute: 1, maxKeys: 4 })
    const reports = Array.from({ length: 1_000 }, (_, index) => limit.count(`key ${index}`, index))
    expect(reports.filter((count) => count > 0)).toHaveLength(5)
    expect(limit.count("later", 60_000)).toBe(1)
    expect(limit.count("more", 70_000)).toBe(1)
  })
})
