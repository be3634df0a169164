// Whether the limits that an application chose can be kept. Asked once, when the server is created.
import { defaultServerLimits } from "@hawser/protocol"
import { assertKnownLimits, assertLimit, leastHeartbeatMs } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"

/** Limits for which 0 means "not at all". */
const mayBeZero: ReadonlySet<string> = new Set(["resumeWindowMs", "leaveWindowMs"])

/**
 * The defaults with the application's choices over them.
 * @throws RangeError that names the limit and its value, or a name that is no limit.
 */
export function checkLimits(chosen: Partial<ServerLimits> = {}): ServerLimits {
  assertKnownLimits("limits", chosen, defaultServerLimits)
  for (const group of ["message", "clientMessage"] as const)
    assertKnownLimits(`limits.${group}`, chosen[group], defaultServerLimits[group])
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
