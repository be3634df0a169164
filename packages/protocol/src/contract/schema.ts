// Runs a Standard Schema validator and formats its issues as one sentence. Must not know message types.
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { oneLine } from "../base/quoted.ts"

/** A validator that implements Standard Schema, such as a Zod 4 schema. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>
/** Type of a value before validation. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>
/** Type of a value after validation. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** One issue that a validator reported. */
export interface ValidationIssue {
  /** Keys and indices joined by dots; empty for the whole value. */
  readonly path: string
  /** Message of the validator. */
  readonly message: string
}

/** Result of a validation: the validated value, or at most 8 issues. */
export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly ValidationIssue[] }

/** Validates a value. Returns a promise only if the validator is asynchronous. */
export function validate<S extends Schema>(
  schema: S,
  value: unknown,
): Validated<SchemaOutput<S>> | Promise<Validated<SchemaOutput<S>>> {
  const result = schema["~standard"].validate(value)
  return result instanceof Promise ? result.then(toValidated) : toValidated(result)
}

/**
 * Validates a value of a schema that must be synchronous.
 * @param what name of the schema's value in the error: `event "moved"`.
 * @throws TypeError for a schema that returns a promise, and the validator's own error.
 */
export function validateNow<S extends Schema>(
  schema: S,
  value: unknown,
  what: string,
): Validated<SchemaOutput<S>> {
  const result = validate(schema, value)
  if (result instanceof Promise) throw asynchronousSchema(what, result)
  return result
}

/** Values that find the promise of most asynchronous schemas: one that checks a type first, or none. */
const probes: readonly unknown[] = [undefined, null, "", 0, true, {}, []]

/** @throws TypeError for a schema that returns a promise for one of a few values. Errors of the validator itself are ignored. */
export function assertSynchronous(schema: Schema, what: string): void {
  for (const probe of probes) {
    let result: unknown
    try {
      result = schema["~standard"].validate(probe)
    } catch {
      continue
    }
    if (result instanceof Promise) throw asynchronousSchema(what, result)
  }
}

/** Returns the error for a schema that must be synchronous. @param result promise that it returned. */
export function asynchronousSchema(what: string, result: Promise<unknown>): TypeError {
  // Its outcome is of no interest, also if it rejects.
  result.catch(() => {})
  // Zod returns a rejecting promise for a transform that throws.
  return new TypeError(
    `the schema of ${what} returned a promise; it must validate synchronously, and must not throw`,
  )
}

function toValidated<T>(result: StandardSchemaV1.Result<T>): Validated<T> {
  if (result.issues === undefined) {
    // For example a promise of another library, which may still become issues.
    if (!("value" in result)) throw new TypeError("a schema returned no value, no issues and no Promise")
    return { ok: true, value: result.value }
  }
  return { ok: false, issues: result.issues.slice(0, 8).map(toIssue) }
}

function toIssue(issue: StandardSchemaV1.Issue): ValidationIssue {
  const path = (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join(".")
  return { path, message: issue.message }
}

/** Returns `direction: expected "UP" | "DOWN"; x: expected number`. Paths and messages may contain a peer's text: escapes it. */
export function describeIssues(issues: readonly ValidationIssue[]): string {
  return issues
    .map((issue) => oneLine(issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`))
    .join("; ")
}
