// Time limits of an attempt's three steps, from the measured round trip. The reconnect machine doubles them after failures, up
// to `dialTimeoutMaxMs`. Pure.
import type { ClientLimits } from "@hawser/protocol"
import type { RoundTrip } from "@hawser/protocol/core"

/** Time limits in milliseconds, before failures lengthen them. */
export interface AttemptLimits {
  readonly tokenMs: number
  readonly dialMs: number
  readonly welcomeMs: number
}

/** Round trips of TCP, of TLS with a full handshake, and of an HTTP request or upgrade. */
const requestRoundTrips = 4
/** One round trip for HELLO and WELCOME, and the time of one for the verification of the token. */
const welcomeRoundTrips = 2

export function attemptLimits(limits: ClientLimits, roundTrip: RoundTrip): AttemptLimits {
  const { tokenTimeoutMs, dialTimeoutMs, welcomeTimeoutMs, dialTimeoutMaxMs } = limits
  const limitMs = (leastMs: number, roundTrips: number): number =>
    Math.max(leastMs, Math.min(roundTrip.expectedMs(roundTrips), dialTimeoutMaxMs))
  return {
    tokenMs: limitMs(tokenTimeoutMs, requestRoundTrips),
    dialMs: limitMs(dialTimeoutMs, requestRoundTrips),
    welcomeMs: limitMs(welcomeTimeoutMs, welcomeRoundTrips),
  }
}
