// The map for those who change something: each file that CONTRIBUTING.md and docs/architecture.md name is there.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "")
const names = new Set(files.map((file) => basename(file)))

/** What stands in backticks and looks like a file or, with a slash at its end, a folder. `…` and `*` stand for anything. */
function filesNamedIn(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map(([, word = ""]) => word)
  return quoted.filter(
    (word) => /(?:\.(?:ts|mjs|json|md|pml)|\/)$/.test(word) && !/[…*<>]|^@|^\/|:\/\//.test(word),
  )
}

function isThere(named: string): boolean {
  if (named.endsWith("/")) return files.some((file) => `/${file}`.includes(`/${named}`))
  return named.includes("/") ? files.some((file) => `/${file}`.endsWith(`/${named}`)) : names.has(named)
}

describe.each(["CONTRIBUTING.md", "docs/architecture.md"])("%s", (document) => {
  const named = filesNamedIn(readFileSync(join(root, document), "utf8"))

  it("names files", () => {
    expect(named.length).toBeGreaterThan(20)
  })

  it("names no file that is not there", () => {
    expect(named.filter((file) => !isThere(file))).toEqual([])
  })
})

it("the check finds a file that is not there, and one in another folder", () => {
  expect(isThere("packages/protocol/src/limits.ts")).toBe(true)
  expect(isThere("limits.ts")).toBe(true)
  expect(isThere("no-such-file.ts")).toBe(false)
  expect(isThere("packages/server/src/limits.ts")).toBe(false)
})
