// Checks the limits that an application chose, the same way at both ends.
import { quoted } from "./quoted.ts"

/** The most that timers of the system and the WebSocket library take; larger values would mean "none" there. */
const limitMax = 2 ** 31 - 1

/**
 * Checks one limit that an application chose.
 * @throws RangeError that names the limit and its value.
 */
export function assertLimit(name: string, value: number, what = "a number above 0"): void {
  if (Number.isFinite(value) && value > 0 && value <= limitMax) return
  throw new RangeError(`limits.${name} must be ${what} and at most ${limitMax}, not ${String(value)}`)
}

/**
 * Checks the names of limits that an application chose: a misspelt one would leave its default in force.
 * @param path of the limits: `limits`, `limits.message`.
 * @throws RangeError that names the first unknown one.
 */
export function assertKnownLimits(path: string, chosen: object | undefined, known: object): void {
  const unknown = Object.keys(chosen ?? {}).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  throw new RangeError(`${path} has no ${quoted(unknown)}: known are ${Object.keys(known).join(", ")}`)
}
