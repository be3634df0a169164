// Defers the effects of a fan-out (ended sessions, dropped connections, hooks) until all recipients have the publication. Therefore
// no recipient sees an effect before the publication that caused it. Inside an atomic function both wait for its end.
import type { Atomic } from "../../base/atomic.ts"

export class FanOut {
  readonly #atomic: Atomic
  #depth = 0
  #effects: (() => void)[] = []

  constructor(atomic: Atomic) {
    this.#atomic = atomic
  }

  /** True inside an atomic function: nothing is delivered before its end. */
  get isHeld(): boolean {
    return this.#atomic.isOpen
  }

  /** Runs a delivery, then its deferred effects. `deliver` must not call the application. */
  run(deliver: () => void): void {
    if (this.#atomic.isOpen) {
      this.#atomic.defer(() => this.run(deliver))
      return
    }
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

  /** Runs an effect now, after the current delivery, or at the end of the atomic function. */
  defer(effect: () => void): void {
    if (this.#depth > 0) this.#effects.push(effect)
    else this.#atomic.defer(effect)
  }
}
