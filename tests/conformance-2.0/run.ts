// The command line of the conformance suite: run.ts <ws-url> [--only PATTERN] [--slow].
// Exit code 0: all passed; 1: some failed; 2: the arguments cannot be used.
import { parseArgs } from "node:util"
import type { ConformanceCase } from "./case.ts"
import { WAIT_MS } from "./limits.ts"
import { httpBaseOf, runConformance, type Outcome } from "./runner.ts"
import { conformanceCases } from "./suite.ts"

const USAGE = "usage: npm run conformance -- ws://HOST:PORT/ws [--only PATTERN] [--slow]"

class UnusableArguments extends Error {
  override readonly name = "UnusableArguments"
}

interface Arguments {
  readonly url: string
  readonly cases: readonly ConformanceCase[]
  readonly withSlow: boolean
}

function labelOf({ section, name }: ConformanceCase): string {
  return `[${section}] ${name}`
}

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, "i")
  } catch {
    throw new UnusableArguments(`--only ${source} is not a regular expression.`)
  }
}

function parseCommandLine(words: readonly string[]) {
  try {
    const options = { only: { type: "string" }, slow: { type: "boolean", default: false } } as const
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    throw new UnusableArguments(error instanceof Error ? error.message : String(error))
  }
}

function readArguments(words: readonly string[]): Arguments {
  const { values, positionals } = parseCommandLine(words)
  const [url, ...rest] = positionals
  if (url === undefined) throw new UnusableArguments("The address of the server is missing.")
  if (rest.length > 0) throw new UnusableArguments(`There is one address too many: ${rest.join(" ")}`)
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol))
    throw new UnusableArguments(`${url} is not a WebSocket address such as ws://127.0.0.1:8080/ws.`)
  const pattern = patternOf(values.only ?? "")
  const cases = conformanceCases.filter((one) => pattern.test(labelOf(one)))
  if (cases.length === 0) throw new UnusableArguments(`No case matches --only ${values.only ?? ""}`)
  return { url, cases, withSlow: values.slow }
}

/** Fails early, and once, if no server listens: 150 refused connections would be less clear. */
async function assertListening(url: string): Promise<void> {
  const base = httpBaseOf(url)
  await fetch(base, { signal: AbortSignal.timeout(WAIT_MS) }).catch(() => {
    throw new UnusableArguments(`No server answers at ${base}; start one first.`)
  })
}

function linesOf(conformanceCase: ConformanceCase, outcome: Outcome): string {
  const label = labelOf(conformanceCase)
  switch (outcome.kind) {
    case "passed":
      return `ok   ${label}`
    case "skipped":
      return `skip ${label} (${outcome.reason})`
    case "failed":
      return `FAIL ${label}\n       expected: ${outcome.expected}\n       actual:   ${outcome.actual}`
  }
}

async function main(words: readonly string[]): Promise<number> {
  const { url, cases, withSlow } = readArguments(words)
  await assertListening(url)
  const { passedCount, failedCount, skippedCount } = await runConformance(url, {
    cases,
    withSlow,
    onOutcome: (conformanceCase, outcome) => console.log(linesOf(conformanceCase, outcome)),
  })
  console.log(`${passedCount} passed, ${failedCount} failed, ${skippedCount} skipped`)
  return failedCount > 0 ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UnusableArguments)) throw error
  console.error(`${error.message}\n${USAGE}`)
  process.exitCode = 2
}
