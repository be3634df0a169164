// The map of the code: CONTRIBUTING.md and docs/architecture.md name existing files, and docs/architecture.md names functions and
// methods that their files contain.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "")
const names = new Set(files.map((file) => basename(file)))

/** Returns the words in backticks that look like a file or, with a slash at the end, a folder. Leaves out patterns (`…`, `*`). */
function filesNamedIn(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map(([, word = ""]) => word)
  return quoted.filter(
    (word) => /(?:\.(?:ts|mjs|json|md|pml)|\/)$/.test(word) && !/[…*<>]|^@|^\/|:\/\//.test(word),
  )
}

interface NamedStep {
  readonly name: string
  readonly file: string
}

/** Returns the functions and methods that the text names together with their file: `name` (`file.ts`). */
function stepsNamedIn(text: string): readonly NamedStep[] {
  return [...text.matchAll(/`([A-Za-z]\w*(?:\.\w+)?)`\s+\(`([^`\s]+\.ts)`/g)].map(
    ([, name = "", file = ""]) => ({
      name,
      file,
    }),
  )
}

/** Returns true if one file of this name contains every part of a name: the class and the method, or the function. */
function isDefined({ name, file }: NamedStep): boolean {
  return files
    .filter((path) => `/${path}`.endsWith(`/${file}`))
    .some((path) => {
      const text = readFileSync(join(root, path), "utf8")
      return name.split(".").every((part) => new RegExp(`\\b${part}\\b`).test(text))
    })
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

  it("names no file that does not exist", () => {
    expect(named.filter((file) => !isThere(file))).toEqual([])
  })
})

it("docs/architecture.md names functions and methods that their files contain", () => {
  const steps = stepsNamedIn(readFileSync(join(root, "docs/architecture.md"), "utf8"))
  expect(steps.length).toBeGreaterThan(50)
  expect(steps.filter((step) => !isDefined(step))).toEqual([])
})

it("finds a method that its file does not contain", () => {
  expect(isDefined({ name: "Hub.join", file: "hub.ts" })).toBe(true)
  expect(isDefined({ name: "Hub.noSuchMethod", file: "hub.ts" })).toBe(false)
  expect(isDefined({ name: "NoHub.join", file: "hub.ts" })).toBe(false)
})

it("finds a file that does not exist, and one in another folder", () => {
  expect(isThere("packages/protocol/src/limits.ts")).toBe(true)
  expect(isThere("limits.ts")).toBe(true)
  expect(isThere("no-such-file.ts")).toBe(false)
  expect(isThere("packages/server/src/limits.ts")).toBe(false)
})
