// Checks the limits that an application passes, by the same rules at both ends.
import { quoted } from "./quoted.ts"

/** Maximum that system timers and the WebSocket library accept; larger values would disable the limit there. */
const limitMax = 2 ** 31 - 1

/**
 * Checks one limit that an application passed.
 * @throws RangeError that names the limit and its value.
 */
export function assertLimit(name: string, value: number, what = "a number above 0"): void {
  if (Number.isFinite(value) && value > 0 && value <= limitMax) return
  throw new RangeError(`limits.${name} must be ${what} and at most ${limitMax}, not ${String(value)}`)
}

/**
 * Checks the names of the limits that an application passed. A misspelt name would otherwise leave the default in force.
 * @param path option path of the limits: `limits`, `limits.message`.
 * @throws RangeError that names the first unknown limit.
 */
export function assertKnownLimits(path: string, chosen: object | undefined, known: object): void {
  const unknown = Object.keys(chosen ?? {}).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  throw new RangeError(`${path} has no ${quoted(unknown)}: known are ${Object.keys(known).join(", ")}`)
}
