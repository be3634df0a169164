// Runs conformance cases one after another against one server and returns their outcomes. Prints nothing.
import { Mismatch, SkipCase, show, type CaseContext, type ConformanceCase } from "./case.ts"
import { CASE_MS } from "./limits.ts"

export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly expected: string; readonly actual: string }

export interface Summary {
  readonly passedCount: number
  readonly failedCount: number
  readonly skippedCount: number
}

export interface RunOptions {
  readonly cases: readonly ConformanceCase[]
  /** True to run slow cases, too; otherwise they count as skipped. */
  readonly withSlow: boolean
  /** Called after every case. */
  readonly onOutcome?: (conformanceCase: ConformanceCase, outcome: Outcome) => void
}

/** The HTTP base of the server behind a WebSocket address: http://HOST:PORT. */
export function httpBaseOf(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol === "wss:" ? "https" : "http"}://${host}`
}

/** As with the other clean-ups, a failure changes no outcome. */
function ignoreLate(): void {}

/** Runs one case against the server at a WebSocket address; never rejects. */
export async function runCase(conformanceCase: ConformanceCase, url: string): Promise<Outcome> {
  const cleanups: (() => Promise<void>)[] = []
  let isOver = false
  const context: CaseContext = {
    url,
    httpUrl: httpBaseOf(url),
    onEnd: (cleanup) => {
      // A case that exceeded its time may still open connections: they are closed at once, and its outcome is settled.
      if (isOver) cleanup().catch(ignoreLate)
      else cleanups.push(cleanup)
    },
  }
  const outcome = await within(CASE_MS, conformanceCase.run(context)).then(
    (): Outcome => ({ kind: "passed" }),
    (error: unknown) => outcomeOf(error),
  )
  isOver = true
  await Promise.allSettled(cleanups.map((cleanup) => cleanup()))
  return outcome
}

/** Runs the cases one after another, so that the players of one have left before the next starts. */
export async function runConformance(url: string, options: RunOptions): Promise<Summary> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const conformanceCase of options.cases) {
    const isLeftOut = conformanceCase.slow === true && !options.withSlow
    const outcome: Outcome = isLeftOut
      ? { kind: "skipped", reason: "slow; runs with --slow" }
      : await runCase(conformanceCase, url)
    counts[outcome.kind] += 1
    options.onOutcome?.(conformanceCase, outcome)
  }
  return { passedCount: counts.passed, failedCount: counts.failed, skippedCount: counts.skipped }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof SkipCase) return { kind: "skipped", reason: error.message }
  if (error instanceof Mismatch) return { kind: "failed", expected: error.expected, actual: error.actual }
  const cause = error instanceof Error && error.cause !== undefined ? ` (${show(error.cause)})` : ""
  return { kind: "failed", expected: "no error", actual: `${String(error)}${cause}` }
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Mismatch(`an end within ${limitMs} ms`, "the case still runs")),
      limitMs,
    )
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
