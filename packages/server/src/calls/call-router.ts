// Executes a decoded request: translation → validation → rate limit of the call → handler → validation of the result. Returns
// the outcome.
// Never throws and never rejects: an error becomes an error outcome. Faults of the server go to `onError`, and the caller gets
// `sys_internal_error`.
import { randomUUID } from "node:crypto"
import { HawserError } from "@hawser/protocol"
import {
  describeIssues,
  idempotencyKeyMaxLength,
  outgoing,
  quoted,
  turnNow,
  validate,
} from "@hawser/protocol/core"
import type { StreamSpec } from "@hawser/protocol"
import type { CallEntry, Codec, Validated, WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import { isThenable } from "../base/hooks.ts"
import type { Session } from "../base/session.ts"
import { failure } from "./request-queue.ts"
import type { Idempotency } from "./idempotency.ts"
import { isItemSource } from "./reply-streams.ts"
import type { CallBuckets } from "./call-buckets.ts"
import type { CallDialect } from "./call-dialect.ts"
import type { Job, Outcome } from "./job.ts"
import { isAnswer, resultError, wireError } from "./wire-error.ts"

/** Context of a stream's handler. */
export interface StreamContext<Input, S> {
  /** Validated input. */
  readonly input: Input
  /** Session of the caller. */
  readonly session: S
  /**
   * Aborts when the caller cancels, at the deadline, and at the session's end. The deadline of a stream is that of its start. A
   * lost connection does not abort it.
   */
  readonly signal: AbortSignal
  /**
   * Identity of the request, the same in each of its runs, also after a restart of the server, and of no other request. With an
   * idempotency key it is made of user, call and key, so a repetition in another session has it, too. For effects outside of the
   * server, which happen at least once: pass it on as their own idempotency key.
   */
  readonly messageKey: string
  /**
   * True if an earlier process of a server with a journal may have begun this request: its effects outside of the server may have
   * happened. Never false for a request that has begun before in its session. Always false without a journal.
   */
  readonly isRerun: boolean
}

/** Context of a command or query handler. */
export interface HandlerContext<Input, S> extends StreamContext<Input, S> {
  /** Defers `fn` until the reply was sent. Its result is not awaited; a throw or rejection goes to `onError`. */
  readonly afterReply: (fn: () => unknown) => void
}

/** Handler of any call, without its types. */
export type AnyHandler<S> = (context: HandlerContext<unknown, S>) => unknown

/** Dependencies of `CallRouter`. */
export interface CallRouterOptions<User extends AuthenticatedUser> extends Pick<Base, "clock" | "onError"> {
  /** Calls of the contract, by name. */
  readonly calls: ReadonlyMap<string, CallEntry>
  readonly handlers: ReadonlyMap<string, AnyHandler<Session<User>>>
  readonly idempotency: Idempotency
  /** Encodes results that `Idempotency` keeps. */
  readonly codec: Pick<Codec, "hold">
}

/** Caller of requests: one object per session. */
export interface Caller<User extends AuthenticatedUser> {
  readonly session: Session<User>
  readonly dialect: CallDialect<User>
  readonly buckets: CallBuckets
  /** True for a request that an earlier process may have begun. */
  isRerun(job: Job): boolean
}

export class CallRouter<User extends AuthenticatedUser> {
  readonly #options: CallRouterOptions<User>

  constructor(options: CallRouterOptions<User>) {
    this.#options = options
  }

  /** True for a stream of the contract. */
  isStream(name: string): boolean {
    return this.#options.calls.get(name)?.call === "stream"
  }

  /** Executes a request once, or returns the outcome of an earlier request with the same idempotency key. */
  execute(caller: Caller<User>, job: Job): Outcome | Promise<Outcome> {
    const { type, key } = job.frame
    // A stream cannot be repeated, so its key is ignored.
    if (key === undefined || this.isStream(type)) return this.#guarded(caller, job)
    if (key.length > idempotencyKeyMaxLength) return failure(tooLong(key))
    const userId = caller.session.user.id
    const id = JSON.stringify([type, key])
    return this.#options.idempotency.once({ userId, id }, () => {
      // The request may have waited for another session's attempt, and its caller may have cancelled meanwhile.
      const { aborted, reason } = job.abort
      if (!aborted) {
        const outcome = this.#guarded(caller, job)
        return outcome instanceof Promise
          ? outcome.then((late) => this.#remembered(caller, job, late))
          : this.#remembered(caller, job, outcome)
      }
      return failure(HawserError.is(reason) ? reason : new HawserError("cancelled"))
    })
  }

  /**
   * Encodes the result for later repetitions, so that later changes of the handler's object have no effect. The object itself is
   * not kept.
   */
  #remembered(caller: Caller<User>, job: Job, outcome: Outcome): Outcome {
    if (!outcome.ok || "items" in outcome || outcome.payload === undefined) return outcome
    try {
      // A reply surrounds the result by one container, the frame.
      return { ok: true, payload: this.#options.codec.hold(outcome.payload, 1).withoutValue() }
    } catch (cause) {
      return this.#unsendable(caller, job, cause)
    }
  }

  /** Reports a result that does not fit its schema or cannot be encoded. A repetition gets the same error. */
  #unsendable(caller: Caller<User>, { frame: { type } }: Job, cause: unknown): Outcome {
    this.#options.onError(new Error(`the result of ${quoted(type)} cannot be sent`, { cause }))
    const error = this.#translate(caller, wireError(resultError(type, cause)), type)
    return { ok: false, error, isExecuted: true }
  }

  #guarded(caller: Caller<User>, job: Job): Outcome | Promise<Outcome> {
    try {
      const outcome = this.#execute(caller, job)
      if (!(outcome instanceof Promise)) return outcome
      return outcome.catch((error: unknown) => this.#failed(caller, job, error))
    } catch (error) {
      return this.#failed(caller, job, error)
    }
  }

  #execute(caller: Caller<User>, job: Job): Outcome | Promise<Outcome> {
    const { calls, handlers } = this.#options
    const { frame } = job
    const { name, input } = caller.dialect.request(frame)
    job.name = name
    const entry = calls.get(name)
    const handler = handlers.get(name)
    if (
      entry === undefined ||
      handler === undefined ||
      (frame.call !== undefined && frame.call !== entry.call)
    ) {
      throw new HawserError("sys_invalid_message", {
        message: `unknown request ${quoted(frame.type)}`,
      })
    }
    if (entry.call === "stream") caller.dialect.assertServes("streams")
    const called = { entry, handler }
    const schema = entry.spec.input
    if (schema === undefined) return this.#call(caller, job, called, noInput(name, input))
    const validated = validate(schema, input)
    return validated instanceof Promise
      ? validated.then((late) => this.#call(caller, job, called, fitting(name, late)))
      : this.#call(caller, job, called, fitting(name, validated))
  }

  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  #call(
    caller: Caller<User>,
    job: Job,
    { entry, handler }: { readonly entry: CallEntry; readonly handler: AnyHandler<Session<User>> },
    input: unknown,
  ): Outcome | Promise<Outcome> {
    this.#charge(caller, job.name, entry)
    const output = handler(new CallContext(input, caller, job))
    return isThenable(output)
      ? Promise.resolve(output).then((late: unknown) => this.#succeeded(caller, job, entry, late))
      : this.#succeeded(caller, job, entry, output)
  }

  /** Charges the call's bucket. Runs after validation, so an invalid request costs no permit. */
  #charge(caller: Caller<User>, name: string, { spec }: CallEntry): void {
    if (spec.limit === undefined) return
    const waitMs = caller.buckets.take(name, spec.limit, turnNow(this.#options.clock))
    if (waitMs === 0) return
    const message = `the rate limit of "${name}" is exceeded; retry in ${waitMs} ms`
    throw new HawserError("rate_limited", { message, retryAfterMs: waitMs })
  }

  // oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
  #succeeded(
    caller: Caller<User>,
    job: Job,
    { call, spec }: CallEntry,
    output: unknown,
  ): Outcome | Promise<Outcome> {
    if (call === "stream") return started(job.name, output, spec)
    if (spec.output === undefined) return this.#replied(caller, job, undefined)
    let sent: unknown
    try {
      sent = outgoing(spec.output, output, spec.trustOutput)
    } catch (cause) {
      return this.#unsendable(caller, job, cause)
    }
    if (!(sent instanceof Promise)) return this.#replied(caller, job, sent)
    return sent.then(
      (late: unknown) => this.#replied(caller, job, late),
      (cause: unknown) => this.#unsendable(caller, job, cause),
    )
  }

  #replied({ dialect, session }: Caller<User>, { name }: Job, output: unknown): Outcome {
    return { ok: true, payload: dialect.reply(name, output, session) }
  }

  #failed(caller: Caller<User>, job: Job, error: unknown): Outcome {
    const { type } = job.frame
    const known = isAnswer(error)
    if (!known) {
      const user = quoted(caller.session.user.id)
      this.#options.onError(new Error(`handler of ${quoted(type)} for user ${user} failed`, { cause: error }))
    }
    const answer = wireError(known ? error : new HawserError("sys_internal_error"))
    job.failure = answer.code
    return { ok: false, error: this.#translate(caller, answer, type) }
  }

  #translate({ dialect }: Caller<User>, error: WireError, type: string): WireError {
    try {
      return dialect.error(error, type)
    } catch (fault) {
      this.#options.onError(fault)
      return wireError(new HawserError("sys_internal_error"))
    }
  }
}

