// Declares the errors of a contract: codes with the schema of their details. Creates and recognizes them. Must not know handlers.
import { HawserError, errorWithCode, isErrorCode } from "../base/errors.ts"
import type { HawserErrorOptions } from "../base/errors.ts"
import { describeIssues, validateNow } from "./schema.ts"
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts"

/** Errors by code: the schema of their details, or null for an error without details. */
export type ErrorSpecs = Readonly<Record<string, Schema | null>>

/** Options of `contract.error`: those of `HawserError` without `details`. */
export type ContractErrorOptions = Omit<HawserErrorOptions, "details">

/** An error of a contract, as `contract.error` creates it and `contract.isError` recognizes it. */
export type ContractError<Code extends string, S extends Schema | null> = HawserError & {
  /** Code of the error in the contract. */
  readonly code: Code
  /** Details after validation; undefined for an error without details. */
  readonly details: S extends Schema ? SchemaOutput<S> : undefined
}

/** Arguments of `contract.error` after the code. */
export type ErrorArguments<S extends Schema | null> = S extends Schema
  ? [details: SchemaInput<S>, options?: ContractErrorOptions]
  : [options?: ContractErrorOptions]

/** Methods of a contract for its errors. */
export interface ContractErrors<X extends ErrorSpecs> {
  /**
   * Returns an error of the contract; throw it in a handler, a hook or `authenticate`. The caller's promise rejects with its code
   * and details. `retry` is `never` and `category` is `validation` unless the options say otherwise.
   * @throws TypeError for a code that the contract lacks, and for details that do not fit their schema.
   */
  error<K extends keyof X & string>(code: K, ...details: ErrorArguments<X[K]>): ContractError<K, X[K]>
  /**
   * Returns true for a HawserError with this code. Its details then have the type of the contract; the client does not validate
   * them.
   * @throws TypeError for a code that the contract lacks.
   */
  isError<K extends keyof X & string>(value: unknown, code: K): value is ContractError<K, X[K]>
}

/**
 * Returns the methods for the errors of a contract.
 * @throws TypeError for a code that is not snake_case or camelCase of at most 64 characters, and for one of the error table.
 */
export function contractErrors<X extends ErrorSpecs>(contractName: string, specs: X): ContractErrors<X>
export function contractErrors(contractName: string, specs: ErrorSpecs): UntypedErrors {
  for (const code of Object.keys(specs)) assertCode(contractName, code)
  const schemaOf = (code: string): Schema | null => {
    const schema = Object.hasOwn(specs, code) ? specs[code] : undefined
    if (schema !== undefined) return schema
    const codes = Object.keys(specs).map((declared) => `"${declared}"`)
    const known = codes.length === 0 ? "it declares none" : `it declares ${codes.join(", ")}`
    throw new TypeError(`the contract "${contractName}" has no error "${code}"; ${known}`)
  }
  return {
    error(code, ...rest) {
      const schema = schemaOf(code)
      if (schema === null) return errorWithCode(code, optionsOf(rest[0]))
      const details = parsedDetails(code, schema, rest[0])
      return errorWithCode(code, { ...optionsOf(rest[1]), details })
    },
    isError(value, code) {
      schemaOf(code)
      return HawserError.is(value) && value.code === code
    },
  }
}

/** The methods without the types of a contract. */
interface UntypedErrors {
  error(code: string, ...rest: readonly unknown[]): HawserError
  isError(value: unknown, code: string): boolean
}

function assertCode(contractName: string, code: string): void {
  const where = `contract "${contractName}": the error "${code}"`
  if (!/^[a-z][a-zA-Z0-9_]{0,63}$/.test(code))
    throw new TypeError(`${where} must be snake_case or camelCase letters and digits, 64 at most`)
  if (isErrorCode(code))
    throw new TypeError(`${where} is a code of Hawser; rename it, or throw new HawserError("${code}")`)
}

function parsedDetails(code: string, schema: Schema, details: unknown): Readonly<Record<string, unknown>> {
  const what = `the details of the error "${code}"`
  const result = validateNow(schema, details, what)
  if (!result.ok) throw new TypeError(`${what} do not fit the contract: ${describeIssues(result.issues)}`)
  if (isMembers(result.value)) return result.value
  throw new TypeError(`${what} must be a plain object`)
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Returns the options that untyped code may have left out, without details: those that the contract lacks are not sent. */
function optionsOf(value: unknown): ContractErrorOptions {
  if (!isMembers(value)) return {}
  const { details: _unchecked, ...options } = value
  return options
}
