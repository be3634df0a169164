// Profile `2.0` at the client: the core does not name it, and loads none of its code.
import { execFileSync } from "node:child_process"
import { readFileSync, readdirSync } from "node:fs"
import { join, sep } from "node:path"
import { expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const client = join(root, "packages/client/src")

/** The name of the profile, or a switch on the profile of a codec. */
const switches = /2\.0|speaks20|codec\.counts|codec\.profile|envelope|\bprofile\s*[!=]==\s*"/i

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
}

/** Imports inside a package, as pairs of files. */
function importsOf(name: string): (readonly [string, string])[] {
  const folder = JSON.stringify(join(root, "packages", name, "src"))
  const program = `import { importsIn } from "./layers.mjs"; for (const [from, to] of importsIn(${folder})) console.log(from, to)`
  const options = { cwd: join(root, "scripts"), encoding: "utf8" } as const
  const lines = execFileSync(process.execPath, ["--input-type=module", "-e", program], options)
  return lines.split("\n").map((line) => {
    const [from = "", to = ""] = line.split(" ")
    return [from, to] as const
  })
}

/** Files of a package that `entry` imports, directly or not. */
function reachedFrom(entry: string, name: string): string[] {
  const imports = importsOf(name)
  const reached = new Set([entry])
  for (const file of reached) for (const [from, to] of imports) if (from === file) reached.add(to)
  return [...reached]
}

it("names profile 2.0 in the client's folder for it only", () => {
  const faults = sourcesIn(client)
    .filter((file) => !file.startsWith("profile20/"))
    .flatMap((file) =>
      readFileSync(join(client, file), "utf8")
        .split("\n")
        .flatMap((line, index) => (switches.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    )
  expect(faults).toEqual([])
})

it.each(["  // Only in `2.0`.", "if (link.codec.counts) reset()", `profile === "hawser.1"`])(
  "finds the profile in %j",
  (line) => expect(switches.test(line)).toBe(true),
)

it.each([
  { entry: "index.ts", name: "client" },
  { entry: "index.ts", name: "protocol" },
  { entry: "core.ts", name: "protocol" },
])("loads no code of profile 2.0 from $entry of $name", ({ entry, name }) => {
  const reached = reachedFrom(entry, name)
  expect(reached.length).toBeGreaterThan(20)
  expect(reached.filter((file) => file.startsWith("profile20/"))).toEqual([])
})

it("loads the session and the codec of profile 2.0 from its entry points", () => {
  expect(reachedFrom("profile20/index.ts", "client")).toContain("profile20/session20.ts")
  expect(reachedFrom("profile20/index.ts", "protocol")).toContain("profile20/envelope-codec.ts")
})

it("imports the codec's entry point in the client's folder for profile 2.0 only", () => {
  const importers = sourcesIn(client).filter((file) =>
    readFileSync(join(client, file), "utf8").includes('"@hawser/protocol/profile20"'),
  )
  expect(importers).toEqual(["profile20/dialect.ts"])
})
