// Converts errors of the server, and close codes, to the errors that the application gets.
import { HawserError, isErrorCode } from "@hawser/protocol"
import { errorWithCode, retryAfterClose } from "@hawser/protocol/core"
import type { WireError } from "@hawser/protocol/core"

/** Returns the error of a WireError. @param retryAfterMs delay from BUSY; the error's own delay has priority. */
export function errorOf(error: WireError, retryAfterMs?: number): HawserError {
  const { code, message, category, details } = error
  const wait = error.retryAfterMs ?? retryAfterMs
  return errorWithCode(code, {
    message,
    // The error table's category has priority over an older peer's.
    ...(isErrorCode(code) ? {} : { category }),
    ...(details === undefined ? {} : { details }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}

/** Returns the error of a close code that no message explained. */
export function errorOfClose(code: number): HawserError {
  if (retryAfterClose(code) === "afterReauth")
    return new HawserError("auth_token_invalid", { message: `closed with ${code} while logging in` })
  if (code === 4409) return new HawserError("replaced")
  if (code === 4403) return new HawserError("auth_forbidden")
  return new HawserError("connection_lost", { message: `the connection closed with code ${code}` })
}
