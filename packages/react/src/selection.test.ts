import { describe, expect, it } from "vitest"
import { Selection } from "./selection.ts"

const select = <T>(value: T): T => value

describe("a selection", () => {
  it.each([
    { one: { x: 1, y: 2 }, other: { x: 1, y: 2 } },
    { one: [1, "a"], other: [1, "a"] },
    { one: { x: undefined }, other: { x: undefined } },
    { one: Number.NaN, other: Number.NaN },
  ])("keeps $one for equal members", ({ one, other }) => {
    const selection = new Selection()
    const first = selection.of(one, select)
    expect(selection.of(other, select)).toBe(first)
  })

  it.each([
    { one: { x: 1 }, other: { x: 2 } },
    { one: { x: 1 }, other: { x: 1, y: 2 } },
    { one: { x: undefined }, other: { y: undefined } },
    { one: [1], other: { 0: 1 } },
    { one: { at: [1] }, other: { at: [1] } },
    { one: new Date(1), other: new Date(1) },
    { one: new Map([[1, 1]]), other: new Map([[1, 1]]) },
    { one: { x: 1 }, other: null },
  ])("replaces $one by $other", ({ one, other }) => {
    const selection = new Selection()
    selection.of(one, select)
    expect(selection.of(other, select)).toBe(other)
  })

  it("calls the function again for another value or another function only, and not for undefined", () => {
    const selection = new Selection()
    const calls: string[] = []
    const first = (value: string): string => (calls.push(`first ${value}`), value)
    const second = (value: string): string => (calls.push(`second ${value}`), value)
    for (const [value, chosen] of [
      ["a", first],
      ["a", first],
      ["b", first],
      ["b", second],
    ] as const)
      selection.of(value, chosen)
    expect(selection.of(undefined, second)).toBeUndefined()
    expect(calls).toEqual(["first a", "first b", "second b"])
  })
})
