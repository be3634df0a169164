// `npm run link [-- --minutes N --clients N --only NAMES]`: sixty clients over an emulated link between two network
// namespaces, through four profiles of delay and loss; `--help` names the options. Needs Linux, root, `ip` and `cc`.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/links/real/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
