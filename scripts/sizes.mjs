// The size of the client in a bundle: the core, everything but profile 2.0, and what `@hawser/react` adds to the client and React.
// Minified by esbuild, then by gzip. A ratchet:
// `node scripts/sizes.mjs` fails when a bundle is larger than scripts/sizes.json records, by more than 1 %. `--record` writes
// the record, `--parts` lists the source files of each bundle by size. Measures what is built in `dist`.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { root } from "./prepare.mjs"

/** Bundles by name: the package that resolves the import, its text, and the imports that are left out. */
const bundles = {
  core: { of: "client", contents: `export { createClient } from "@hawser/client/core"`, external: [] },
  everything: { of: "client", contents: `export { createClient } from "@hawser/client"`, external: [] },
  react: {
    of: "react",
    contents: `export { createHooks } from "./dist/index.js"`,
    external: ["react", "@hawser/client"],
  },
}
const recordFile = join(root, "scripts/sizes.json")
/** Growth that does not fail, as a factor of the recorded size. */
const tolerance = 1.01

async function bundle({ of, contents, external }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: join(root, "packages", of) },
    bundle: true,
    external,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    metafile: true,
    write: false,
  })
  const [{ contents: bytes }] = outputFiles
  const [{ inputs }] = Object.values(metafile.outputs)
  const parts = Object.entries(inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput])
  return { gzipBytes: gzipSync(bytes, { level: 9 }).length, minifiedBytes: bytes.length, parts }
}

/** Returns a sentence for a size against its record: a fault, or the advice to lower the record; undefined if they agree. */
export function judge(name, gzipBytes, recorded) {
  if (gzipBytes > recorded * tolerance)
    return `${name} has ${gzipBytes} bytes, more than ${recorded} and 1 %: make it smaller, or record it with a reason (--record)`
  if (gzipBytes < recorded / tolerance)
    return `${name} is smaller than its record: node scripts/sizes.mjs --record`
  return undefined
}

async function main(options) {
  const recorded = JSON.parse(readFileSync(recordFile, "utf8"))
  const sizes = {}
  for (const [name, entry] of Object.entries(bundles)) {
    const { gzipBytes, minifiedBytes, parts } = await bundle(entry)
    sizes[name] = gzipBytes
    console.log(
      `${name}: ${(gzipBytes / 1_000).toFixed(1)} kB gzip, ${(minifiedBytes / 1_000).toFixed(1)} kB minified`,
    )
    if (options.includes("--parts"))
      for (const [file, bytes] of parts.toSorted((one, other) => other[1] - one[1]))
        console.log(`  ${String(bytes).padStart(6)}  ${file}`)
    const sentence = judge(name, gzipBytes, recorded[name])
    if (options.includes("--record") || sentence === undefined) continue
    console.error(sentence)
    if (gzipBytes > recorded[name]) process.exitCode = 1
  }
  if (options.includes("--record")) writeFileSync(recordFile, `${JSON.stringify(sizes, undefined, 2)}\n`)
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2))
