// docs/vectors.json is what the codecs produce now, and a decoder in another language agrees with all of it.
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { buildVectors } from "./build.ts"
import { layout, readVectors, vectorsFile } from "./file.ts"

/** Debian's Python has the package; another one that comes first on the path may lack it. */
const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3"
const hasDecoder = spawnSync(python, ["-c", "import msgpack"]).status === 0
const install = "needs Python with msgpack: apt-get install python3-msgpack"

/** Runs the decoder. Returns its lines; the last one has the counts. */
function decode(path: string): { readonly status: number | null; readonly lines: readonly string[] } {
  const program = join(import.meta.dirname, "check_vectors.py")
  const { error, status, stdout, stderr } = spawnSync(python, ["-B", program, path], { encoding: "utf8" })
  if (error !== undefined || stderr !== "")
    throw new Error(`the decoder did not run (${install}):\n${stderr}`)
  return { status, lines: stdout.trimEnd().split("\n") }
}

it("docs/vectors.json has the vectors that the codecs produce", async () => {
  const current = `${layout(await buildVectors())}\n`
  expect(readVectors(), "docs/vectors.json is out of date: run `npm run vectors`, and read its changes").toBe(
    current,
  )
})

// In CI no test is skipped: there the missing package fails the tests.
describe.skipIf(!hasDecoder && process.env["CI"] === undefined)(`a decoder in Python (${install})`, () => {
  it("agrees with every vector", () => {
    const { status, lines } = decode(vectorsFile)
    expect(lines.slice(0, -1), "decode.py and docs/vectors.json disagree; docs/protocol.md decides").toEqual(
      [],
    )
    expect(lines.at(-1)).toMatch(/^[1-9]\d{2,} comparisons, 0 disagree$/)
    expect(status).toBe(0)
  })

  it("names a vector that disagrees", () => {
    const folder = mkdtempSync(join(tmpdir(), "hawser-vectors-"))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, "vectors.json")
    writeFileSync(path, readVectors().replace('"hex": "820404d8"', '"hex": "82040498"'))
    const { status, lines } = decode(path)
    expect(lines[0]).toBe('CELLS 4 of "parts"')
    expect(status).toBe(1)
  })
})