/** Creates the signal and the list of deferred functions on first use: most handlers use neither. */
class CallContext<User extends AuthenticatedUser> implements HandlerContext<unknown, Session<User>> {
  readonly input: unknown
  readonly #caller: Caller<User>
  readonly #job: Job
  /** Identity of a request without a number and a key, made on first use. */
  #ownKey: string | undefined

  constructor(input: unknown, caller: Caller<User>, job: Job) {
    this.input = input
    this.#caller = caller
    this.#job = job
  }

  get session(): Session<User> {
    return this.#caller.session
  }

  get signal(): AbortSignal {
    return this.#job.abort.signal
  }

  get messageKey(): string {
    const { name, count, frame } = this.#job
    const { session } = this.#caller
    if (frame.key !== undefined) return JSON.stringify([session.user.id, name, frame.key])
    if (count > 0) return `${session.id}/${count}`
    // A profile that does not count its messages repeats none.
    this.#ownKey ??= `${session.id}/${randomUUID()}`
    return this.#ownKey
  }

  get isRerun(): boolean {
    return this.#caller.isRerun(this.#job)
  }

  get afterReply(): (fn: () => unknown) => void {
    const job = this.#job
    return (fn) => {
      job.afterReply ??= []
      job.afterReply.push(fn)
    }
  }
}

function started(name: string, items: unknown, spec: StreamSpec): Outcome {
  if (!isItemSource(items)) throw new TypeError(`the handler of "${name}" returned no iterable`)
  return { ok: true, items, spec }
}

/** Returns a validated input. @throws HawserError `invalid_input` */
function fitting(name: string, validated: Validated<unknown>): unknown {
  if (validated.ok) return validated.value
  const { issues } = validated
  const message = `input of "${name}": ${describeIssues(issues)}`
  throw new HawserError("invalid_input", { message, details: { issues } })
}

/** @throws HawserError `invalid_input` for an input of a call that has none. */
function noInput(name: string, input: unknown): undefined {
  if (input === undefined) return undefined
  throw new HawserError("invalid_input", { message: `"${name}" takes no input; send none` })
}

function tooLong(key: string): HawserError {
  const message = `an idempotency key has at most ${idempotencyKeyMaxLength} characters, not ${key.length}`
  return new HawserError("invalid_input", { message })
}
