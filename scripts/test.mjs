// `npm test [-- arguments for vitest]`: installs and builds what is missing, then runs every test. The last line is
// `N passed, N failed, N skipped`, also when the tests cannot start.
import { ensureBuilt, ensureInstalled, run } from "./prepare.mjs"

const noTests = () => console.log("0 passed, 1 failed, 0 skipped")
process.once("exit", noTests)
ensureInstalled()
ensureBuilt({ browser: true })
process.off("exit", noTests)

process.exitCode = run("vitest", ["run", ...process.argv.slice(2)])
