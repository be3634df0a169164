// Checks the limits that an application passes, by the same rules at both ends.
import { quoted } from "./quoted.ts"

/** Maximum that system timers and the WebSocket library accept; larger values would disable the limit there. */
const limitMax = 2 ** 31 - 1

/**
 * Checks one limit that an application passed.
 * @throws RangeError that names the limit and its value.
 */
export function assertLimit(name: string, value: unknown, what = "a number above 0"): void {
  if (typeof value === "number" && Number.isFinite(value) && value > 0 && value <= limitMax) return
  throw new RangeError(`limits.${name} must be ${what} and at most ${limitMax}, not ${quoted(value)}`)
}

/** Limits as an option: each one, and each one of a group such as `message`, may be absent, which means its default. */
export type ChosenLimits<Limits extends object> = {
  readonly [Name in keyof Limits]?: Limits[Name] extends object ? Partial<Limits[Name]> : Limits[Name]
}
