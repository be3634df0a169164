// From a decoded request to its outcome: name → translation → validation → rate limit of the type → handler.
// Never throws and never rejects: whatever goes wrong becomes an error outcome.
import { describeIssues, HawserError, validate } from "@hawser/protocol"
import type { CallEntry, Clock, RateLimiter, RequestFrame, Validated, WireError } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { Translator20 } from "../profile20.ts"
import type { Session } from "../session/session.ts"
import { failure, wireError } from "./request-queue.ts"
import type { Job, Outcome } from "./request-queue.ts"

/** What a handler receives. */
export interface HandlerContext<Input, S> {
  readonly input: Input
  readonly session: S
  /** Aborts on the caller's cancel, on the deadline and at the session's end; never on the mere loss of a connection. */
  readonly signal: AbortSignal
  /** Runs `fn` right after the reply was sent; what handlers publish themselves goes out before it. */
  readonly afterReply: (fn: () => void) => void
}

export type AnyHandler<S> = (context: HandlerContext<unknown, S>) => unknown

export interface CallRouterOptions<User extends AuthenticatedUser> {
  readonly calls: ReadonlyMap<string, CallEntry>
  readonly handlers: ReadonlyMap<string, AnyHandler<Session<User>>>
  readonly limiter: RateLimiter
  readonly clock: Clock
  readonly translator20: Translator20<User>
  readonly onError: (error: unknown) => void
}

/** Who asks, and how. */
export interface Caller<User extends AuthenticatedUser> {
  readonly session: Session<User>
  readonly speaks20: boolean
}

export class CallRouter<User extends AuthenticatedUser> {
  readonly #options: CallRouterOptions<User>

  constructor(options: CallRouterOptions<User>) {
    this.#options = options
  }

  execute(caller: Caller<User>, job: Job): Outcome | Promise<Outcome> {
    try {
      const outcome = this.#execute(caller, job)
      if (!(outcome instanceof Promise)) return outcome
      return outcome.catch((error: unknown) => this.#failed(caller, job.frame, error))
    } catch (error) {
      return this.#failed(caller, job.frame, error)
    }
  }

  #execute(caller: Caller<User>, job: Job): Outcome | Promise<Outcome> {
    const { calls, handlers, translator20 } = this.#options
    const { frame } = job
    const { name, input } = caller.speaks20
      ? translator20.request(frame.type, frame.payload)
      : { name: frame.type, input: frame.payload }
    const entry = calls.get(name)
    const handler = handlers.get(name)
    if (
      entry === undefined ||
      handler === undefined ||
      (frame.call !== undefined && frame.call !== entry.call)
    ) {
      throw new HawserError("sys_invalid_message", {
        message: `unknown request ${JSON.stringify(frame.type)}`,
      })
    }
    const validated = validate(entry.spec.input, input)
    return validated instanceof Promise
      ? validated.then((late) => this.#call(caller, job, { name, entry, handler, validated: late }))
      : this.#call(caller, job, { name, entry, handler, validated })
  }

  #call(
    caller: Caller<User>,
    job: Job,
    call: {
      name: string
      entry: CallEntry
      handler: AnyHandler<Session<User>>
      validated: Validated<unknown>
    },
  ): Outcome | Promise<Outcome> {
    const { name, entry, handler, validated } = call
    if (!validated.ok) {
      const message = `input of "${name}": ${describeIssues(validated.issues)}`
      throw new HawserError("invalid_input", { message, details: { issues: validated.issues } })
    }
    this.#charge(caller.session.user.id, name, entry)
    const result = handler({
      input: validated.value,
      session: caller.session,
      signal: job.controller.signal,
      afterReply: (fn) => void job.afterReply.push(fn),
    })
    return result instanceof Promise
      ? result.then((output: unknown) => this.#succeeded(caller, name, output))
      : this.#succeeded(caller, name, result)
  }

  /** The bucket of a type is charged after validation: a malformed request uses up no slot. */
  #charge(userId: string, name: string, entry: CallEntry): void {
    const { limiter, clock } = this.#options
    if (entry.spec.limit === undefined) return
    const waitMs = limiter.take(`${userId}\n${name}`, entry.spec.limit, clock.now())
    if (waitMs === 0) return
    const message = `"${name}" is limited; try again in ${waitMs} ms`
    throw new HawserError("rate_limited", { message, retryAfterMs: waitMs })
  }

  #succeeded(caller: Caller<User>, name: string, output: unknown): Outcome {
    const payload = caller.speaks20 ? this.#options.translator20.reply(name, output, caller.session) : output
    return { ok: true, payload }
  }

  #failed(caller: Caller<User>, frame: RequestFrame, error: unknown): Outcome {
    const known = HawserError.is(error)
    if (!known) {
      const cause = new Error(
        `handler of "${frame.type}" for user ${JSON.stringify(caller.session.user.id)} failed`,
        {
          cause: error,
        },
      )
      this.#options.onError(cause)
    }
    const outcome = failure(known ? error : new HawserError("sys_internal_error"))
    if (outcome.ok || !caller.speaks20) return outcome
    return { ok: false, error: this.#translate(outcome.error, frame.type) }
  }

  #translate(error: WireError, name: string): WireError {
    try {
      return this.#options.translator20.error(error, name)
    } catch (fault) {
      this.#options.onError(fault)
      return wireError(new HawserError("sys_internal_error"))
    }
  }
}
