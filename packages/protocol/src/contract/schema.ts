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

function toValidated<T>(result: StandardSchemaV1.Result<T>): Validated<T> {
  if (result.issues === undefined) return { ok: true, value: result.value }
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
