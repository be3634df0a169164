// The folder of a file journal: its key, and who may read it.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { fileJournal } from "./file-journal.ts"

function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "hawser-journal-"))
  onTestFinished(() => rmSync(parent, { recursive: true }))
  return join(parent, "journal")
}

describe("trap-15 the folder of fileJournal", () => {
  it("has one key for all journals on it, and nothing else before the first start", () => {
    const folder = newFolder()
    const { resumeKey } = fileJournal(folder)
    expect(resumeKey).toHaveLength(32)
    expect(fileJournal(folder).resumeKey).toEqual(resumeKey)
    expect(readdirSync(folder)).toEqual(["resume-key"])
    expect(fileJournal(newFolder()).resumeKey).not.toEqual(resumeKey)
  })

  it("is readable by its owner alone, and so is the key", () => {
    const folder = newFolder()
    fileJournal(folder)
    const modes = [folder, join(folder, "resume-key")].map((path) =>
      (statSync(path).mode & 0o777).toString(8),
    )
    expect(modes).toEqual(["700", "600"])
  })

  it("continues after a process that ended while it created the key", () => {
    const folder = newFolder()
    const { resumeKey } = fileJournal(folder)
    writeFileSync(join(folder, "resume-key.7d9c"), resumeKey.subarray(0, 5))
    expect(fileJournal(folder).resumeKey).toEqual(resumeKey)
  })

  it("refuses a key of another length, and names the file", () => {
    const folder = newFolder()
    fileJournal(folder)
    writeFileSync(join(folder, "resume-key"), "short")
    expect(() => fileJournal(folder)).toThrow(`${join(folder, "resume-key")} has 5 bytes, not 32`)
    expect(readFileSync(join(folder, "resume-key"), "utf8")).toBe("short")
  })
})
