// Changes that happen together or not at all. While a function runs inside, changes of state note how they are undone, and
// outward effects (deliveries, ends of sessions) wait. A throw undoes and drops those since the beginning of its function. Nothing
// else of the server runs meanwhile: it is synchronous. Must not know replicas, topics and sessions.
import { assertType } from "@hawser/protocol/core"
import { callReporting, isThenable } from "./hooks.ts"
import { isRejected } from "./promise-state.ts"

type Step = () => void

export class Atomic {
  readonly #onError: (error: unknown) => void
  /** Functions that run, one inside the other. */
  #depth = 0
  /** Undoes the changes, newest last. */
  #undone: Step[] = []
  /** Effects that wait for the end of the outermost function, in order. */
  #effects: Step[] = []
  /** Steps for the end of the outermost function, whether it throws or not. */
  #endings: Step[] = []

  /** @param onError called with errors of effects: their callers have returned. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** True while a function runs inside. A caller without need for closures asks this first. */
  get isOpen(): boolean {
    return this.#depth > 0
  }

  /** Notes how a change is undone. Later changes are undone before it. Only while `isOpen`. */
  onThrow(undo: Step): void {
    this.#undone.push(undo)
  }

  /** Runs a step at the end, also after a throw. Only while `isOpen`. */
  onEnd(step: Step): void {
    this.#endings.push(step)
  }

  /** Runs an effect at the end; now if no function runs. */
  defer(effect: Step): void {
    if (this.isOpen) this.#effects.push(effect)
    else effect()
  }

  /**
   * Runs `fn`: all or nothing. @throws its error, and TypeError for a promise, both after everything is undone; TypeError for a value
   * that is no function.
   */
  run<T>(fn: () => T): T {
    assertType("the function of atomic()", "function", fn)
    return this.call(synchronous, fn)
  }

  /**
   * Runs `fn` up to its end or its first `await`. If it throws, or its promise is rejected by then, everything is undone. It
   * allocates nothing if nothing was changed.
   */
  call<A, R>(fn: (argument: A) => R, argument: A): R {
    const undoneFrom = this.#undone.length
    const effectsFrom = this.#effects.length
    let isComplete = false
    this.#depth += 1
    try {
      const result = fn(argument)
      const hasActed = this.#undone.length > undoneFrom || this.#effects.length > effectsFrom
      isComplete = !hasActed || !isRejected(result)
      return result
    } finally {
      if (!isComplete) this.#undo(undoneFrom, effectsFrom)
      this.#depth -= 1
      if (this.#depth === 0) this.#end()
    }
  }

  #undo(undoneFrom: number, effectsFrom: number): void {
    this.#effects.length = effectsFrom
    while (this.#undone.length > undoneFrom) this.#undone.pop()?.()
  }

  /** An effect may call the application, which may begin anew: the lists are its own then. */
  #end(): void {
    if (this.#undone.length > 0) this.#undone = []
    if (this.#endings.length > 0) {
      const endings = this.#endings
      this.#endings = []
      for (const step of endings) step()
    }
    if (this.#effects.length === 0) return
    const effects = this.#effects
    this.#effects = []
    for (const effect of effects) callReporting(effect, this.#onError)
  }
}

/** @throws TypeError for a promise. */
function synchronous<T>(fn: () => T): T {
  const result = fn()
  if (!isThenable(result)) return result
  // Its function has been undone, and its caller gets the TypeError.
  Promise.resolve(result).catch(() => {})
  throw new TypeError(
    "the function of atomic() returned a promise, so its changes were undone: other code would run between them. Await first, then change everything in one atomic() without await",
  )
}
