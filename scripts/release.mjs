// A release, in two steps (docs/releasing.md). `npm run release -- prepare 0.2.0` writes the version into the packages and
// CHANGELOG.md. `npm run release -- publish` publishes the packages, each after those that it depends on; with `--dry-run` npm
// only shows what it would publish.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, run } from "./prepare.mjs"

/** The published packages, in the order of their dependencies. */
export const published = ["protocol", "client", "server", "react"]
/** Folders whose manifests name a version of the published packages. */
const manifests = [
  ...published.map((name) => `packages/${name}`),
  "apps/world",
  "examples/board",
  "bench",
  "tests",
  ".",
]
const dependencyKinds = ["dependencies", "devDependencies", "peerDependencies"]

/** Returns a sentence if `version` cannot follow `before`; undefined if it can. */
export function versionFault(version, before) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) return `a version is three numbers, such as 0.2.0, not "${version}"`
  const [numbers, others] = [version, before].map((text) => text.split(".").map(Number))
  const place = numbers.findIndex((number, index) => number !== others[index])
  if (place < 0 || numbers[place] > others[place]) return undefined
  return `${version} is lower than the current version ${before}`
}

/** Returns the manifest with the version, also in its dependencies on our packages: they are exact. */
export function withVersion(manifest, version) {
  const next = { ...manifest, version }
  for (const kind of dependencyKinds.filter((name) => name in manifest)) {
    const pinned = Object.entries(manifest[kind]).map(([name, range]) => [
      name,
      name.startsWith("@hawser/") ? version : range,
    ])
    next[kind] = Object.fromEntries(pinned)
  }
  return next
}

/** Returns the changelog with the unreleased changes under the version. @throws Error if there are none. */
export function withRelease(changelog, version, date) {
  const [head, ...rest] = changelog.split(/^## Unreleased\n/m)
  const [body] = rest
  if (rest.length !== 1 || body.split(/^## /m)[0].trim() === "")
    throw new Error("CHANGELOG.md has no changes under ## Unreleased")
  return `${head}## Unreleased\n\n## ${version} (${date})\n${body}`
}

const read = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))

function prepare(version) {
  const fault = versionFault(version ?? "", read("packages/protocol").version)
  if (fault !== undefined) return fail(fault)
  const changelog = join(root, "CHANGELOG.md")
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(changelog, withRelease(readFileSync(changelog, "utf8"), version, date))
  for (const folder of manifests) {
    const text = JSON.stringify(withVersion(read(folder), version), undefined, 2)
    writeFileSync(join(root, folder, "package.json"), `${text}\n`)
  }
  return run("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"])
}

function publish(options) {
  for (const name of published) {
    const code = run("npm", ["publish", "--workspace", `packages/${name}`, ...options])
    if (code !== 0)
      return fail(`packages/${name} was not published; correct the cause, and publish again from it on`)
  }
  return 0
}

function fail(sentence) {
  console.error(sentence)
  return 1
}

function main([step, ...rest]) {
  if (step === "prepare") return prepare(rest[0])
  if (step === "publish") return publish(rest)
  return fail("usage: npm run release -- prepare 0.2.0, or npm run release -- publish [--dry-run]")
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2))
