// Checks topic names.
import { quoted } from "../base/quoted.ts"

/** Returns true for 1–128 letters, digits and `: . _ - /` without `..`. Names appear in logs and keys, hence the small set. */
export function isTopicName(name: string): boolean {
  return /^[\w:./-]{1,128}$/.test(name) && !name.includes("..")
}

/** @throws RangeError for an invalid name; the message contains it, cut. */
export function assertTopicName(name: string): void {
  if (isTopicName(name)) return
  throw new RangeError(
    `topic ${quoted(name)} must be 1–128 letters, digits, ":", ".", "_", "-" or "/", without ".."`,
  )
}
