// `npm run fuzz -- --minutes N [--seed N]`: hostile and damaged messages for the decoders; `--help` names the options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/fuzz/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
