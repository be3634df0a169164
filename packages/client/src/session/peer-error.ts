// What a server says is wrong, as the error that the application gets.
import { HawserError, isErrorCode } from "@hawser/protocol"
import type { WireError } from "@hawser/protocol"

/** @param retryAfterMs what the server asked for otherwise than in the error itself. */
export function errorOf(error: WireError, retryAfterMs?: number): HawserError {
  const { code, message, category, details } = error
  const wait = error.retryAfterMs ?? retryAfterMs
  return new HawserError(code, {
    message,
    // The table knows its own codes' categories better than an older peer.
    ...(isErrorCode(code) ? {} : { category }),
    ...(details === undefined ? {} : { details }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}
