// A conformance case, and the errors for a case that failed or could not be tried. Must not know which cases exist, nor
// their runner.
import { inspect } from "node:util"

export interface CaseContext {
  /** The WebSocket address of the server under test, e.g. ws://127.0.0.1:8080/ws. */
  readonly url: string
  /** The HTTP base of the same server, without a trailing slash. */
  readonly httpUrl: string
  /** Registers work for the end of the case, whether it passed or not. */
  onEnd(cleanup: () => Promise<void>): void
}

export interface ConformanceCase {
  /** A sentence that begins with a verb whose subject is the server; unique in the suite. */
  readonly name: string
  /** The section (suite.ts names them) and, after the dot, the statement in it. */
  readonly section: string
  /** True if the case takes seconds by its nature: it runs only on request. */
  readonly slow?: boolean
  run(context: CaseContext): Promise<void>
}

/** Thrown by a case when the server deviates from the wire document. */
export class Mismatch extends Error {
  override readonly name = "Mismatch"
  readonly expected: string
  readonly actual: string
  constructor(expected: string, actual: string) {
    super(`expected ${expected}; actual: ${actual}`)
    this.expected = expected
    this.actual = actual
  }
}

/** Thrown by a case that cannot be tried with this server, or in this run. */
export class SkipCase extends Error {
  override readonly name = "SkipCase"
}

/** A value as one short line of a report. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 200))
  return inspect(value, { depth: 3, breakLength: Infinity, maxArrayLength: 6, maxStringLength: 120 })
}
