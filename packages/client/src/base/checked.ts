// Validates values of the server by the contract's schemas. A validator that throws or rejects makes its value invalid.
// Must not know frames.
import { HawserError } from "@hawser/protocol"
import { describeIssues, validate } from "@hawser/protocol/core"
import type { Schema } from "@hawser/protocol"
import type { Validated } from "@hawser/protocol/core"
import { describeCause } from "./report.ts"

/** Outcome of a validation. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: HawserError }

/**
 * Validates a value. Returns a promise, which never rejects, only if the validator returns one.
 * @param label begins the error's sentence: `event "moved"`.
 */
export function check<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
  label: string,
): Checked<Output> | Promise<Checked<Output>> {
  const passed = (result: Validated<Output>): Checked<Output> =>
    result.ok ? result : { ok: false, error: invalid(`${label}: ${describeIssues(result.issues)}`) }
  const failed = (cause: unknown): Checked<Output> => ({
    ok: false,
    error: invalid(`${label}: its validator failed: ${describeCause(cause)}`, cause),
  })
  try {
    const result = validate(schema, value)
    return result instanceof Promise ? result.then(passed, failed) : passed(result)
  } catch (cause) {
    return failed(cause)
  }
}

/** Validates a value by a schema that must be synchronous. Another one makes the value invalid. */
export function checkNow<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
  label: string,
): Checked<Output> {
  const checked = check(schema, value, label)
  if (!(checked instanceof Promise)) return checked
  return { ok: false, error: invalid(`${label}: its schema must validate synchronously`) }
}

function invalid(message: string, cause?: unknown): HawserError {
  return new HawserError("invalid_reply", { message, cause })
}
