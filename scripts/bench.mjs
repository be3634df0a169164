// `npm run bench`: Hawser measured beside its peers; `--help` names the options. Runs what is built, as applications do.
// The peers are installed at the first run: nobody needs them for anything else.
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ensureBuilt, ensureInstalled, root, run } from "./prepare.mjs"

const peers = join(root, "bench/peers")
const hashFile = join(peers, "node_modules/.hawser-lock-hash")

function ensurePeersInstalled() {
  const lock = readFileSync(join(peers, "package-lock.json"))
  const hash = createHash("sha256").update(lock).digest("hex")
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash) return
  const options = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]
  if (run("npm", ["ci", ...options], { cwd: peers }) !== 0) {
    console.error("failed: npm ci (in bench/peers)")
    process.exit(1)
  }
  writeFileSync(hashFile, hash)
}

ensureInstalled()
const words = process.argv.slice(2)
if (!words.includes("--help")) {
  ensurePeersInstalled()
  ensureBuilt()
}
process.exitCode = run(process.execPath, ["--import", "tsx", "bench/main.ts", ...words])
