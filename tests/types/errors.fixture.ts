// The codes of the product are a union, and each of an error's facts is one of a few words.
import { HawserError, isErrorCode } from "@hawser/protocol"
import { errorTable } from "@hawser/protocol/core"
import type { ErrorCategory, ErrorCode, Retry } from "@hawser/protocol"

export const known: readonly ErrorCode[] = ["rate_limited", "timeout", "connection_lost"]
// @ts-expect-error 2820: "rate_limited"
export const misspelt: ErrorCode = "rate_limitd"
// @ts-expect-error 2551: "rate_limited"
export const absent = errorTable.rate_limitd

export function retryOf(error: HawserError): Retry {
  // @ts-expect-error 7053: an application's code is not in the table
  const unchecked = errorTable[error.code]
  if (!isErrorCode(error.code)) return error.retry
  // @ts-expect-error 2367: "timeout"
  if (error.code === "timedout") return unchecked
  return errorTable[error.code].retry
}

// @ts-expect-error 2345: codes of the application are those of its contract
export const own = new HawserError("chest_locked", { retry: "never", category: "permission" })
// @ts-expect-error 2345: "rate_limited"
export const misspeltCode = new HawserError("rate_limitd")
// @ts-expect-error 2322: "later"
export const wrongRetry = new HawserError("timeout", { retry: "soon" })
// @ts-expect-error 2820: "rate_limit"
export const wrongCategory = new HawserError("timeout", { category: "rate_limited" })
// @ts-expect-error 2561: "retryAfterMs"
export const wrongOption = new HawserError("timeout", { retryAfter: 5 })
// @ts-expect-error 2379: left out, or text; never undefined
export const undefinedMessage = new HawserError("timeout", { message: undefined })
// @ts-expect-error 2322: facts have names
export const wrongDetails = new HawserError("timeout", { details: "text" })

export function isTheirFault(category: ErrorCategory): boolean {
  switch (category) {
    case "validation":
    case "permission":
      return true
    case "system":
    case "rate_limit":
      return false
    // @ts-expect-error 2678: no such category
    case "rate_limited":
      return true
  }
}

export function nothingIsWritable(error: HawserError): void {
  // @ts-expect-error 2540: an error's code is final
  error.code = "timeout"
}
