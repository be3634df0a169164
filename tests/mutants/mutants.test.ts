// Every mutant still fits the source, and names existing rules. `npm run mutants` shows that each is killed.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { repository } from "./copy.ts"
import { applied, byFile } from "./mutant.ts"
import { mutants } from "./mutants.ts"

const ids = new Set(
  readFileSync(join(repository, "docs/protocol.md"), "utf8").match(/(?<=\*\*)[A-Z]\d+(?=\*\*)/g),
)

describe("every mutant", () => {
  it.each(mutants.map((mutant) => [mutant.name, mutant] as const))("fits: %s", (_, mutant) => {
    for (const [file, edits] of byFile(mutant)) {
      const source = readFileSync(join(repository, file), "utf8")
      expect(applied(source, edits)).not.toBe(source)
    }
    expect(mutant.breaks.filter((id) => !ids.has(id))).toEqual([])
    for (const path of mutant.killedBy?.tests ?? []) expect(existsSync(join(repository, path))).toBe(true)
  })

  it("has a unique name, and there are at least 30", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
    expect(mutants.length).toBeGreaterThanOrEqual(30)
  })
})

describe("an edit whose text does not occur exactly once in the source", () => {
  it.each(["", "a b a"])("is refused: %j", (source) => {
    expect(() => applied(source, [{ find: "a", replace: "c" }])).toThrow(/instead of once/)
  })
})
