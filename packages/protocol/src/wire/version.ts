/** The wire version of `hawser.1`. A peer talks to its own version and to its neighbours (N−1, N+1). */
export const wireVersion = 1

/** The WebSocket subprotocol of the compact profile. A client that offers no subprotocol speaks `2.0`. */
export const subprotocol = "hawser.1"

/** The two wire profiles. The application cannot tell them apart. */
export type Profile = "hawser.1" | "2.0"

/** The profile for the subprotocols that a client offers: none means `2.0`; undefined means refuse (HTTP 400). */
export function chooseProfile(offered: readonly string[]): Profile | undefined {
  if (offered.length === 0) return "2.0"
  return offered.includes(subprotocol) ? "hawser.1" : undefined
}
