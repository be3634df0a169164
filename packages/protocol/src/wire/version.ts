// Declares the wire version and chooses the profile of a connection.

/** Wire version of `hawser.1`. A peer of version N accepts the versions N−1, N and N+1. */
export const wireVersion = 1

/** The WebSocket subprotocol of the compact profile. A client that offers no subprotocol speaks `2.0`. */
export const subprotocol = "hawser.1"

/** Wire profile of a connection. Applications behave the same with both. */
export type Profile = "hawser.1" | "2.0"

/** Returns the profile for the offered subprotocols; `2.0` for none; undefined: refuse the upgrade (HTTP 400). */
export function chooseProfile(offered: readonly string[]): Profile | undefined {
  if (offered.length === 0) return "2.0"
  return offered.includes(subprotocol) ? "hawser.1" : undefined
}
