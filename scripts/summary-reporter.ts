// Prints the last line of a test run, `N passed, N failed, N skipped`; for `npm test`, which adds up several runs, it writes
// the counts to a file instead. A file that does not load, a failing hook and an error outside any test count as failed; so
// does a run that ends in failure for a reason not counted yet.
import { writeFileSync, writeSync } from "node:fs"
import type { Reporter } from "vitest/node"

export default class SummaryReporter implements Reporter {
  #count = { passed: 0, failed: 0, skipped: 0 }

  onInit() {
    const file = process.env["HAWSER_TEST_COUNT"]
    // A vitest that a test starts has counts of its own.
    delete process.env["HAWSER_TEST_COUNT"]
    process.once("exit", (code) => {
      if (file !== undefined) {
        writeFileSync(file, JSON.stringify(this.#count))
        return
      }
      const { passed, failed, skipped } = this.#count
      const failures = code !== 0 && failed === 0 ? 1 : failed
      writeSync(1, `${passed} passed, ${failures} failed, ${skipped} skipped\n`)
    })
  }

  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules, unhandledErrors) => {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === "pending" ? "failed" : state] += 1
      }
      const broken = [module, ...module.children.allSuites()].filter((group) => group.errors().length > 0)
      count.failed += broken.length
    }
    this.#count = count
  }
}
