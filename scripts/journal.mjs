// `npm run journal -- FOLDER [--records] [--payloads]`: prints a journal in words, verifies it, and tells what the next
// process would restore. Ends with 1 for a journal from which a start is refused. Never writes, and takes no lock.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/journal/main.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
