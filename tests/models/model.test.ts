// The Promela models of the session protocol: every model verified, every broken switch refuted. `npm run model` runs
// it alone.
import { spawnSync } from "node:child_process"
import { expect, it } from "vitest"

const root = new URL("../..", import.meta.url)
const hasSpin = spawnSync("spin", ["-V"]).error === undefined

// In CI no test is skipped: there the missing tool fails the test.
it.skipIf(!hasSpin && process.env["CI"] === undefined)(
  "verifies every model and refutes every broken switch (needs spin: apt-get install spin)",
  { timeout: 900_000 },
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/model.mjs"], {
      cwd: root,
      encoding: "utf8",
    })
    const lines = stdout.trim().split("\n")
    expect(`${stderr}${status === 0 ? "" : stdout}`).toBe("")
    expect(status).toBe(0)
    expect(lines.at(-1)).toMatch(
      /^model: 9 models verified, [\d,]+ states, (\d+) of \1 broken switches refuted/,
    )
  },
)
