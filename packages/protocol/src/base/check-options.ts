// Checks the options that an application passes, at both ends and for every call that takes options. A misspelt name would
// otherwise leave the default in force. Must not know the options of a call: its table is an argument.
import { quoted } from "./quoted.ts"

/**
 * Type of an option. `ms`: a number of milliseconds, at least 0. `function`, `object` and `boolean`: the type of that name.
 * `any`: the owner of the option checks it.
 */
type OptionKind = "function" | "object" | "boolean" | "ms" | "any"

/** Names and types of all options of a call. The compiler reports a missing or a surplus name. */
export type OptionTable<Options extends object> = { readonly [Name in keyof Options]-?: OptionKind }

/**
 * Checks names and types of options. Undefined passes, for the options and for each of them.
 * @param where call that takes the options, for the error: `listen`.
 * @throws TypeError that names an unknown option and the valid ones, or an option of the wrong type. RangeError for a number
 * that is not a time.
 */
export function assertOptions<Options extends object>(
  where: string,
  options: unknown,
  table: OptionTable<Options>,
): void {
  assertOptionNames(where, options, table)
  if (typeof options !== "object" || options === null) return
  const kinds: Readonly<Record<string, OptionKind>> = table
  for (const name in kinds) {
    const value: unknown = Reflect.get(options, name)
    const kind = kinds[name]
    if (value === undefined || kind === undefined || kind === "any") continue
    if (kind !== "ms") assertType(`the option ${name} of ${where}`, kind, value)
    else if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
      throw new RangeError(
        `the option ${name} of ${where} must be a number of milliseconds from 0, not ${quoted(value)}`,
      )
  }
}

/**
 * Checks the names of options.
 * @param known object with a property for each valid name.
 * @throws TypeError that names an unknown option, the nearest valid one and all valid ones; for a value that is no object.
 */
export function assertOptionNames(where: string, options: unknown, known: object): void {
  if (options === undefined) return
  assertType(where, "object", options)
  if (typeof options !== "object" || options === null) return
  for (const name in options) {
    if (Object.hasOwn(known, name) || !Object.hasOwn(options, name)) continue
    throw unknownName(`${where} has no option`, name, Object.keys(known))
  }
}

/** Returns the error for a misspelt name: with the nearest valid name and all valid ones. @param lack such as `a has no command`. */
export function unknownName(lack: string, name: string, valid: Iterable<string>): TypeError {
  const names = [...valid]
  const near = nearest(String(name), names)
  const advice = near === undefined ? "" : ` Did you mean "${near}"?`
  return new TypeError(`${lack} ${quoted(name)}.${advice} Valid names: ${names.join(", ") || "none"}`)
}

/** @throws TypeError for options that untyped code leaves out. @param example the call as it should be. */
export function assertGiven(where: string, options: unknown, example: string): void {
  if (options === undefined || options === null) throw new TypeError(`${where} needs options: ${example}`)
}

/** @throws TypeError unless the value has the type; an array is no object. @param what begins the sentence. */
export function assertType(what: string, type: "function" | "object" | "boolean", value: unknown): void {
  if (typeof value === type && value !== null && !Array.isArray(value)) return
  const article = type === "object" ? "an" : "a"
  throw new TypeError(`${what} must be ${article} ${type}, not ${quoted(value)}`)
}

/**
 * Checks the contract that untyped code passes to `createServer` or `createClient`.
 * @throws TypeError for a value that `defineContract` cannot have returned.
 */
export function assertContract(where: string, contract: unknown): void {
  const parts = ["commands", "queries", "events", "streams", "replicas", "topics"]
  const isContract =
    typeof contract === "object" &&
    contract !== null &&
    typeof Reflect.get(contract, "name") === "string" &&
    parts.every((part) => typeof Reflect.get(contract, part) === "object")
  if (isContract) return
  const shown = typeof contract === "object" && contract !== null ? "another object" : quoted(contract)
  throw new TypeError(
    `the first argument of ${where} must be a contract, not ${shown}: pass the result of defineContract`,
  )
}

/** Returns the name that differs least, by at most a third of the letters and at least one; undefined if none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const other of names) {
    const distance = editDistance(name.toLowerCase(), other.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = other
  }
  return best
}

/** Returns the least number of inserted, deleted, replaced and exchanged characters. */
function editDistance(one: string, other: string): number {
  let earlier: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let index = 0; index < one.length; index += 1) {
    const next = [index + 1]
    for (let at = 1; at <= other.length; at += 1) {
      const replaced = (row[at - 1] ?? 0) + (one[index] === other[at - 1] ? 0 : 1)
      const isExchanged = at > 1 && one[index] === other[at - 2] && one[index - 1] === other[at - 1]
      const exchanged = isExchanged ? (earlier[at - 2] ?? 0) + 1 : Infinity
      next.push(Math.min(replaced, exchanged, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1))
    }
    earlier = row
    row = next
  }
  return row[other.length] ?? 0
}
