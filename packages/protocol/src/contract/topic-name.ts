// What may be the name of a topic.
import { quoted } from "../base/quoted.ts"

/** 1–128 letters, digits and `: . _ - /`; no `..`. A name goes into logs and keys, so nothing else is let in. */
export function isTopicName(name: string): boolean {
  return /^[\w:./-]{1,128}$/.test(name) && !name.includes("..")
}

/** @throws RangeError that shows the name. */
export function assertTopicName(name: string): void {
  if (isTopicName(name)) return
  throw new RangeError(`topic ${quoted(name)} must be 1–128 of letters, digits, ":", ".", "_", "-", "/"`)
}
