// Merges an application's limits with the defaults and validates them. Called once, when the server is created.
import { defaultServerLimits } from "@hawser/protocol"
import { assertLimit, assertOptionNames, leastHeartbeatMs } from "@hawser/protocol/core"
import type { ChosenLimits, ServerLimits } from "@hawser/protocol"

/** Limits that may be 0, which turns their feature off. */
const mayBeZero: ReadonlySet<string> = new Set(["resumeWindowMs", "leaveWindowMs"])

/**
 * Returns the default limits, overridden by the application's.
 * @throws RangeError for a limit that is out of range, with its name and value. TypeError for an unknown limit.
 */
export function checkLimits(chosen: ChosenLimits<ServerLimits> = {}): ServerLimits {
  assertOptionNames("limits", chosen, defaultServerLimits)
  for (const group of ["message", "clientMessage"] as const)
    assertOptionNames(`limits.${group}`, chosen[group], defaultServerLimits[group])
  const limits: ServerLimits = {
    ...defaultServerLimits,
    ...chosen,
    message: { ...defaultServerLimits.message, ...chosen.message },
    clientMessage: { ...defaultServerLimits.clientMessage, ...chosen.clientMessage },
  }
  const { message, clientMessage, ...others } = limits
  for (const [name, value] of Object.entries<number>({ ...others })) {
    if (!mayBeZero.has(name)) assertLimit(name, value)
    else if (value !== 0) assertLimit(name, value, "0, or a number above it")
  }
  for (const [group, bounds] of Object.entries({ message, clientMessage })) {
    for (const [name, value] of Object.entries<number>({ ...bounds })) assertLimit(`${group}.${name}`, value)
  }
  for (const name of ["pingAfterMs", "pongTimeoutMs"] as const) {
    if (limits[name] < leastHeartbeatMs)
      throw new RangeError(`limits.${name} must be at least ${leastHeartbeatMs} ms, not ${limits[name]}`)
  }
  return limits
}
