// Defers the effects of a fan-out (ended sessions, dropped connections, hooks) until all recipients have the publication. Therefore
// no recipient sees an effect before the publication that caused it.
export class FanOut {
  #depth = 0
  #effects: (() => void)[] = []

  /** Runs a delivery, then its deferred effects. `deliver` must not call the application. */
  run(deliver: () => void): void {
    this.#depth += 1
    try {
      deliver()
    } finally {
      this.#depth -= 1
      if (this.#depth === 0 && this.#effects.length > 0) this.#runEffects()
    }
  }

  #runEffects(): void {
    const effects = this.#effects
    this.#effects = []
    for (const effect of effects) effect()
  }

  /** Runs an effect now, or after the current delivery. */
  defer(effect: () => void): void {
    if (this.#depth > 0) this.#effects.push(effect)
    else effect()
  }
}
