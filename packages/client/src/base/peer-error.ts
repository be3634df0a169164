// What a server says is wrong, as the error that the application gets.
import { HawserError, isErrorCode } from "@hawser/protocol"
import { retryAfterClose } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"

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

/** What a close code tells when the server said nothing before it. */
export function errorOfClose(code: number): HawserError {
  if (retryAfterClose(code) === "afterReauth")
    return new HawserError("auth_token_invalid", { message: `closed with ${code} while logging in` })
  if (code === 4409) return new HawserError("replaced")
  if (code === 4403) return new HawserError("auth_forbidden")
  return new HawserError("connection_lost", { message: `the connection closed with code ${code}` })
}
