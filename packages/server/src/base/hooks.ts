// Callbacks of the application: what they throw, at once or later, is reported and stops nobody else.
import { debugError, warnProcess } from "./report.ts"

/** A callback whose result nobody waits for. It may be asynchronous: a rejection is reported like a throw. */
export type Hook<T> = (value: T) => unknown

export class Hooks<T> {
  readonly #hooks = new Set<Hook<T>>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Returns how to stop. */
  add(hook: Hook<T>): () => void {
    this.#hooks.add(hook)
    return () => void this.#hooks.delete(hook)
  }

  /** What one hook throws keeps no other from hearing. */
  run(value: T): void {
    for (const hook of [...this.#hooks]) callReporting(() => hook(value), this.#onError)
  }
}

/** Makes the application's `onError` safe to call anywhere: what it throws itself becomes a warning of the process. */
export function guardedReporter(onError: (error: unknown) => unknown): (error: unknown) => void {
  return (error) => {
    callReporting(
      () => onError(error),
      (own) => {
        const text = own instanceof Error ? own.message : typeof own
        warnProcess(`onError of a Hawser server failed: ${text}`)
        debugError(error)
        debugError(own)
      },
    )
  }
}

/** Calls once; a throw and a rejection both go to `onError`. */
export function callReporting(callback: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = callback()
    if (isThenable(result)) void Promise.resolve(result).catch(onError)
  } catch (error) {
    onError(error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}
