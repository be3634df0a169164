// `npm run conformance -- ws://HOST:PORT/ws`: runs the conformance suite of protocol 2.0 against any server.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/conformance-2.0/run.ts"]
process.exitCode = run(process.execPath, [...fromSource, ...process.argv.slice(2)])
