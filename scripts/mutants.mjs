// `npm run mutants [-- --only TEXT]`: makes one mistake after the other in a copy of the core, and shows that the
// checks notice each; `--help` names the options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/mutants/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
