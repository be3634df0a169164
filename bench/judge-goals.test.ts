import { describe, expect, it } from "vitest"
import { goals } from "./goals.ts"
import type { Goal } from "./goals.ts"
import { judgeGoal } from "./judge-goals.ts"
import { Results } from "./results.ts"
import { scenarios } from "./scenarios.ts"
import { servers } from "./servers.ts"

const goal: Goal = {
  scenario: "row",
  metric: "perCpuSecond",
  subject: "own",
  against: "other",
  direction: "atLeast",
  target: 2,
}

function resultsOf(own: readonly number[], other: readonly number[]): Results {
  const results = new Results()
  for (const [round, perCpuSecond] of own.entries())
    results.add("own", round, [{ row: "row", figures: { perCpuSecond } }])
  for (const [round, perCpuSecond] of other.entries())
    results.add("other", round, [{ row: "row", figures: { perCpuSecond } }])
  return results
}

describe("judgeGoal", () => {
  it("compares round by round and takes the median of the ratios", () => {
    const judged = judgeGoal(goal, resultsOf([20, 60, 300], [10, 20, 100]))
    expect(judged).toMatchObject({ measured: 3, met: true })
  })

  it("counts the target itself as met, in both directions", () => {
    const results = resultsOf([20], [10])
    expect(judgeGoal(goal, results).met).toBe(true)
    expect(judgeGoal({ ...goal, direction: "atMost" }, results).met).toBe(true)
    expect(judgeGoal({ ...goal, target: 2.01 }, results).met).toBe(false)
    expect(judgeGoal({ ...goal, direction: "atMost", target: 1.99 }, results).met).toBe(false)
  })

  it("leaves out rounds in which one of the two failed", () => {
    const results = resultsOf([20], [10])
    results.add("own", 2, [{ row: "row", figures: { perCpuSecond: 90 } }])
    results.add("other", 1, [{ row: "row", figures: { perCpuSecond: 1 } }])
    expect(judgeGoal(goal, results).measured).toBe(2)
  })

  it("meets no goal that was not measured", () => {
    expect(judgeGoal({ ...goal, direction: "atMost" }, resultsOf([20], []))).toMatchObject({
      measured: undefined,
      met: false,
    })
  })
})

describe("goals", () => {
  it("name rows and servers that there are", () => {
    const rows = scenarios.flatMap((scenario) => scenario.rows.map(({ name }) => name))
    const names = servers.map(({ name }) => name)
    for (const { scenario, subject, against } of goals) {
      expect(rows).toContain(scenario)
      expect(names).toContain(subject)
      expect(names).toContain(against)
    }
  })
})
