// Runs a Standard Schema validator and turns its issues into one readable sentence. Knows no message types.
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { oneLine } from "../base/quoted.ts"

export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** One finding of a validator: where in the value, and what is wrong there. */
export interface ValidationIssue {
  readonly path: string
  readonly message: string
}

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly ValidationIssue[] }

/** Validates at once where the validator allows it; a promise only where the validator itself is asynchronous. */
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

/** `direction: expected "UP" | "DOWN"; x: expected number`. A path holds keys of a peer's, a message may show its text. */
export function describeIssues(issues: readonly ValidationIssue[]): string {
  return issues
    .map((issue) => oneLine(issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`))
    .join("; ")
}
