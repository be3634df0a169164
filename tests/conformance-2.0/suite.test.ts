// The list of cases: the properties that its report and `--only` rely on.
import { describe, expect, it } from "vitest"
import { conformanceCases } from "./suite.ts"

describe("the conformance suite", () => {
  it("gives every case a unique name", () => {
    const names = conformanceCases.map(({ name }) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it("names every case by a sentence that begins with a verb", () => {
    expect(conformanceCases.filter(({ name }) => !/^[a-z]+s [^.]+(\.[^.]+)*$/.test(name))).toEqual([])
  })

  it("puts every case into a section", () => {
    expect(conformanceCases.filter(({ section }) => !/^(1?\d)(\.\d+)?$/.test(section))).toEqual([])
  })
})
