// Calls callbacks of the application. Throws and rejections go to `onError`; the other callbacks still run.
import { assertType } from "@hawser/protocol/core"
import { showFailedReport } from "./report.ts"

/** Callback whose result is not awaited. A rejection goes to `onError`, like a throw. */
export type Hook<T> = (value: T) => unknown

export class Hooks<T> {
  readonly #hooks = new Set<Hook<T>>()
  readonly #name: string
  readonly #onError: (error: unknown) => void

  /** @param name method of the server that adds the hooks, for an error. */
  constructor(name: string, onError: (error: unknown) => void) {
    this.#name = name
    this.#onError = onError
  }

  /** Adds a hook. Returns the unsubscribe function. @throws TypeError for a hook that is no function. */
  add(hook: Hook<T>): () => void {
    assertType(`the hook of ${this.#name}`, "function", hook)
    this.#hooks.add(hook)
    return () => void this.#hooks.delete(hook)
  }

  /** Calls all hooks as `run`. Resolves when the promises that they returned have settled. */
  async settled(value: T): Promise<void> {
    const call = async (hook: Hook<T>): Promise<void> => {
      try {
        await hook(value)
      } catch (error) {
        this.#onError(error)
      }
    }
    await Promise.all([...this.#hooks].map((hook) => call(hook)))
  }

  /** Calls all hooks in the order of their addition, also if one of them throws. */
  run(value: T): void {
    for (const hook of [...this.#hooks]) callReporting(() => hook(value), this.#onError)
  }
}

/** Guards the application's `onError`: if it throws or rejects, both errors go to the console and the caller continues. */
export function guardedReporter(onError: (error: unknown) => unknown): (error: unknown) => void {
  return (error) => {
    callReporting(
      () => onError(error),
      (own) => showFailedReport(error, own),
    )
  }
}

/** Calls `callback` once. A throw and a rejection go to `onError`. */
export function callReporting(callback: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = callback()
    if (isThenable(result)) void Promise.resolve(result).catch(onError)
  } catch (error) {
    onError(error)
  }
}

/** True for a promise of any library, such as a query that runs when it is awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"
}
