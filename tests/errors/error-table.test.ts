// Keeps three things consistent: the table of errors, docs/errors.md, and the tests that cause each error.
import { errorTable, retiredErrors, suggestedAction } from "@hawser/protocol/core"
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { join, sep } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const codes = Object.keys(errorTable)

/** Tests of encodings and tables use codes as samples; only tests that cause an error count. */
const samples = ["tests/errors/error-table.test.ts", "packages/protocol/src/wire/"].map((path) =>
  join(root, path),
)

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/[\\/](node_modules|dist|output)[\\/]/.test(entry.parentPath + sep))
    .map((entry) => join(entry.parentPath, entry.name))
}

function isTest(path: string): boolean {
  const isCase = path.includes(join("tests", "conformance-2.0")) && path.endsWith(".ts")
  return (isCase || /\.test\.tsx?$/.test(path)) && !samples.some((sample) => path.startsWith(sample))
}

describe("the table of errors", () => {
  it("gives each code its own number on the wire; 0 is success and 1 a code of the application", () => {
    const numbers = Object.values(errorTable).map(({ wire }) => wire)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const number of numbers) expect(Number.isInteger(number) && number > 1, String(number)).toBe(true)
  })

  it("reuses no number and no name of a retired code, and docs/errors.md lists each", () => {
    const numbers = Object.values(errorTable).map(({ wire }) => String(wire))
    const text = readFileSync(join(root, "docs/errors.md"), "utf8")
    for (const [number, code] of Object.entries(retiredErrors)) {
      expect(numbers).not.toContain(number)
      expect(codes).not.toContain(code)
      expect(text).toContain(`| ${number} | \`${code}\` |`)
    }
  })

  it("describes the failure and the remedy of each code in whole sentences", () => {
    for (const [code, { sentence }] of Object.entries(errorTable)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(sentence, code).toMatch(/^[A-Z].*\.$/)
      expect(suggestedAction(code), code).toMatch(/^[A-Z].*\.$/)
    }
  })

  it("matches docs/errors.md, code by code", () => {
    const path = join(root, "docs/errors.md")
    const text = existsSync(path) ? readFileSync(path, "utf8") : ""
    const headings = [...text.matchAll(/^### `([^`]+)`/gm)].map(([, code]) => code)
    expect(new Set(headings)).toEqual(new Set(codes))
    expect(headings).toHaveLength(codes.length)
  })

  it("contains only codes that some test causes", () => {
    const tests = ["packages", "apps", "tests"].flatMap(filesBelow).filter(isTest)
    const text = tests.map((path) => readFileSync(path, "utf8")).join("\n")
    // An error that a test creates itself proves nothing.
    const expected = new Set([...text.matchAll(/(?<!HawserError\()"([a-z_]+)"/g)].map(([, code]) => code))
    expect(codes.filter((code) => !expected.has(code))).toEqual([])
  })
})
