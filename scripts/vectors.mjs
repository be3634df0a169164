// `npm run vectors`: writes docs/vectors.json, the test vectors of the protocol, from the real codecs.
import { ensureInstalled, run } from "./prepare.mjs"

ensureInstalled()
const fromSource = ["-C", "@hawser/source", "--import", "tsx", "tests/vectors/main.ts"]
process.exitCode = run(process.execPath, fromSource)
