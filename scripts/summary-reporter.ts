// Prints the last lines of a test run: each failure on one line, then `N passed, N failed, N skipped`. For `npm test`,
// which adds up several runs, it writes both to a file instead. A file that does not load, a failing hook and an error
// outside any test count as failed; so does a run that fails for a reason not counted yet.
import { writeFileSync, writeSync } from "node:fs"
import type { Reporter, TestCase, TestModule } from "vitest/node"

/** Longest line about one failure, in characters. */
const maxFailureChars = 600

interface SummarizedError {
  readonly message: string
}

export default class SummaryReporter implements Reporter {
  #count = { passed: 0, failed: 0, skipped: 0 }
  #failures: string[] = []

  onInit() {
    const file = process.env["HAWSER_TEST_COUNT"]
    // A vitest that a test starts has separate counts.
    delete process.env["HAWSER_TEST_COUNT"]
    process.once("exit", (code) => {
      if (file !== undefined) {
        writeFileSync(file, JSON.stringify({ ...this.#count, failures: this.#failures }))
        return
      }
      const { passed, failed, skipped } = this.#count
      const failures = code !== 0 && failed === 0 ? 1 : failed
      const lines = [...this.#failures, `${passed} passed, ${failures} failed, ${skipped} skipped`]
      writeSync(1, `${lines.join("\n")}\n`)
    })
  }

  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules, unhandledErrors) => {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const failures = unhandledErrors.map((error) => lineOf("outside any test", [error]))
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result()
        const ended = state === "pending" ? "failed" : state
        count[ended] += 1
        if (ended === "failed") failures.push(lineOf(nameOf(module, test), errors))
      }
      const broken = [module, ...module.children.allSuites()].filter((group) => group.errors().length > 0)
      count.failed += broken.length
      for (const group of broken) failures.push(lineOf(module.relativeModuleId, group.errors()))
    }
    this.#count = count
    this.#failures = failures
  }
}

function nameOf(module: TestModule, test: TestCase) {
  return `${module.relativeModuleId} > ${test.fullName}`
}

function lineOf(name: string, errors: readonly SummarizedError[]) {
  const reasons = errors.map(({ message }) => message.replaceAll(/\s+/g, " "))
  const line = `failed: ${name}: ${reasons.join("; ") || "it did not end"}`
  return line.length > maxFailureChars ? `${line.slice(0, maxFailureChars)}…` : line
}
