// Checks a limit that an application chose, the same way at both ends.

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
