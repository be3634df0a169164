// Installs the newest Node: `npm test` runs a second time on it, and the benchmark runs on it. Its package carries the binary.
// It has a folder of its own because its bin is called `node`: in the root's node_modules/.bin it would replace the
// developer's Node in every command.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { ensureInstalledIn, root } from "./prepare.mjs"

const home = join(root, "scripts/newest-node")
const pinned = JSON.parse(readFileSync(join(home, "package.json"), "utf8")).optionalDependencies

/**
 * Returns the binary's `path` and its `version`, after installing it if necessary. Returns `absent`, a sentence, where no
 * package carries a binary for this system.
 */
export function ensureNewestNode() {
  const name = `node-${process.platform}-${process.arch}`
  const version = pinned[name]
  if (version === undefined) return { absent: `there is no package ${name} with the newest Node` }
  if (!hasGlibc()) return { absent: `${name} needs glibc` }
  ensureInstalledIn(home)
  return { version, path: join(home, "node_modules", name, "bin/node") }
}

function hasGlibc() {
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

/** True if the Node of this process is older than `version`. */
export function isOlderThan(version) {
  const [present, other] = [process.versions.node, version].map((text) => text.split(".").map(Number))
  const differing = other.findIndex((part, index) => part !== present[index])
  return differing !== -1 && present[differing] < other[differing]
}
