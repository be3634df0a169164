// Declares the close codes of RFC 6455 and of this protocol, and the client's retry after each.
import type { Retry } from "../base/errors.ts"

/** Close codes by name. docs/protocol.md fixes the numbers. */
export const closeCode = {
  normal: 1000,
  /** Sent by browsers when the user leaves a page. */
  goingAway: 1001,
  /** `2.0` only: too many bad messages. */
  protocolViolation: 1002,
  unsupportedData: 1003,
  /** Never sent. A receiver reports it for a socket that ended without a closing handshake. */
  abnormal: 1006,
  /** `2.0` only: authentication failed. */
  policyViolation: 1008,
  /** `2.0` only: the server restarts. */
  serviceRestart: 1012,
  protocolError: 4400,
  authentication: 4401,
  forbidden: 4403,
  slowConsumer: 4408,
  replaced: 4409,
  sessionEnded: 4410,
  tooLarge: 4413,
  rateLimited: 4429,
  internalError: 4500,
  goingAwayRetry: 4503,
} as const

/**
 * Returns true for the final close of a page: a closed tab, a reload, a quit. WebKit sends 1001 with a reason when it
 * puts a page into its back/forward cache, from which the page may return.
 */
export function isPageGone(code: number, reason: string): boolean {
  return code === closeCode.goingAway && reason === ""
}

/** Returns the client's retry after a close code. An unknown code is retried like a network failure. */
export function retryAfterClose(code: number): Retry {
  switch (code) {
    case closeCode.forbidden:
    case closeCode.replaced:
      return "never"
    case closeCode.authentication:
    case closeCode.policyViolation:
      return "afterReauth"
    default:
      return "later"
  }
}
