// Callbacks of the application that hear of the same thing.

export class Hooks<T> {
  readonly #hooks = new Set<(value: T) => void>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Returns how to stop. */
  add(hook: (value: T) => void): () => void {
    this.#hooks.add(hook)
    return () => void this.#hooks.delete(hook)
  }

  /** What one hook throws keeps no other from hearing. */
  run(value: T): void {
    for (const hook of [...this.#hooks]) {
      try {
        hook(value)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
