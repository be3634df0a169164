// Fault 5: checks that can never be false. The linter, with the repository's own rules, must reject one.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"

const root = join(import.meta.dirname, "../..")
const config = join(root, "tests/output/fault-05.oxlintrc.json")

// `ignorePatterns` excludes the fixtures from the normal run; it must not apply here.
beforeAll(() => {
  const rules: unknown = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8"))
  mkdirSync(join(root, "tests/output"), { recursive: true })
  writeFileSync(config, JSON.stringify(Object.assign({}, rules, { ignorePatterns: [] })))
})

function lint(fixture: string) {
  const oxlint = join(root, "node_modules/.bin/oxlint")
  const args = ["-c", config, "--format", "unix", join("tests/lint", fixture)]
  const { status, stdout } = spawnSync(oxlint, args, { cwd: root, encoding: "utf8" })
  return { status, stdout }
}

test("rejects a check of a value that is never absent", () => {
  const { status, stdout } = lint("dead-check.fixture.ts")
  expect(stdout).toContain("dead-check.fixture.ts:3:")
  expect(stdout).toContain("typescript(no-unnecessary-condition)")
  expect(status).toBe(1)
})

test("accepts a check of a value that can be absent", () => {
  const { status, stdout } = lint("live-check.fixture.ts")
  expect(stdout).not.toContain("error")
  expect(status).toBe(0)
})
