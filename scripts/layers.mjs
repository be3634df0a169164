// `node scripts/layers.mjs [FOLDER]`: the order of layers in each package, written down here alone, and the check that no import,
// of types or of values, goes against it. A file may import from its own layer and from those before it.
import { readFileSync, readdirSync } from "node:fs"
import { dirname, join, normalize, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

/**
 * By package, lowest first. A layer is a folder of `src`, or a file that stands there alone. Layers in one row know nothing of
 * each other.
 */
export const order = {
  protocol: [
    ["base"],
    ["contract"],
    ["wire"],
    ["transport.ts"],
    ["calls"],
    ["session"],
    ["topics", "replicas"],
    ["limits.ts"],
    ["index.ts", "testing"],
  ],
  client: [
    ["base"],
    ["port"],
    ["calls"],
    ["session"],
    ["topics", "replicas"],
    ["transport"],
    ["client-options.ts"],
    ["connect.ts"],
    ["client.ts"],
    ["index.ts"],
  ],
  server: [
    ["base"],
    ["calls"],
    ["session"],
    ["topics", "replicas"],
    ["metrics"],
    ["transport"],
    ["server-api.ts"],
    ["server.ts", "metrics.ts", "bun.ts"],
    ["index.ts"],
  ],
}

const importPattern = /(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g

/** Source files below `folder`, as paths relative to it; tests are left out. */
function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => file.split(sep).join("/"))
}

/** Imports of other files of the same source folder, as pairs of paths relative to it. */
export function importsIn(folder) {
  return sourcesIn(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8")
    const targets = [...text.matchAll(importPattern)].map(([, target]) => target)
    return targets.map((target) => [
      file,
      normalize(join(dirname(file), target))
        .split(sep)
        .join("/"),
    ])
  })
}

function layerOf(file) {
  return file.split("/")[0]
}

/** One sentence for each import against the order, and for each layer that it lacks. */
export function faultsIn(folder, rows) {
  const rowOf = new Map(rows.flatMap((row, index) => row.map((layer) => [layer, index])))
  const unknown = new Set(
    sourcesIn(folder)
      .map(layerOf)
      .filter((layer) => !rowOf.has(layer)),
  )
  const strangers = [...unknown].map(
    (layer) => `${layer} has no place in the order of layers (scripts/layers.mjs)`,
  )
  const upward = importsIn(folder).flatMap(([file, target]) => {
    const [from, to] = [layerOf(file), layerOf(target)]
    if (from === to || !rowOf.has(from) || !rowOf.has(to) || rowOf.get(to) < rowOf.get(from)) return []
    return [`${file} imports ${target}: ${from} may not know ${to}`]
  })
  return [...strangers, ...upward]
}

/** The faults of all packages below `packages`. */
export function layerFaults(packages) {
  return Object.entries(order).flatMap(([name, rows]) =>
    faultsIn(join(packages, name, "src"), rows).map((fault) => `packages/${name}/src: ${fault}`),
  )
}

const isMain = process.argv[1] === fileURLToPath(import.meta.url)
if (isMain) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..")
  const packages = process.argv[2] ?? join(root, "packages")
  const faults = layerFaults(packages)
  for (const fault of faults) console.error(fault)
  if (faults.length === 0)
    console.log(`layers: every import in ${relative(process.cwd(), packages) || "."} keeps their order`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
