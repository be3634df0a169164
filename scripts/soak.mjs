// `npm run soak [-- --minutes N --clients N]`: a server's memory while clients are cut, reloaded and moved for minutes;
// `--help` names the options.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/soak/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
