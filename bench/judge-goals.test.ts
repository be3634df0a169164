import { describe, expect, it } from "vitest"
import { goals, shownRatios } from "./goals.ts"
import type { Goal } from "./goals.ts"
import { judgeGoal, measureRatio } from "./judge-goals.ts"
import { Results } from "./results.ts"
import { scenarios } from "./scenarios.ts"
import { servers } from "./servers.ts"

const goal: Goal = {
  scenario: "row",
  metric: "perCpuSecond",
  subject: "own",
  against: ["other"],
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

  it("counts the target itself as met at least and at most, and as missed above", () => {
    const results = resultsOf([20], [10])
    expect(judgeGoal(goal, results).met).toBe(true)
    expect(judgeGoal({ ...goal, direction: "atMost" }, results).met).toBe(true)
    expect(judgeGoal({ ...goal, direction: "above" }, results).met).toBe(false)
    expect(judgeGoal({ ...goal, direction: "above", target: 1.99 }, results).met).toBe(true)
    expect(judgeGoal({ ...goal, target: 2.01 }, results).met).toBe(false)
    expect(judgeGoal({ ...goal, direction: "atMost", target: 1.99 }, results).met).toBe(false)
  })

  it("leaves out rounds in which one of the two failed", () => {
    const results = resultsOf([20], [10])
    results.add("own", 2, [{ row: "row", figures: { perCpuSecond: 90 } }])
    results.add("other", 1, [{ row: "row", figures: { perCpuSecond: 1 } }])
    expect(judgeGoal(goal, results).measured).toBe(2)
  })

  it("judges the median of the figure itself where nothing is compared", () => {
    const results = resultsOf([4, 9, 6], [])
    expect(judgeGoal({ ...goal, against: [], target: 6 }, results)).toMatchObject({ measured: 6, met: true })
    expect(judgeGoal({ ...goal, against: [], target: 7 }, results).met).toBe(false)
  })

  it("counts a goal without a measurement as not met", () => {
    expect(judgeGoal({ ...goal, direction: "atMost" }, resultsOf([20], []))).toMatchObject({
      measured: undefined,
      met: false,
    })
  })
})

describe("measureRatio", () => {
  const row = (figures: Readonly<Record<string, number>>) => [{ row: "row", figures }]
  const against = ["dear", "cheap", "odd"]

  function peersOf(rounds: Readonly<Record<string, readonly number[]>>): Results {
    const results = new Results()
    for (const [server, values] of Object.entries(rounds))
      for (const [round, value] of values.entries())
        results.add(server, round, row({ perCpuSecond: 1 / value, bytesPerUpdate: value }))
    return results
  }

  it("compares with the server that has the best median of several, round by round", () => {
    // "odd" is the cheapest once, and "cheap" is for most of the rounds.
    const results = peersOf({ own: [10, 20, 30], dear: [50, 50, 50], cheap: [20, 20, 20], odd: [90, 1, 90] })
    const comparison = { ...goal, metric: "bytesPerUpdate", against } as const
    expect(measureRatio(comparison, results)).toMatchObject({ peer: "cheap", measured: 1 })
  })

  it("takes the greatest figure as the best where more is better", () => {
    const results = peersOf({ own: [0.5], dear: [4], cheap: [1], odd: [2] })
    expect(measureRatio({ ...goal, against }, results)).toMatchObject({ peer: "cheap", measured: 2 })
  })

  it("measures nothing while one of the servers is missing, because it could be the best", () => {
    const results = peersOf({ own: [10], dear: [50], cheap: [20] })
    expect(measureRatio({ ...goal, against }, results)).toMatchObject({
      peer: undefined,
      measured: undefined,
    })
    expect(judgeGoal({ ...goal, against, direction: "atMost" }, results).met).toBe(false)
  })
})

describe("goals", () => {
  it("name only rows and servers that exist", () => {
    const rows = scenarios.flatMap((scenario) => scenario.rows.map(({ name }) => name))
    const names = servers.map(({ name }) => name)
    for (const { scenario, subject, against } of [...goals, ...shownRatios]) {
      expect(rows).toContain(scenario)
      expect(names).toContain(subject)
      for (const name of against) expect(names).toContain(name)
    }
  })

  it("compare the world with every server that serves one", () => {
    const others = servers.filter(({ name, world }) => world !== undefined && name !== "hawser")
    const world = goals.filter(({ scenario }) => scenario === "world-tick")
    for (const { against } of world)
      expect([...against].sort()).toEqual(others.map(({ name }) => name).sort())
  })

  it("leave Bun out", () => {
    expect(goals.filter(({ subject, against }) => [subject, ...against].includes("hawser-bun"))).toEqual([])
  })
})
