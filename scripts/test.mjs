// `npm test [-- arguments for vitest]`: installs and builds missing parts, runs every test, and runs the unit, session
// and socket tests again on the newest Node if the current one is older. The last lines are the failures and `N passed,
// N failed, N skipped` of both runs together; the counts appear also if the tests cannot start.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { ensureNewestNode, isOlderThan } from "./newest-node.mjs"
import { ensureBuilt, ensureInstalled, env, root, run } from "./prepare.mjs"
import { summaryOf } from "./test-summary.mjs"

const noTests = () => console.log("0 passed, 1 failed, 0 skipped")
process.once("exit", noTests)
ensureInstalled()
ensureBuilt({ browser: true })
const newest = ensureNewestNode()
process.off("exit", noTests)

const vitest = join(root, "node_modules/vitest/vitest.mjs")
const countFile = join(mkdtempSync(join(tmpdir(), "hawser-test-")), "count.json")
process.once("exit", () => rmSync(dirname(countFile), { recursive: true, force: true }))

/** Runs vitest to its end; the summary reporter writes its counts to `countFile`. */
function runTests(node, args) {
  rmSync(countFile, { force: true })
  const PATH = [dirname(node), env.PATH].join(delimiter)
  const code = run(node, [vitest, "run", ...args], { env: { ...env, PATH, HAWSER_TEST_COUNT: countFile } })
  return { code, count: readCount() }
}

/** Undefined if the run ended before its reporter wrote the file. */
function readCount() {
  try {
    return JSON.parse(readFileSync(countFile, "utf8"))
  } catch {
    return undefined
  }
}

const args = process.argv.slice(2)
// Named reporters replace those of the configuration.
if (args.some((arg) => arg.startsWith("--reporter"))) args.push("--reporter=./scripts/summary-reporter.ts")
const runs = [runTests(process.execPath, args)]

if (newest.absent !== undefined) console.log(`not tested on the newest Node: ${newest.absent}`)
else if (isOlderThan(newest.version)) {
  console.log(`\nunit, session and socket tests again, on Node ${newest.version}`)
  // The first run's report on coverage stays.
  const further = args.filter((arg) => !arg.startsWith("--coverage"))
  const narrowed = ["--config", "vitest.newest.config.ts", "--passWithNoTests", ...further]
  runs.push(runTests(newest.path, narrowed))
}

const { failures, line, code } = summaryOf(runs)
for (const failure of failures) console.log(failure)
console.log(line)
process.exitCode = code
