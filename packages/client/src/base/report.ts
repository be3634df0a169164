// Default destination of errors and hints: the console. No other file of this package writes there.
import { RepeatLimit, repeatedWords } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"

/** Equal lines of errors in a minute. */
const errorsPerMinute = 10

/**
 * Returns the default of `onError`: writes the error's sentence, and the stack of its cause, or else its own. Equal sentences
 * appear ten times a minute; the next line has the number of all since.
 */
export function consoleErrors(clock: Pick<Clock, "now">): (error: unknown) => void {
  const limit = new RepeatLimit({ perMinute: errorsPerMinute })
  return (error) => {
    const sentence = describeCause(error)
    const count = limit.count(sentence, clock.now())
    if (count > 0) showError(sentence + repeatedWords(count), error)
  }
}

function showError(sentence: string, error: unknown): void {
  // The console formats `%` signs, also those of a peer's text, and one of them would swallow the error.
  console.error(
    `hawser: ${sentence.replaceAll("%", "%%")}`,
    error instanceof Error ? (error.cause ?? error) : error,
  )
}

/** Shows a hint for the developer. */
export function showHint(text: string): void {
  console.warn(text)
}

/**
 * Wraps an error handler of the application. The wrapper never throws: if the handler throws or rejects, its error and the
 * reported error go to the console.
 */
export function guardedReporter<More extends readonly unknown[]>(
  onError: (error: unknown, ...more: More) => unknown,
): (error: unknown, ...more: More) => void {
  return (error, ...more) => {
    const failed = (own: unknown): void => {
      showError("onError of the application failed, when it was called for this error:", error)
      showError("onError failed with:", own)
    }
    try {
      const result = onError(error, ...more)
      if (isThenable(result)) Promise.resolve(result).catch(failed)
    } catch (own) {
      failed(own)
    }
  }
}

/** Returns the message of an error, or the type of any other thrown value. */
export function describeCause(cause: unknown): string {
  if (cause instanceof Error) return cause.message
  return typeof cause === "string" ? cause : `a value of the type ${typeof cause} was thrown`
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}
