// The compiler's work for a large contract, as `tsc --extendedDiagnostics` counts it. A bound keeps the types of the contract cheap.
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const folder = join(root, "tests/output/types/size")
const callCount = 300
/** Instantiations of this contract beyond those of an empty one, and a bound 15 % above. They are the same on every machine. */
const measured = 247_888
const bound = Math.floor(1.15 * measured)

/** A contract of this number of calls, with a handler and two uses of each. The same schemas serve many calls. */
function application(calls: number): string {
  const names = Array.from({ length: calls }, (_, index) => `call${index}`)
  const spec = (name: string, index: number): string =>
    index % 10 === 0
      ? `${name}: {},`
      : `${name}: { input: z.object({ ${name}: z.number() }), output: z.object({ ${name}: z.string() }) },`
  const [even, odd] = [names.filter((_, at) => at % 2 === 0), names.filter((_, at) => at % 2 === 1)]
  const handler = (name: string, index: number): string =>
    index % 10 === 0 ? "() => {}" : `({ input }) => ({ ${name}: String(input.${name}) })`
  const use = (kind: string, name: string, index: number): string =>
    index % 10 === 0
      ? `  await client.${kind}("${name}")`
      : `  console.log((await client.${kind}("${name}", { ${name}: 1 })).${name}.length)`
  const all = names.map((name, index) => ({ name, index, kind: index % 2 === 0 ? "command" : "query" }))
  return [
    'import { createClient, defineContract } from "@hawser/client"',
    'import { createServer } from "@hawser/server"',
    'import { z } from "zod"',
    "const contract = defineContract({",
    '  name: "large",',
    `  commands: { ${even.map((name, at) => spec(name, 2 * at)).join(" ")} },`,
    `  queries: { ${odd.map((name, at) => spec(name, 2 * at + 1)).join(" ")} },`,
    "  errors: { blocked: z.object({ by: z.string() }), full: null },",
    "})",
    "export const server = createServer(contract, { authenticate: (id: string) => ({ id }) })",
    'export const client = createClient(contract, { url: "ws://localhost/ws", token: "t" })',
    ...all.map(({ name, index, kind }) => `server.${kind}("${name}", ${handler(name, index)})`),
    "export async function play(): Promise<void> {",
    ...all.map(({ name, index, kind }) => use(kind, name, index)),
    "}",
  ].join("\n")
}

function instantiations(calls: number): number {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const settings = join(import.meta.dirname, "tsconfig.json")
  const tsconfig = { extends: relative(folder, settings), include: ["*.ts"] }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  writeFileSync(join(folder, "large.ts"), application(calls))
  const args = ["-p", folder, "--pretty", "false", "--extendedDiagnostics", "--singleThreaded"]
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), args, { cwd: root, encoding: "utf8" })
  expect(stdout.match(/error TS.*/g)).toBeNull()
  return Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1])
}

it("types a contract of 300 calls with a bounded number of instantiations", { timeout: 60_000 }, () => {
  const own = instantiations(callCount) - instantiations(0)
  expect(own).toBeLessThanOrEqual(bound)
  expect(own).toBeGreaterThan(0.5 * measured)
})
