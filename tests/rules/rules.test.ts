// Every rule and every invariant of docs/protocol.md has its checks in coverage.json: a test by its file and title, or
// a command and a word of its source. The checks must exist; reviewers judge whether they prove the rule.
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

const coverage = z
  .object({
    /** Rules without a test. Empty, or this test fails. */
    untested: z.array(z.string()),
    rules: z.record(z.string(), z.array(z.string()).min(1)),
  })
  .parse(JSON.parse(read("tests/rules/coverage.json")))

const spec = read("docs/protocol.md")
/** `- **X12** …` in lists, `| **U1** | …` in tables. */
const defined = [...spec.matchAll(/^(?:- |\| )\*\*([A-Z]\d+)\*\* /gm)].flatMap(([, id]) => id ?? [])
const entries = Object.entries(coverage.rules).flatMap(([id, checks]) =>
  checks.map((check) => ({ id, check })),
)

/** A test file, or a part of the conformance suite, whose cases are tests of tests/world/conformance.test.ts. */
const isTestFile = (path: string): boolean =>
  /\.test\.tsx?$/.test(path) || /^tests\/conformance-2\.0\/[\w-]+\.ts$/.test(path)

/** Fault of `path > title`; undefined if the file contains the title as a whole string. */
function wrongTest(check: string): string | undefined {
  const [path = "", title = ""] = check.split(/ > (.*)/s)
  if (!isTestFile(path) || !existsSync(join(root, path))) return `no test file "${path}"`
  const source = read(path)
  const quoted = ['"', "'", "`"].map((quote) => `${quote}${title}${quote}`)
  const escaped = JSON.stringify(title)
  if (title === "" || ![...quoted, escaped].some((text) => source.includes(text))) return `no test "${title}"`
  return undefined
}

const scripts: Readonly<Record<string, string>> = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json"))).scripts

/**
 * Fault of `command: npm run model -- NAME / WORD` or `command: npm run simulate / WORD`: the model, or the simulator,
 * must contain the word (a switch, an invariant).
 */
function wrongCommand(check: string): string | undefined {
  const [, script = "", name, word] =
    /^command: npm run ([\w-]+)(?: -- ([\w-]+))?(?: \/ (\w+))?$/.exec(check) ?? []
  if (scripts[script] === undefined) return `no script "${script}"`
  const sources =
    script === "model" && name !== undefined
      ? [`spec/${name}.pml`]
      : script === "simulate"
        ? readdirSync(join(root, "tests/simulation")).map((file) => `tests/simulation/${file}`)
        : []
  if (!sources.every((path) => existsSync(join(root, path)))) return `no model "${name}"`
  if (word === undefined) return undefined
  return sources.some((path) => new RegExp(`\\b${word}\\b`).test(read(path))) ? undefined : `no "${word}"`
}

describe("the rules of docs/protocol.md", () => {
  it("are each defined once", () => {
    expect(defined.length).toBeGreaterThan(150)
    expect(defined.filter((id, place) => defined.indexOf(id) !== place)).toEqual([])
  })

  it("include every rule that the page itself cites", () => {
    const cited = [...spec.matchAll(/(?<![\w*`⁵³])([A-Z]\d{1,2})(?![\w*`])/g)].flatMap(([, id]) => id ?? [])
    expect([...new Set(cited)].filter((id) => !defined.includes(id))).toEqual([])
  })

  it("each name what checks them", () => {
    const covered = [...Object.keys(coverage.rules), ...coverage.untested]
    expect(defined.filter((id) => !covered.includes(id))).toEqual([])
  })

  it("are all tested", () => {
    expect(coverage.untested).toEqual([])
  })
})

describe("coverage.json", () => {
  it("names no rule that is not defined, and none as tested and untested", () => {
    const covered = [...Object.keys(coverage.rules), ...coverage.untested]
    expect(covered.filter((id) => !defined.includes(id))).toEqual([])
    expect(coverage.untested.filter((id) => id in coverage.rules)).toEqual([])
  })

  it("names only tests and commands that exist", () => {
    const wrong = entries.flatMap(({ id, check }) => {
      const fault = check.startsWith("command: ") ? wrongCommand(check) : wrongTest(check)
      return fault === undefined ? [] : [`${id}: ${fault} (${check})`]
    })
    expect(wrong).toEqual([])
  })
})
