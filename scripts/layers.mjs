// The order of layers in each package, and the check that no import, of types or of values, breaks it. A file may
// import from its own layer and from those before it.
//
// `node scripts/layers.mjs`: checks the imports and the diagram in docs/architecture.md; with `--draw` it draws the
// diagram again.
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join, normalize, sep } from "node:path"
import { fileURLToPath } from "node:url"

/**
 * By package, lowest first. A layer is a folder of `src`, or a file directly in it; a nested folder is a separate layer
 * if it is named here. Layers in one row must not import each other.
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
    ["limits.ts", "client-limits.ts"],
    ["index.ts", "core.ts", "profile20", "testing"],
  ],
  client: [
    ["base"],
    ["port"],
    ["calls"],
    ["session"],
    ["replicas", "profile20"],
    ["topics"],
    ["transport"],
    ["client-options.ts"],
    ["connect.ts"],
    ["client-api.ts"],
    ["client-stores.ts", "query-options.ts"],
    ["feature.ts"],
    ["features.ts"],
    ["core-client.ts"],
    ["client.ts", "public.ts"],
    ["index.ts", "core.ts"],
  ],
  server: [
    ["base"],
    ["calls"],
    ["session/conversation"],
    ["session"],
    ["replicas", "profile20"],
    ["topics"],
    ["journal"],
    ["metrics"],
    ["transport"],
    ["server-api.ts"],
    ["server-checks.ts"],
    ["server.ts", "metrics.ts", "bun.ts", "testing.ts", "journal.ts"],
    ["index.ts"],
  ],
  react: [
    ["stays.ts", "selection.ts"],
    ["hooks-api.ts"],
    ["basic-hooks.ts", "topic-store.ts"],
    ["command-hook.ts", "replica-hooks.ts", "stream-hook.ts", "topic-hooks.ts"],
    ["create-hooks.ts"],
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

/** The longest of these names that the path begins with, or else the first part of the path. */
function layerIn(layers, file) {
  const holds = (layer) => file === layer || file.startsWith(`${layer}/`)
  return layers.filter(holds).toSorted((one, other) => other.length - one.length)[0] ?? file.split("/")[0]
}

/** One sentence for each import against the order, and for each layer that the order lacks. */
export function faultsIn(folder, rows) {
  const rowOf = new Map(rows.flatMap((row, index) => row.map((layer) => [layer, index])))
  const layerOf = (file) => layerIn([...rowOf.keys()], file)
  const unknown = new Set(
    sourcesIn(folder)
      .map(layerOf)
      .filter((layer) => !rowOf.has(layer)),
  )
  const strangers = [...unknown].map(
    (layer) => `${layer} is missing in the order of layers (scripts/layers.mjs)`,
  )
  const upward = importsIn(folder).flatMap(([file, target]) => {
    const [from, to] = [layerOf(file), layerOf(target)]
    if (from === to || !rowOf.has(from) || !rowOf.has(to) || rowOf.get(to) < rowOf.get(from)) return []
    return [`${file} imports ${target}: ${from} must not import from ${to}`]
  })
  return [...strangers, ...upward]
}

/** Returns the faults of all packages below `packages`. */
export function layerFaults(packages) {
  return Object.entries(order).flatMap(([name, rows]) =>
    faultsIn(join(packages, name, "src"), rows).map((fault) => `packages/${name}/src: ${fault}`),
  )
}

/** Returns a line for each layer, highest first, with the layers that it imports from. */
function picture(name, folder, rows) {
  const imports = importsIn(folder)
  const layers = rows.flat()
  const layerOf = (file) => layerIn(layers, file)
  const lines = layers.map((layer) => {
    const used = new Set(
      imports.filter(([file]) => layerOf(file) === layer).map(([, target]) => layerOf(target)),
    )
    const told = layers.filter((other) => other !== layer && used.has(other)).join(", ")
    return `  ${layer.padEnd(21)} ${told === "" ? "·" : told}`
  })
  return [`${name} `.padEnd(23) + " imports from", ...lines.toReversed()].join("\n")
}

/** Returns the actual layers of all packages, as a block of Markdown. */
export function drawLayers(packages) {
  const pictures = Object.entries(order).map(([name, rows]) =>
    picture(name, join(packages, name, "src"), rows),
  )
  return ["```", pictures.join("\n\n"), "```"].join("\n")
}

const diagram = /(?<=<!-- layers: drawn by scripts\/layers\.mjs -->\n)[\s\S]*?(?=\n<!-- end of layers -->)/

function main(isDrawing) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..")
  const packages = join(root, "packages")
  const map = join(root, "docs/architecture.md")
  const text = readFileSync(map, "utf8")
  const drawn = text.replace(diagram, () => drawLayers(packages))
  if (isDrawing) writeFileSync(map, drawn)
  const faults = layerFaults(packages)
  if (!isDrawing && drawn !== text)
    faults.push("the diagram in docs/architecture.md is out of date; run node scripts/layers.mjs --draw")
  for (const fault of faults) console.error(fault)
  if (faults.length === 0) console.log("layers: every import keeps their order")
  process.exitCode = faults.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.includes("--draw"))
