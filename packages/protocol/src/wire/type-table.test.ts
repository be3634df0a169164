import { describe, expect, it } from "vitest"
import { reservedTypes } from "../contract/contract-index.ts"
import { TypeTable } from "./type-table.ts"

describe("TypeTable", () => {
  it("numbers names by their index", () => {
    const table = new TypeTable([...reservedTypes, "move"])
    expect(["$join", "$leave", "$publish", "$presence", "move"].map((name) => table.numberOf(name))).toEqual([
      0, 1, 2, 3, 4,
    ])
    expect([0, 1, 4].map((number) => table.nameOf(number))).toEqual(["$join", "$leave", "move"])
  })

  it.each(["nope", "toString", "__proto__", ""])("abuse-A48 lacks %s", (name) => {
    const table = new TypeTable(["move"])
    expect(table.has(name)).toBe(false)
    expect(() => table.numberOf(name)).toThrow(
      new RangeError(`message type "${name}" is not in the table of this session`),
    )
  })

  it.each([1, 99, 2 ** 53 - 1])(
    "returns a name that no contract can contain for the unknown number %d",
    (number) => {
      expect(new TypeTable(["move"]).nameOf(number)).toBe(`#${number}`)
    },
  )

  it("replaces its names by the peer's", () => {
    const table = new TypeTable(["a", "b"])
    table.replace(["b", "c"])
    expect(table.names).toEqual(["b", "c"])
    expect([table.has("a"), table.numberOf("b"), table.nameOf(1)]).toEqual([false, 0, "c"])
  })
})
