// `npm run check`: all checks that must pass before a merge, the cheapest first. Stops at the first failure.
import { ensureInstalled, products, run } from "./prepare.mjs"

const packages = ["protocol", "client", "server", "react"].map((name) => `packages/${name}`)
const steps = [
  ["build", "tsc", "-b", ...products],
  ["types of the tests", "tsc", "-b"],
  ["size of the client", "node", "scripts/sizes.mjs"],
  ["lint", "oxlint"],
  ["layers", "node", "scripts/layers.mjs"],
  ["words", "node", "scripts/words.mjs"],
  ["docstrings", "node", "scripts/docstrings.mjs"],
  ["format", "oxfmt", "--check"],
  ["unused code and dependencies", "knip"],
  ...packages.map((path) => [`publishing ${path}`, "publint", path, "--strict"]),
  ...packages.map((path) => [`types of ${path}`, "attw", "--pack", path, "--profile", "esm-only"]),
  [
    "unit tests",
    "vitest",
    "run",
    "packages/",
    "apps/",
    "bench/",
    "tests/lint/",
    "tests/types/",
    "tests/errors/",
    "tests/vectors/",
    "tests/packages/",
  ],
]

ensureInstalled()
const passed = []
for (const [name, command, ...args] of steps) {
  const line = [command, ...args].join(" ")
  console.log(`\n── ${name}: ${line}`)
  const startedMs = performance.now()
  if (run(command, args) !== 0) {
    console.error(`\ncheck failed: ${name}. Run it alone: npx ${line}`)
    process.exit(1)
  }
  passed.push(`  ok  ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s  ${name}`)
}
console.log(`\n${passed.join("\n")}\ncheck passed: ${passed.length} of ${steps.length} steps`)
