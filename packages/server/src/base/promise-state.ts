// State of a promise, without waiting for it. Must not know who made it.
import { inspect } from "node:util"

/** Reads no property of the reason but its stack, and calls nothing of the application. */
const shown = {
  depth: 0,
  customInspect: false,
  getters: false,
  maxStringLength: 0,
  maxArrayLength: 0,
} as const

/**
 * True for a promise that is rejected already: an async function that threw before its first `await`. There is no other
 * synchronous access to the state than its text. False for any other value, and where the text has another form.
 */
export function isRejected(value: unknown): boolean {
  return value instanceof Promise && /^[^{]*\{\s*<rejected>/u.test(inspect(value, shown))
}
