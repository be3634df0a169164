// Which handler serves which call of the contract: exactly one each.
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

  get byName(): ReadonlyMap<string, AnyHandler<S>> {
    return this.#handlers
  }

  /** True for a call that the contract has. */
  knows(name: string): boolean {
    return this.#calls.has(name)
  }

  /** @throws TypeError for a name that the contract does not have, or a second handler. */
  set(call: CallEntry["call"], name: string, handler: AnyHandler<S>): void {
    if (this.#calls.get(name)?.call !== call)
      throw new TypeError(`the contract "${this.#contractName}" has no ${call} "${name}"`)
    if (this.#handlers.has(name)) throw new TypeError(`the ${call} "${name}" has a handler already`)
    this.#handlers.set(name, handler)
  }

  /** @throws TypeError that names every call without a handler. */
  assertComplete(): void {
    const missing = [...this.#calls.keys()].filter((name) => !this.#handlers.has(name))
    if (missing.length > 0)
      throw new TypeError(`no handler for ${missing.map((name) => `"${name}"`).join(", ")}`)
  }
}
