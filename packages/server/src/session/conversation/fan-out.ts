// While one publication goes to many, nothing else does: what its delivery brings about (an end, a lost connection, and
// the hooks of the application that hear of it) happens when everybody has it. So nobody hears the consequence first.
export class FanOut {
  #depth = 0
  #consequences: (() => void)[] = []

  /** Delivers. Nothing in it may call into the application. */
  run(deliver: () => void): void {
    this.#depth += 1
    try {
      deliver()
    } finally {
      this.#depth -= 1
      if (this.#depth === 0 && this.#consequences.length > 0) this.#follow()
    }
  }

  #follow(): void {
    const consequences = this.#consequences
    this.#consequences = []
    for (const consequence of consequences) consequence()
  }

  /** Now, or after the delivery that is under way. */
  afterwards(consequence: () => void): void {
    if (this.#depth > 0) this.#consequences.push(consequence)
    else consequence()
  }
}
