// Default destination of errors and hints: the page's error handling, or the console. No other file of this package writes
// to the console.

/** Reports to the page's error handling; in Node to the console, because Node has no `reportError`. Never throws. */
export function reportToHost(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error)
  else console.error(error)
}

/** Shows a hint for the developer. */
export function showHint(text: string): void {
  console.warn(text)
}

/**
 * Wraps an error handler of the application. The wrapper never throws: if the handler throws or rejects, its error and the
 * reported error go to the host.
 */
export function guardedReporter<More extends readonly unknown[]>(
  onError: (error: unknown, ...more: More) => unknown,
): (error: unknown, ...more: More) => void {
  return (error, ...more) => {
    const failed = (own: unknown): void => {
      reportToHost(error)
      reportToHost(own)
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
