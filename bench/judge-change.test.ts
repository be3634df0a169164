import { describe, expect, it } from "vitest"
import { judgeChanges, judgeRatios } from "./judge-change.ts"
import { Results } from "./results.ts"
import { hawserOf, programOf } from "./servers.ts"

describe("judgeRatios", () => {
  it("calls a change worse or better only if it exceeds the distance between the rounds", () => {
    expect(judgeRatios("perCpuSecond", [0.9, 0.89, 0.91]).verdict).toBe("worse")
    expect(judgeRatios("perCpuSecond", [0.9, 0.84, 0.95]).verdict).toBe("within its spread")
    expect(judgeRatios("perCpuSecond", [1.1, 1.08, 1.12]).verdict).toBe("better")
  })

  it("treats less as better for costs", () => {
    expect(judgeRatios("bytesPerMessage", [1.1, 1.1, 1.11]).verdict).toBe("worse")
    expect(judgeRatios("heapBytesPerClient", [0.9, 0.9, 0.91]).verdict).toBe("better")
  })

  it("shows the median and both ends", () => {
    expect(judgeRatios("perCpuSecond", [0.9, 0.84, 0.95]).ratio).toEqual({
      median: 0.9,
      least: 0.84,
      most: 0.95,
    })
  })

  it("ignores a change of 0.01, however close the rounds are", () => {
    expect(judgeRatios("bytesPerMessage", [1.009, 1.009]).verdict).toBe("within its spread")
    expect(judgeRatios("bytesPerMessage", [1.011, 1.011]).verdict).toBe("worse")
  })

  it("gives no verdict on a single round", () => {
    expect(judgeRatios("perCpuSecond", [0.5]).verdict).toBe("one round")
  })
})

describe("judgeChanges", () => {
  it("divides this checkout by the other one in each round that both ended", () => {
    const results = new Results()
    const add = (server: string, round: number, perCpuSecond: number): void =>
      results.add(server, round, [{ row: "row", figures: { perCpuSecond, p99Ms: 1 } }])
    add("hawser", 0, 10)
    add("hawser-old", 0, 20)
    add("hawser", 1, 30)
    add("hawser", 2, 50)
    add("hawser-old", 2, 100)
    add("ws", 0, 1)
    expect(judgeChanges(results)).toEqual([
      {
        scenario: "row",
        metric: "perCpuSecond",
        ratio: { median: 0.5, least: 0.5, most: 0.5 },
        verdict: "worse",
      },
    ])
  })

  it("is empty without another checkout", () => {
    const results = new Results()
    results.add("hawser", 0, [{ row: "row", figures: { perCpuSecond: 1 } }])
    expect(judgeChanges(results)).toEqual([])
  })
})

it("runs the other checkout from its own files", () => {
  expect(programOf(hawserOf("/elsewhere"), "messages")).toBe("/elsewhere/bench/servers/hawser.ts")
  expect(programOf(hawserOf("/elsewhere"), "world")).toBe("/elsewhere/bench/servers/hawser-world.ts")
})
