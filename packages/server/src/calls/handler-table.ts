// Maps each call of the contract to its one handler, behind its middleware, and to its lane.
import { assertOptions, assertType, unknownName } from "@hawser/protocol/core"
import type { CallEntry, OptionTable } from "@hawser/protocol/core"
import type { Atomic } from "../base/atomic.ts"
import type { AnyHandler } from "./call-router.ts"
import type { Lane } from "./job.ts"
import { MiddlewareList, assertFunctions } from "./middleware.ts"
import type { Middleware } from "./middleware.ts"

/** Options of a handler. */
export interface HandlerOptions<S, Input = unknown> {
  /** Middleware of this call, in order, inside that of `server.use`. Default: none. */
  readonly use?: readonly Middleware<S, Input>[]
  /**
   * Order of the call's requests among the requests of their session. `session`, the default: commands run one at a time, in
   * order; a query or stream starts after the commands that its client sent before it. `none`: the request waits for none of
   * them, and a command of this kind is not waited for; it shares the places of `limits.queriesAtOnce` with queries and streams.
   * Clients of `2.0` have one order for all requests.
   */
  readonly order?: "session" | "none"
  /**
   * True, the default: changes of records, publications and sends of the handler before its first `await` happen together, and
   * none of them if it throws before it. False: each at once, whatever follows.
   */
  readonly atomic?: boolean
}

const handlerOptions: OptionTable<HandlerOptions<unknown>> = { use: "any", order: "any", atomic: "boolean" }

/** A handler, alone or after its options. */
export type Handling<S> = [handler: AnyHandler<S>] | [options: HandlerOptions<S>, handler: AnyHandler<S>]

/** A call as the application set it. */
interface Given<S> {
  readonly call: CallEntry["call"]
  readonly use: readonly Middleware<S>[]
  readonly handler: AnyHandler<S>
}

export class HandlerTable<S> {
  readonly #contractName: string
  readonly #atomic: Atomic
  readonly #calls: ReadonlyMap<string, CallEntry>
  readonly #given = new Map<string, Given<S>>()
  /** Handlers behind their middleware. */
  readonly #handlers = new Map<string, AnyHandler<S>>()
  /** Lanes of the calls that are not `ordered`. */
  readonly #lanes = new Map<string, Lane>()
  /** Middleware of `server.use`. */
  readonly middleware = new MiddlewareList<S>()

  constructor(contractName: string, calls: ReadonlyMap<string, CallEntry>, atomic: Atomic) {
    this.#contractName = contractName
    this.#atomic = atomic
    this.#calls = calls
  }

  /** Handlers by name of their call, behind their middleware. */
  get byName(): ReadonlyMap<string, AnyHandler<S>> {
    return this.#handlers
  }

  #namesOf(call: CallEntry["call"]): string[] {
    return [...this.#calls].flatMap(([name, entry]) => (entry.call === call ? [name] : []))
  }

  /** Returns the lane of a call. A name without a handler is `ordered`. */
  laneOf(name: string): Lane {
    return this.#lanes.get(name) ?? "ordered"
  }

  /**
   * Sets the handler of a call. @throws TypeError for a call that the contract lacks, for a second handler, for a handler that is
   * no function, for middleware that is no function, and for an unknown `order`.
   */
  set(call: CallEntry["call"], name: string, ...handling: Handling<S>): void {
    const [options, handler] = handling.length === 2 ? handling : [{}, handling[0]]
    if (this.#calls.get(name)?.call !== call)
      throw unknownName(`the contract "${this.#contractName}" has no ${call}`, name, this.#namesOf(call))
    if (this.#handlers.has(name)) throw new TypeError(`the ${call} "${name}" has a handler already`)
    assertType(`the handler of the ${call} "${name}"`, "function", handler)
    assertOptions(`the ${call} "${name}"`, options, handlerOptions)
    const { order = "session", use = [], atomic = true } = options
    if (!["session", "none"].includes(order))
      throw new TypeError(`order of the ${call} "${name}" must be "session" or "none", not "${order}"`)
    assertFunctions(`\`use\` of the ${call} "${name}"`, use)
    const given = {
      call,
      use,
      handler: atomic && !name.startsWith("$") ? this.#atomically(handler) : handler,
    }
    this.#given.set(name, given)
    this.#wrap(name, given)
    if (order === "none") this.#lanes.set(name, "free")
    else if (call !== "command") this.#lanes.set(name, "afterOrdered")
  }

  #atomically(handler: AnyHandler<S>): AnyHandler<S> {
    const atomic = this.#atomic
    return (context) => atomic.call(handler, context)
  }

  /** Adds middleware to all calls. @throws TypeError after the first connection, and for no function. */
  use(middleware: Middleware<S>): void {
    this.middleware.add(middleware)
    for (const [name, given] of this.#given) this.#wrap(name, given)
  }

  /** The protocol's own requests reach middleware as `join` and `publish`, from the topics layer. */
  #wrap(name: string, { call, use, handler }: Given<S>): void {
    const isOwn = name.startsWith("$")
    this.#handlers.set(name, isOwn ? handler : this.middleware.around({ kind: call, name, use }, handler))
  }

  /** @throws TypeError with the names of all calls without a handler. */
  assertComplete(): void {
    const missing = [...this.#calls.keys()].filter((name) => !this.#handlers.has(name))
    if (missing.length > 0)
      throw new TypeError(`no handler for ${missing.map((name) => `"${name}"`).join(", ")}`)
  }
}
