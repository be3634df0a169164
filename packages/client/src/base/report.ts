// The last place for errors and hints that the application does not take: the page's error handling, or the console.
// The only file of this package that writes to the console.

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
 * Makes an error handler of the application safe to call anywhere: if it throws or rejects, its error and the one that it
 * was called with go to the host.
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

/** The message of an error, for a sentence; the type of anything else that was thrown. */
export function describeCause(cause: unknown): string {
  if (cause instanceof Error) return cause.message
  return typeof cause === "string" ? cause : `a value of the type ${typeof cause} was thrown`
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}
