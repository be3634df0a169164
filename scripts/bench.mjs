// `npm run bench`: measures Hawser beside its peers; `--help` names the options. Runs the built packages, as
// applications do. The newest Node runs the load and the servers where it is available. The first run installs it and
// the peers.
import { join } from "node:path"
import { ensureNewestNode, isOlderThan } from "./newest-node.mjs"
import { ensureBuilt, ensureInstalled, ensureInstalledIn, root, run } from "./prepare.mjs"

ensureInstalled()
const words = process.argv.slice(2)
let node = process.execPath
if (!words.includes("--help")) {
  ensureInstalledIn(join(root, "bench/peers"))
  ensureBuilt()
  const { path, version, absent } = ensureNewestNode()
  if (absent !== undefined) console.log(`not measured on the newest Node: ${absent}`)
  else if (isOlderThan(version)) node = path
}
process.exitCode = run(node, ["--import", "tsx", "bench/main.ts", ...words])
