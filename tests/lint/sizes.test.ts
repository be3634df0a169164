// The ratchet of the client's size: it fails for growth, and asks for a lower record.
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"

function judge(gzipBytes: number, recorded: number): unknown {
  const program = `import { judge } from "./sizes.mjs"; console.log(JSON.stringify(judge("core", ${gzipBytes}, ${recorded}) ?? null))`
  const options = { cwd: join(import.meta.dirname, "../../scripts"), encoding: "utf8" } as const
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], options))
}

it.each([
  { gzipBytes: 10_101, sentence: "core has 10101 bytes, more than 10000 and 1 %" },
  { gzipBytes: 9_900, sentence: "core is smaller than its record: node scripts/sizes.mjs --record" },
])("reports $gzipBytes bytes against a record of 10,000", ({ gzipBytes, sentence }) => {
  expect(judge(gzipBytes, 10_000)).toContain(sentence)
})

it.each([9_950, 10_000, 10_100])("accepts %s bytes against a record of 10,000", (gzipBytes) => {
  expect(judge(gzipBytes, 10_000)).toBeNull()
})
