// Maps each call of the contract to its one handler.
import { assertType } from "@hawser/protocol/core"
import type { CallEntry } from "@hawser/protocol/core"
import type { AnyHandler } from "./call-router.ts"

export class HandlerTable<S> {
  readonly #contractName: string
  readonly #calls: ReadonlyMap<string, CallEntry>
  readonly #handlers = new Map<string, AnyHandler<S>>()

  constructor(contractName: string, calls: ReadonlyMap<string, CallEntry>) {
    this.#contractName = contractName
    this.#calls = calls
  }

  /** Handlers by name of their call. */
  get byName(): ReadonlyMap<string, AnyHandler<S>> {
    return this.#handlers
  }

  /** Sets the handler of a call. @throws TypeError for a call that the contract lacks, a second handler, and no function. */
  set(call: CallEntry["call"], name: string, handler: AnyHandler<S>): void {
    if (this.#calls.get(name)?.call !== call)
      throw new TypeError(`the contract "${this.#contractName}" has no ${call} "${name}"`)
    if (this.#handlers.has(name)) throw new TypeError(`the ${call} "${name}" has a handler already`)
    assertType(`the handler of the ${call} "${name}"`, "function", handler)
    this.#handlers.set(name, handler)
  }

  /** @throws TypeError with the names of all calls without a handler. */
  assertComplete(): void {
    const missing = [...this.#calls.keys()].filter((name) => !this.#handlers.has(name))
    if (missing.length > 0)
      throw new TypeError(`no handler for ${missing.map((name) => `"${name}"`).join(", ")}`)
  }
}
