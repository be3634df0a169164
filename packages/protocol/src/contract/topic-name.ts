// Checks topic names.
import { quoted } from "../base/quoted.ts"

/** Returns true for 1–128 letters, digits and `: . _ - /` without `..`. Names appear in logs and keys, hence the small set. */
export function isTopicName(name: string): boolean {
  return /^[\w:./-]{1,128}$/.test(name) && !name.includes("..")
}

/** Returns a sentence about the fault of an invalid name, which it contains cut; undefined for a valid name. */
export function topicNameFault(name: string): string | undefined {
  if (isTopicName(name)) return undefined
  return `the topic name ${quoted(name)} is not allowed: ${faultOf(name)}`
}

function faultOf(name: string): string {
  const character = /[^\w:./-]/u.exec(name)?.[0]
  if (character !== undefined)
    return `it contains ${quoted(character)}; use letters, digits, ":", ".", "_", "-" and "/"`
  if (name.includes("..")) return `it contains ".."`
  return `it has ${name.length} characters; use 1 to 128`
}

/** @throws RangeError for an invalid name, with its fault. */
export function assertTopicName(name: string): void {
  const fault = topicNameFault(name)
  if (fault !== undefined) throw new RangeError(fault)
}
