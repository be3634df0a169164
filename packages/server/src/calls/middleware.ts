// Functions of the application around handlers: permissions, audit, timing, tracing. A chain is built once for each call. Without
// middleware there is no chain, and the router calls the handler itself. Must not know topics and sessions.
import { HawserError } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"

/** Kind of a call that middleware sees. `publish` and `join`: requests of clients in topics. */
export type MiddlewareKind = "command" | "query" | "stream" | "publish" | "join"

/** One call, as middleware sees it: after its validation and its rate limit, before its handler. */
export interface MiddlewareCall<S, Input = unknown> {
  /** Kind of the call. */
  readonly kind: MiddlewareKind
  /** Name of the call in the contract; of a publication, its event; of a join, the kind of its topic. */
  readonly name: string
  /** Validated input. Of a publication it is `{ topic, payload }`, of a join `{ topic, state }`. */
  readonly input: Input
  /** Session of the caller. */
  readonly session: S
  /** Aborts as the signal of the handler does. */
  readonly signal: AbortSignal
}

/**
 * Function around a handler. `next()` runs the rest of the chain and returns its result, or its promise; a second call of it
 * throws, and so does a call after the function's result is known, for example after a lost `Promise.race`. In a function
 * that has waited, it also throws the reason of `call.signal` if that has aborted. The function returns the call's result, which may be another one than that of `next()`; it refuses the call by a throw
 * of a HawserError. Without a promise of its own a synchronous handler stays synchronous. The result of a publication or a join
 * is always its own; one whose middleware returns without `next()` is rejected with `forbidden`.
 */
export type Middleware<S, Input = unknown> = (call: MiddlewareCall<S, Input>, next: () => unknown) => unknown

/** Part of a handler's context that a call needs. Its `signal` is read on use only. */
interface CallSource<S> {
  readonly session: S
  readonly signal: AbortSignal
}

type Chain<S> = (call: MiddlewareCall<S>, last: () => unknown) => unknown

/** A call of a handler or topic rule. */
class Call<S> implements MiddlewareCall<S> {
  readonly kind: MiddlewareKind
  readonly name: string
  readonly input: unknown
  readonly #source: CallSource<S>

  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  constructor(kind: MiddlewareKind, name: string, input: unknown, source: CallSource<S>) {
    this.kind = kind
    this.name = name
    this.input = input
    this.#source = source
  }

  get session(): S {
    return this.#source.session
  }

  get signal(): AbortSignal {
    return this.#source.signal
  }
}

export class MiddlewareList<S> {
  readonly #common: Middleware<S>[] = []
  /** Chain of the requests of topics, which have no middleware of their own. */
  #topicChain: Chain<S> = chainOf([])
  #isSealed = false

  /** True if any call of any name passes through middleware. */
  get isUsed(): boolean {
    return this.#common.length > 0
  }

  /** Adds middleware for all calls, inside the earlier ones. @throws TypeError after `seal`, and for no function. */
  add(middleware: Middleware<S>): void {
    if (this.#isSealed)
      throw new TypeError("use() comes too late: call it before listen(), attach() and the first connection")
    assertFunctions("use()", [middleware])
    this.#common.push(middleware)
    this.#topicChain = chainOf(this.#common)
  }

  /** Called at the first connection: later connections must not see other middleware. */
  seal(): void {
    this.#isSealed = true
  }

  /** Returns the handler behind all middleware, or the handler itself if there is none. */
  around<Context extends CallSource<S> & { readonly input: unknown }>(
    { kind, name, use }: Wrapped<S>,
    handler: (context: Context) => unknown,
  ): (context: Context) => unknown {
    if (!this.isUsed && use.length === 0) return handler
    const chain = chainOf([...this.#common, ...use])
    return (context) => chain(new Call(kind, name, context.input, context), () => handler(context))
  }

  /** Runs a request of a topic behind the middleware. @throws HawserError `forbidden` if a middleware returned without `next()`. */
  async topic<R>(
    call: Pick<MiddlewareCall<S>, "kind" | "name" | "input"> & { readonly source: CallSource<S> },
    last: () => Promise<R>,
  ): Promise<R> {
    const { kind, name, input, source } = call
    const ran: { result?: Promise<R> } = {}
    await this.#topicChain(new Call(kind, name, input, source), () => (ran.result = last()))
    if (ran.result !== undefined) return ran.result
    throw new HawserError("forbidden", { message: `middleware refused the ${kind} of "${name}"` })
  }
}

/** A call with the middleware of its own. */
interface Wrapped<S> {
  readonly kind: MiddlewareKind
  readonly name: string
  readonly use: readonly Middleware<S>[]
}

/** @throws TypeError for a list with a member that is no function. */
export function assertFunctions(where: string, list: unknown): void {
  if (!Array.isArray(list))
    throw new TypeError(`${where} must be a list of functions (call, next) => result, not ${quoted(list)}`)
  const members: readonly unknown[] = list
  for (const one of members)
    if (typeof one !== "function")
      throw new TypeError(`${where} takes functions (call, next) => result, not ${typeof one}`)
}

function chainOf<S>(list: readonly Middleware<S>[]): Chain<S> {
  const end: Chain<S> = (_call, last) => last()
  return list.reduceRight<Chain<S>>(
    (inner, middleware) => (call, last) => through(middleware, call, () => inner(call, last)),
    end,
  )
}

/** Runs one middleware. Its `next` works once, and only until its result is known: a refused call must not run afterwards. */
function through<S>(middleware: Middleware<S>, call: MiddlewareCall<S>, work: () => unknown): unknown {
  let fault: string | undefined
  let hasWaited = false
  const next = (): unknown => {
    if (fault !== undefined) throw new Error(`middleware of the ${call.kind} "${call.name}" called ${fault}`)
    fault = "next() twice"
    // The caller may have an answer already, and later requests may have started.
    if (hasWaited) call.signal.throwIfAborted()
    const result = work()
    // A middleware that drops the promise must not end the process by an unhandled rejection.
    if (result instanceof Promise) result.catch(() => {})
    return result
  }
  const end = (): void => void (fault ??= "next() after its end")
  try {
    const result = middleware(call, next)
    hasWaited = result instanceof Promise
    if (result instanceof Promise && fault === undefined) result.then(end, end)
    else end()
    return result
  } catch (error) {
    end()
    throw error
  }
}
