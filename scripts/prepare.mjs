// Makes a clone ready to run: installs the packages of package-lock.json, compiles ours, bundles the browser client.
// Uses only Node, because it runs before anything is installed.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))
export const world = join(root, "apps/world")

// The installed tools come first on the path, as they do under `npm run`.
export const env = {
  ...process.env,
  PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
}

/** Runs a command to its end with our stdio and returns its exit code; 1 if a signal or a failed start ended it. */
export function run(command, args, options = {}) {
  const shell = process.platform === "win32" && command !== process.execPath
  const result = spawnSync(command, args, { cwd: root, env, stdio: "inherit", shell, ...options })
  if (result.error !== undefined) console.error(`${command}: ${result.error.message}`)
  return result.status ?? 1
}

/**
 * Ends this process when its parent ends: a signal to npm ends the shell in between, and does not reach this process.
 */
export function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, "SIGTERM")
  }, 200)
  watch.unref()
}

// The lock file's hash is recorded inside node_modules after every complete install, also a manual one (the root's
// postinstall script does it). npm's own node_modules/.package-lock.json is not sufficient: it leaves out the root and
// its links, and it may exist after an incomplete install.
const hashFileOf = (directory) => join(directory, "node_modules/.hawser-lock-hash")

const lockHashOf = (directory) =>
  createHash("sha256")
    .update(readFileSync(join(directory, "package-lock.json")))
    .digest("hex")

const recordInstall = (directory) => writeFileSync(hashFileOf(directory), lockHashOf(directory))

/** Installs a package's dependencies when its node_modules is absent or does not belong to its present package-lock.json. */
export function ensureInstalledIn(directory) {
  const hashFile = hashFileOf(directory)
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8") === lockHashOf(directory)) return
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]
  if (run("npm", args, { cwd: directory }) !== 0) fail(`npm ci (in ${directory})`)
  recordInstall(directory)
}

export const ensureInstalled = () => ensureInstalledIn(root)

// With their references, these are all packages and the application, but not the tests.
export const products = ["packages/react", "apps/world", "apps/world/src/browser"]

/** Compiles all packages, and bundles the browser client if asked and if a source is newer than the bundle. */
export function ensureBuilt({ browser = false } = {}) {
  if (run("tsc", ["-b", ...products]) !== 0) fail(`tsc -b ${products.join(" ")}`)
  if (!browser || !existsSync(join(world, "vite.config.ts"))) return
  const bundle = join(world, "dist/browser/index.html")
  const sources = [
    world,
    join(root, "packages/client"),
    join(root, "packages/protocol"),
    join(root, "package-lock.json"),
  ]
  if (existsSync(bundle) && Math.max(...sources.map(newestMs)) <= statSync(bundle).mtimeMs) return
  if (run("vite", ["build", "--logLevel=warn"], { cwd: world }) !== 0) fail("vite build (in apps/world)")
}

const generated = new Set(["node_modules", "dist", "data"])

function newestMs(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const names = readdirSync(path).filter((name) => !generated.has(name))
  return Math.max(0, ...names.map((name) => newestMs(join(path, name))))
}

function fail(step) {
  console.error(`failed: ${step}`)
  process.exit(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === "record") recordInstall(root)
  else {
    ensureInstalled()
    ensureBuilt({ browser: true })
  }
}
