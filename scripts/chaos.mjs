// `npm run chaos -- proxy --to HOST:PORT`: a TCP proxy that delays, cuts and drops bytes; `--help` names its options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/chaos/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
