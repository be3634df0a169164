// Checks the limits of an application once, in `createClient`.
import { defaultClientLimits } from "@hawser/protocol"
import { assertLimit, assertOptionNames } from "@hawser/protocol/core"
import type { ChosenLimits, ClientLimits } from "@hawser/protocol"

/**
 * Returns the defaults, replaced by the application's limits.
 * @throws RangeError for a limit that is out of range, with its name and value. TypeError for an unknown limit.
 */
export function checkLimits(chosen: ChosenLimits<ClientLimits> = {}): ClientLimits {
  assertOptionNames("limits", chosen, defaultClientLimits)
  for (const group of ["message", "serverMessage"] as const)
    assertOptionNames(`limits.${group}`, chosen[group], defaultClientLimits[group])
  const limits: ClientLimits = {
    ...defaultClientLimits,
    ...chosen,
    message: { ...defaultClientLimits.message, ...chosen.message },
    serverMessage: { ...defaultClientLimits.serverMessage, ...chosen.serverMessage },
  }
  const { message, serverMessage, ...others } = limits
  for (const [name, value] of Object.entries<number>({ ...others })) assertLimit(name, value)
  for (const [group, bounds] of Object.entries({ message, serverMessage })) {
    for (const [name, value] of Object.entries<number>({ ...bounds })) assertLimit(`${group}.${name}`, value)
  }
  // A budget below one dial would never dial.
  if (limits.dialBurst < 1)
    throw new RangeError(`limits.dialBurst must be at least 1, not ${limits.dialBurst}`)
  return limits
}
