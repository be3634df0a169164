// `npm run kill -- --times N [--clients N]`: a real server with a journal is killed at random moments under clients that talk;
// `--help` names the options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/kill/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
