// The packages as an application gets them: their manifests, files, entry points, and types under the oldest and the newest
// supported compiler.
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { manifestOf, pack, packageNames, root } from "./packed.ts"
import type { Packed } from "./packed.ts"

/** Packages of applications. `@types/ws` is none of them: our types must not need it. */
const others = ["@types/node", "@types/react", "prom-client", "react", "undici-types", "zod"]

let packed: Packed | undefined
let folder = ""
beforeAll(() => {
  packed = pack()
  folder = packed.installed(others)
  writeFileSync(join(folder, "package.json"), `{ "name": "consumer", "type": "module" }`)
  cpSync(join(import.meta.dirname, "consumer.fixture.ts"), join(folder, "consumer.ts"))
}, 120_000)
afterAll(() => packed?.remove())

/** Installs the oldest supported compiler if necessary, and returns its path. */
function oldestCompiler(): string {
  return (
    execFileSync(process.execPath, ["scripts/oldest-typescript.mjs"], { cwd: root, encoding: "utf8" })
      .trim()
      .split("\n")
      .at(-1) ?? ""
  )
}

/** Entry points of all packages, such as `@hawser/client/core`. */
const entries = packageNames.flatMap((name) =>
  Object.keys(manifestOf(name).exports).map((path) => `@hawser/${name}${path.slice(1)}`),
)

describe.each(packageNames)("the package %s", (name) => {
  it("names its licence, its keywords and public access, and no address that does not exist", () => {
    const manifest = manifestOf(name)
    expect(manifest).toMatchObject({
      license: "MIT",
      type: "module",
      sideEffects: false,
      publishConfig: { access: "public" },
    })
    expect(manifest.keywords).toEqual(expect.arrayContaining(["realtime", "websocket"]))
    expect(manifest.version).toBe(manifestOf("protocol").version)
    const { dependencies, peerDependencies } = manifest
    const own = Object.entries({ ...dependencies, ...peerDependencies }).filter(([key]) =>
      key.startsWith("@hawser/"),
    )
    expect(own.every(([, version]) => version === manifest.version)).toBe(true)
    expect(own).toHaveLength(name === "protocol" ? 0 : 1)
  })

  it("gives each entry point types and a default, in this order, for import and for require", () => {
    const conditions = Object.values(manifestOf(name).exports).map((entry) => Object.keys(entry))
    for (const names of conditions) expect(names).toEqual(["@hawser/source", "types", "default"])
  })

  it("contains its README, its licence, its code with the sources, and no test", () => {
    const files = packed?.files.get(name) ?? []
    expect(files).toEqual(
      expect.arrayContaining(["README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]),
    )
    expect(files.filter((file) => /\.test\.|\.fixture\.|tsbuildinfo/.test(file))).toEqual([])
  })

  it("has no link in its README that leaves the package", () => {
    const text = readFileSync(join(root, "packages", name, "README.md"), "utf8")
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target)
    expect(links.filter((target) => !target.startsWith("https://"))).toEqual([])
  })
})

it.each(entries)("loads %s by import and by require, as one module", (entry) => {
  const program = `
    import { createRequire } from "node:module"
    const names = Object.keys(await import("${entry}"))
    console.log(names.length, Object.keys(createRequire(import.meta.url)("${entry}")).length - names.length)`
  const file = join(folder, "load.mjs")
  writeFileSync(file, program)
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" })
  expect(stdout, stderr).toMatch(/^[1-9]\d* 0\n$/)
})

it.each([
  { platform: "browser", advises: false },
  { platform: "node", advises: true },
] as const)(
  "has advice on codes of the network in a bundle for $platform: $advises",
  async ({ platform, advises }) => {
    const { outputFiles } = await build({
      stdin: { contents: `export * from "@hawser/client/core"`, resolveDir: folder },
      bundle: true,
      format: "esm",
      platform,
      write: false,
    })
    expect(outputFiles[0]?.text.includes("ECONNREFUSED")).toBe(advises)
  },
)

describe("an application without skipLibCheck", () => {
  const compilers = [
    { version: "5.6", pathOf: oldestCompiler },
    { version: "of this clone", pathOf: () => join(root, "node_modules/typescript/bin/tsc") },
  ]
  it.each(compilers)("compiles with TypeScript $version", { timeout: 120_000 }, ({ pathOf }) => {
    const options = {
      target: "es2022",
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["es2023", "dom"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    }
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, include: ["consumer.ts"] }),
    )
    const { status, stdout } = spawnSync(process.execPath, [pathOf(), "-p", folder], {
      encoding: "utf8",
    })
    expect([stdout, status]).toEqual(["", 0])
  })
})
