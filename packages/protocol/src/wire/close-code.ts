// The close codes of RFC 6455 and of this protocol, and what a client may do after each.
import type { Retry } from "../base/errors.ts"

/** By name; numbers are fixed by docs/protocol.md. */
export const closeCode = {
  normal: 1000,
  /** Sent by browsers when a page is left. */
  goingAway: 1001,
  /** `2.0` only: too many bad messages. */
  protocolViolation: 1002,
  unsupportedData: 1003,
  /** Never sent: what a receiver reports when the socket ended without a closing handshake. */
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
 * True for the close with which a browser leaves a page for good: a closed tab, a reload, a quit. WebKit gives a reason
 * with 1001 when it puts the page into its back/forward cache, from which the page may return.
 */
export function isPageGone(code: number, reason: string): boolean {
  return code === closeCode.goingAway && reason === ""
}

/** What a client may do after this close code. A code that it does not know is retried like a lost network. */
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
