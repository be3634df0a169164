// Checks the options of a request before it is sent: untyped code may pass any value.
import { quoted } from "@hawser/protocol/core"

const offlineChoices: ReadonlySet<unknown> = new Set(["queue", "fail", "drop"])

/** @throws TypeError for an unknown `whenOffline`; RangeError for a `timeoutMs` that is no number above 0. */
export function assertCallOptions(options: {
  readonly timeoutMs?: number
  readonly whenOffline?: string
}): void {
  const { timeoutMs, whenOffline } = options
  if (whenOffline !== undefined && !offlineChoices.has(whenOffline))
    throw new TypeError(`whenOffline must be "queue", "fail" or "drop", not ${quoted(whenOffline)}`)
  assertTimeoutMs(timeoutMs)
}

/** @throws RangeError for anything but undefined and a number above 0. */
export function assertTimeoutMs(timeoutMs: unknown): void {
  if (
    timeoutMs === undefined ||
    (typeof timeoutMs === "number" && Number.isFinite(timeoutMs) && timeoutMs > 0)
  )
    return
  throw new RangeError(`timeoutMs must be a number above 0, not ${quoted(timeoutMs)}`)
}
