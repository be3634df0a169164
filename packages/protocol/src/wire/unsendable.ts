// Values that cannot be sent: the reasons, and where in the value. Knows no bytes and no frames.
import { HawserError } from "../base/errors.ts"
import { quoted } from "../base/quoted.ts"

/** A key of a map or an index of an array. */
export type Step = string | number

export type UnsendableCode = "invalid_input" | "message_too_large"

/** Steps shown of a path; a longer one is cut. */
const shownSteps = 16
/** A longer key is quoted and cut. */
const identifier = /^[A-Za-z_$][\w$]{0,63}$/

/**
 * A payload that the other end would refuse, raised before anything of it is sent: `invalid_input`, or
 * `message_too_large`. `path` and `details.path` say where: `votes["a b"]`, `items[3].name`, empty for the whole value.
 */
export class UnsendableError extends HawserError {
  readonly path: string

  constructor(code: UnsendableCode, options: { message: string; path: string; cause?: unknown }) {
    const { message, path, cause } = options
    super(code, { message, details: { path }, ...(cause === undefined ? {} : { cause }) })
    this.path = path
  }
}

/** The same error, naming the message that the value belongs to: `the input of "move" cannot be sent: …`. */
export function unsendable(what: string, error: UnsendableError): UnsendableError
export function unsendable(what: string, error: unknown): unknown
export function unsendable(what: string, error: unknown): unknown {
  if (!(error instanceof UnsendableError)) return error
  const message = `${what} cannot be sent: ${error.message}`
  return new UnsendableError(error.code === "message_too_large" ? error.code : "invalid_input", {
    message,
    path: error.path,
    cause: error,
  })
}

/** Raised inside a value that is being written; collects the steps to its place on its way out. */
export class Refusal extends Error {
  readonly code: UnsendableCode
  /** From the place outwards. */
  readonly #steps: Step[] = []

  constructor(reason: string, code: UnsendableCode = "invalid_input", cause?: unknown) {
    super(reason, cause === undefined ? {} : { cause })
    this.code = code
  }

  /** @param hiddenSteps those at its beginning that are not the application's. */
  pathBehind(hiddenSteps: number): string {
    return pathOf(this.#steps.toReversed().slice(hiddenSteps))
  }

  /** What a getter throws is a refusal of its value. */
  static at(step: Step, thrown: unknown): Refusal {
    const refusal =
      thrown instanceof Refusal
        ? thrown
        : new Refusal(`reading it threw: ${String(thrown)}`, undefined, thrown)
    refusal.#steps.push(step)
    return refusal
  }
}

/** The refusals of the packer, by the rule of the receiver that the value breaks. */
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

/** The error that a sender gets for what was thrown while its value was written. */
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
