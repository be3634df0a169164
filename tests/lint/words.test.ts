// The check of words: each rule finds its faults in the fixtures, and nothing else. `words.fixture.txt` is the expected output.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { z } from "zod"

const root = join(import.meta.dirname, "../..")
const script = join(root, "scripts/words.mjs")
const fixtures = ["ts", "md", "pml"].map((ending) => `tests/lint/words.fixture.${ending}`)
const allowedSentences = z.array(
  z.object({ file: z.string(), sentence: z.string().min(10), reason: z.string().min(20) }),
)

function words(args: readonly string[], cwd = root): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], { cwd, encoding: "utf8" })
  return { status, lines: stdout.trimEnd().split("\n") }
}

/** A folder with these files, which is removed after the test. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "hawser-words-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

it("finds each fault in comments, Markdown, Promela, error sentences and titles, with its line", () => {
  const { status, lines } = words(fixtures)
  const expected = readFileSync(join(root, "tests/lint/words.fixture.txt"), "utf8").trimEnd().split("\n")
  expect(lines).toEqual([...expected, `words: ${expected.length} faults in ${fixtures.length} files`])
  expect(status).toBe(1)
})

it("accepts plain sentences, names in code and text in backticks", () => {
  const text = "// Returns the list. `What` is a name.\nexport const what = 'What'\n"
  const folder = folderOf({ "docs/a.ts": text, "README.md": "Sends a frame.\n\n```\nWhat now\n```\n" })
  expect(words([], folder)).toEqual({ status: 0, lines: ["words: 0 faults in 2 files"] })
})

it("checks documents and source folders, without fixtures and installed packages", () => {
  const fault = "// What a file does.\n"
  const folder = folderOf({
    "CHANGELOG.md": "What changed.\n",
    "packages/one/src/a.ts": fault,
    "apps/world/src/a.tsx": fault,
    "scripts/a.mjs": fault,
    "spec/a.pml": fault,
    "packages/one/node_modules/a.ts": fault,
    "packages/one/dist/a.js": fault,
    "tests/a.fixture.ts": fault,
  })
  expect(words(["--count"], folder)).toEqual({
    status: 1,
    lines: [
      "    1  CHANGELOG.md",
      "    1  packages/one",
      "    1  apps/world",
      "    1  scripts",
      "    1  spec",
      "words: 5 faults in 5 files",
    ],
  })
})

it("keeps a sentence of the list of kept sentences in its own file only", () => {
  const sentence = "What the peer said"
  const list = [{ file: "docs/a.md", sentence, reason: "the message of another system" }]
  const folder = folderOf({
    "scripts/words-allowed.json": JSON.stringify(list),
    "docs/a.md": `${sentence}.\n\nWhat we said.\n`,
    "docs/b.md": `${sentence}.\n`,
  })
  expect(words([], folder).lines).toEqual([
    "docs/a.md:3: What we said.",
    "docs/b.md:1: What the peer said.",
    "words: 2 faults in 2 files",
  ])
})

it("reports a path that does not exist", () => {
  const { status, lines } = words(["no-such-folder"])
  expect(lines[0]).toBe("no-such-folder: no such file")
  expect(status).toBe(1)
})

it("keeps at most five sentences, each with a reason and still in its file", () => {
  const list = readFileSync(join(root, "scripts/words-allowed.json"), "utf8")
  const entries = allowedSentences.parse(JSON.parse(list))
  expect(entries.length).toBeLessThanOrEqual(5)
  for (const { file, sentence } of entries)
    expect(readFileSync(join(root, file), "utf8").replaceAll(/\s+/g, " ")).toContain(sentence)
})
