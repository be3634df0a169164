// The order of layers in the packages, and that its check fails when it should, also for an import of a type alone.
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it, onTestFinished } from "vitest"

const scripts = join(import.meta.dirname, "../../scripts")

/** Faults of a package with these files, whose layers are `low`, then `left` and `right`, then `index.ts`. */
function faultsOf(files: Readonly<Record<string, string>>): unknown {
  const folder = mkdtempSync(join(tmpdir(), "hawser-layers-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return evaluate(`faultsIn(${JSON.stringify(folder)}, [["low"], ["left", "right"], ["index.ts"]])`)
}

function evaluate(expression: string): unknown {
  const program = `import { faultsIn, layerFaults } from "./layers.mjs"; console.log(JSON.stringify(${expression}))`
  const options = { cwd: scripts, encoding: "utf8" } as const
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], options))
}

it("keeps the order of layers in all packages", () => {
  expect(evaluate(`layerFaults("../packages")`)).toEqual([])
})

it("accepts imports of the own layer and of lower layers", () => {
  const files = {
    "low/a.ts": "export const a = 1",
    "left/b.ts": `import { a } from "../low/a.ts"\nimport { c } from "./c.ts"\nexport const b = a + c`,
    "left/c.ts": "export const c = 1",
    "index.ts": `export { b } from "./left/b.ts"`,
  }
  expect(faultsOf(files)).toEqual([])
})

it("rejects an import of a higher layer, also of a type", () => {
  const files = {
    "low/a.ts": `import type { B } from "../left/b.ts"\nexport type A = B`,
    "left/b.ts": "export type B = 1",
  }
  expect(faultsOf(files)).toEqual(["low/a.ts imports left/b.ts: low must not import from left"])
})

it("rejects an import between layers of one row, an export from above, and a layer that the order lacks", () => {
  const files = {
    "left/b.ts": "export const b = 1",
    "right/c.ts": `import { b } from "../left/b.ts"\nexport const c = b`,
    "left/d.ts": `export { e } from "../index.ts"`,
    "index.ts": "export const e = 1",
    "new/f.ts": "export const f = 1",
  }
  expect(faultsOf(files)).toEqual([
    "new is missing in the order of layers (scripts/layers.mjs)",
    "left/d.ts imports index.ts: left must not import from index.ts",
    "right/c.ts imports left/b.ts: right must not import from left",
  ])
})
