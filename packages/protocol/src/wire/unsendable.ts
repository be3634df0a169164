// Defines the errors for values that cannot be sent, with the path in the value. Must not know bytes or frames.
import { HawserError } from "../base/errors.ts"
import { quoted } from "../base/quoted.ts"
import { describeIssues } from "../contract/schema.ts"
import type { ValidationIssue } from "../contract/schema.ts"

/** A key of a map or an index of an array. */
export type Step = string | number

/** Code of an `UnsendableError`. */
export type UnsendableCode = "invalid_input" | "message_too_large"

/** Maximum number of steps in a path; a longer one is cut. */
const shownSteps = 16
/** Form of a key that is shown without quotes. Another key is quoted and cut. */
const identifier = /^[A-Za-z_$][\w$]{0,63}$/

/**
 * Thrown before a value is sent that does not fit its schema or that the peer would refuse: `invalid_input`, or
 * `message_too_large`.
 */
export class UnsendableError extends HawserError {
  /** Path in the value: `votes["a b"]`, `items[3].name`; empty for the whole value. Also in `details.path`. */
  readonly path: string
  /** Issues of the schema, at most 8; undefined for a value that cannot be encoded. Also in `details.issues`. */
  readonly issues: readonly ValidationIssue[] | undefined

  constructor(
    code: UnsendableCode,
    options: { message: string; path: string; issues?: readonly ValidationIssue[]; cause?: unknown },
  ) {
    const { message, path, issues, cause } = options
    const details = issues === undefined ? { path } : { path, issues }
    super(code, { message, details, ...(cause === undefined ? {} : { cause }) })
    this.path = path
    this.issues = issues
  }
}

/** Returns the error for a value that does not fit its schema. */
export function unfitting(issues: readonly ValidationIssue[]): UnsendableError {
  return new UnsendableError("invalid_input", {
    message: describeIssues(issues),
    path: issues[0]?.path ?? "",
    issues,
  })
}

/** Adds the message to an error: `the input of "move" cannot be sent: …`. Returns any other value unchanged. */
export function unsendable(what: string, error: UnsendableError): UnsendableError
export function unsendable(what: string, error: unknown): unknown
export function unsendable(what: string, error: unknown): unknown {
  if (!(error instanceof UnsendableError)) return error
  const message = `${what} cannot be sent: ${error.message}`
  return new UnsendableError(error.code === "message_too_large" ? error.code : "invalid_input", {
    message,
    path: error.path,
    ...(error.issues === undefined ? {} : { issues: error.issues }),
    cause: error,
  })
}

/** Thrown inside a value that is being written. Collects the steps of its path while it propagates. */
export class Refusal extends Error {
  readonly code: UnsendableCode
  /** Steps from the refused value outwards. */
  readonly #steps: Step[] = []

  constructor(reason: string, code: UnsendableCode = "invalid_input", cause?: unknown) {
    super(reason, cause === undefined ? {} : { cause })
    this.code = code
  }

  /** @param hiddenSteps number of leading steps that are not part of the application's value. */
  pathBehind(hiddenSteps: number): string {
    return pathOf(this.#steps.toReversed().slice(hiddenSteps))
  }

  /** Adds a step to a refusal. Any other error, as from a getter, becomes a refusal of its value. */
  static at(step: Step, thrown: unknown): Refusal {
    const refusal =
      thrown instanceof Refusal
        ? thrown
        : new Refusal(`reading it threw: ${String(thrown)}`, undefined, thrown)
    refusal.#steps.push(step)
    return refusal
  }
}

/** Refusals of the packer, by the broken rule of the receiver. */
export const refused = {
  size: (bytes: number, maxBytes: number): Refusal =>
    new Refusal(
      `the message has ${bytes} bytes or more; the receiver takes ${maxBytes}`,
      "message_too_large",
    ),
  depth: (maxDepth: number): Refusal =>
    new Refusal(`nested too deep: a message holds at most ${maxDepth} arrays and maps inside each other`),
  elements: (maxElements: number): Refusal =>
    new Refusal(`more than ${maxElements} elements (array items, and map entries twice) in one message`),
  key: (bytes: number, maxBytes: number): Refusal =>
    new Refusal(`the key has ${bytes} bytes of UTF-8; the receiver takes ${maxBytes}`),
  proto: (): Refusal => new Refusal("the key __proto__ is not sent"),
  halfPair: (): Refusal =>
    new Refusal("half a surrogate pair is not sent; the text was cut inside of a character"),
  date: (): Refusal => new Refusal("an invalid Date is not sent"),
  hole: (): Refusal => new Refusal("undefined is not sent in an array; send null, or leave it out"),
  type: (type: string): Refusal =>
    new Refusal(`a ${type} is not sent${type === "bigint" ? "; send a number, or its digits as text" : ""}`),
} as const

/** Converts an error that was thrown while a value was written. */
export function unsendableOf(thrown: unknown, hiddenSteps: number): UnsendableError {
  const refusal = thrown instanceof Refusal ? thrown : new Refusal(String(thrown), undefined, thrown)
  const { code, message: reason, cause } = refusal
  const path = refusal.pathBehind(hiddenSteps)
  const message = path === "" ? reason : `${path}: ${reason}`
  return new UnsendableError(code, { message, path, cause })
}

function pathOf(steps: readonly Step[]): string {
  let path = ""
  for (const step of steps.slice(0, shownSteps)) {
    if (typeof step === "number") path += `[${step}]`
    else if (!identifier.test(step)) path += `[${quoted(step)}]`
    else path += path === "" ? step : `.${step}`
  }
  return steps.length > shownSteps ? `${path}…` : path
}
