// Adds up the test runs of `npm test`. Must not know vitest or processes.

/** Maximum number of lines about failures; a further line reports the number of the rest. */
const maxFailures = 20

/**
 * Returns the failure lines, the last line and the exit code for runs of `{ code, count }`. `count` is `{ passed,
 * failed, skipped, failures }`, or undefined if a run ended before it could count. A run that failed without a failed
 * test adds one to `failed`.
 */
export function summaryOf(runs) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const { code, count = { passed: 0, failed: 0, skipped: 0 } } of runs) {
    total.passed += count.passed
    total.failed += code !== 0 && count.failed === 0 ? 1 : count.failed
    total.skipped += count.skipped
  }
  const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`
  const all = runs.flatMap(({ count }) => count?.failures ?? [])
  const failures = all.slice(0, maxFailures)
  if (all.length > maxFailures) failures.push(`failed: ${all.length - maxFailures} more`)
  return { failures, line, code: runs.find(({ code }) => code !== 0)?.code ?? 0 }
}
