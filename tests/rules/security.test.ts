// The table of docs/security.md: each abuse from A1 to A50 has one row, and each row names tests that exist and carry
// its number.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")
const rows = [...read("docs/security.md").matchAll(/^\| (A\d+) \|(.*)$/gm)].map(
  ([, abuse = "", rest = ""]) => {
    const cells = rest.split(" | ")
    return {
      abuse,
      tests: [...(cells.at(-1) ?? "").matchAll(/`([^`]+)`/g)].flatMap(([, test]) => test ?? []),
    }
  },
)
const protocol = read("docs/protocol.md")

it("the table of docs/security.md has each abuse once, in order", () => {
  expect(rows.map(({ abuse }) => abuse)).toEqual(Array.from({ length: 50 }, (_, index) => `A${index + 1}`))
})

it("each abuse names tests that exist, with its number in their titles", () => {
  const wrong = rows.flatMap(({ abuse, tests }) => {
    const faults = tests.filter((test) => {
      const [path = "", title = ""] = test.split(/ > (.*)/s)
      if (!path.endsWith(".test.ts") || !existsSync(join(root, path))) return true
      return !`${title} `.includes(`abuse-${abuse} `) || !read(path).includes(JSON.stringify(title))
    })
    return tests.length === 0 ? [`${abuse}: no test`] : faults.map((test) => `${abuse}: ${test}`)
  })
  expect(wrong).toEqual([])
})

it("docs/security.md cites only rules that docs/protocol.md defines", () => {
  const cited = [...read("docs/security.md").matchAll(/(?<![\w`*-])([B-Z]\d{1,2})(?![\w`*])/g)].flatMap(
    ([, rule]) => rule ?? [],
  )
  expect(cited.length).toBeGreaterThan(40)
  expect([...new Set(cited)].filter((rule) => !protocol.includes(`**${rule}** `))).toEqual([])
})
