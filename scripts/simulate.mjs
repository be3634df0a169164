// `npm run simulate -- --seeds N [--first N] [--steps N]`: real clients and a real server on a hostile network, in
// virtual time; `--help` names the options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/simulation/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
