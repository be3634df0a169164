import { describe, expect, it } from "vitest"
import { CodeTally } from "./code-tally.ts"

describe("a tally of codes", () => {
  it("counts each code of the table and each known code separately, and omits codes without counts", () => {
    const tally = new CodeTally({ known: ["closed"] })
    for (const code of ["timeout", "closed", "timeout"]) tally.add(code)
    expect(tally.read()).toEqual({ timeout: 2, closed: 1 })
  })

  it("counts foreign codes as `other` unless foreignMax allows them", () => {
    const tally = new CodeTally()
    tally.add("move_blocked")
    tally.add("constructor")
    expect(tally.read()).toEqual({ other: 2 })
  })

  it("keeps the first foreign codes and is bounded for any number of codes", () => {
    const tally = new CodeTally({ foreignMax: 2 })
    for (let count = 0; count < 1_000; count += 1) tally.add(`code_${count}`)
    tally.add("code_0")
    tally.add("timeout")
    expect(tally.read()).toEqual({ code_0: 2, code_1: 1, other: 998, timeout: 1 })
  })

  it.each(["", "Move", "a b", 'a"b', "a\nb", "__proto__", "a".repeat(65)])(
    "never makes a label of %j",
    (code) => {
      const tally = new CodeTally({ foreignMax: 9 })
      tally.add(code)
      expect(tally.read()).toEqual({ other: 1 })
    },
  )

  it("counts names that every object inherits", () => {
    const tally = new CodeTally({ foreignMax: 9 })
    tally.add("constructor")
    expect(Object.entries(tally.read())).toEqual([["constructor", 1]])
  })
})
