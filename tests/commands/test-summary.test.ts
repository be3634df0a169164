// The commands are plain modules for Node, outside the TypeScript project, so they run in a separate process.
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const scripts = join(import.meta.dirname, "../../scripts")

/** Runs an expression with a module's exports in scope, and returns its value. */
function evaluate(file: string, name: string, expression: string): unknown {
  const program = `import { ${name} } from "./${file}"; console.log(JSON.stringify(${expression}))`
  const options = { cwd: scripts, encoding: "utf8" } as const
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], options))
}

const summaryOf = (runs: readonly unknown[]): unknown =>
  evaluate("test-summary.mjs", "summaryOf", `summaryOf(${JSON.stringify(runs)})`)

const count = (passed: number, failed: number, skipped: number) => ({ passed, failed, skipped, failures: [] })

describe("the last lines of npm test", () => {
  it("adds up the runs", () => {
    const runs = [
      { code: 0, count: count(5, 0, 1) },
      { code: 0, count: count(3, 0, 2) },
    ]
    expect(summaryOf(runs)).toEqual({ failures: [], line: "8 passed, 0 failed, 3 skipped", code: 0 })
  })

  it("fails when any run fails", () => {
    const good = { code: 0, count: count(5, 0, 0) }
    const bad = { code: 1, count: count(3, 2, 0) }
    const expected = { failures: [], line: "8 passed, 2 failed, 0 skipped", code: 1 }
    expect(summaryOf([good, bad])).toEqual(expected)
    expect(summaryOf([bad, good])).toEqual(expected)
  })

  it("counts a run that fails without a failed test, or before it counts, as one failure", () => {
    const good = { code: 0, count: count(5, 0, 0) }
    expect(summaryOf([good, { code: 1, count: count(3, 0, 0) }])).toEqual({
      failures: [],
      line: "8 passed, 1 failed, 0 skipped",
      code: 1,
    })
    const expected = { failures: [], line: "5 passed, 1 failed, 0 skipped", code: 3 }
    expect(summaryOf([good, { code: 3 }])).toEqual(expected)
  })

  it("name at most twenty failures", () => {
    const names = Array.from({ length: 15 }, (_, index) => `failed: test ${index}`)
    const run = { code: 1, count: { ...count(5, 15, 0), failures: names } }
    expect(summaryOf([run, run])).toMatchObject({
      failures: [...names, ...names.slice(0, 5), "failed: 10 more"],
    })
  })
})

it("runs the tests again only on a Node that is newer", () => {
  const [major = 0, minor = 0, patch = 0] = process.versions.node.split(".").map(Number)
  const versions = [
    `${major}.${minor}.${patch}`,
    `${major}.${minor}.${patch + 1}`,
    `${major}.${minor + 1}.0`,
    `${major + 1}.0.0`,
    `${major - 1}.99.99`,
  ]
  const expression = `${JSON.stringify(versions)}.map(isOlderThan)`
  expect(evaluate("newest-node.mjs", "isOlderThan", expression)).toEqual([false, true, true, true, false])
})
