// `npm run attack [-- --seconds N --sockets N]`: raw sockets attack the world while players walk in it; `--help` names
// the options. The world runs as built, as `npm start` runs it.
import { ensureBuilt, ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
ensureBuilt({ browser: true })
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/attack/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
