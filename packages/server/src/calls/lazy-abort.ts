// An AbortController that is created on the first use of its signal. Most handlers use none, and its creation costs more than the
// rest of a small request.

export class LazyAbort {
  #controller: AbortController | undefined
  #reason: unknown
  #aborted = false

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  /** Signal of the abort; always the same object. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Aborts with this reason. Later calls have no effect. */
  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
