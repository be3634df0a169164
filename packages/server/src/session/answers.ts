// What a session owes its client: requests that wait or run, streams that flow, and the one reply or end of each.
// Knows no connections: what it sends goes through the session.
import { HawserError, quoted } from "@hawser/protocol"
import type { Codec, Reference, ReplyFrame, RequestFrame } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import { CallBuckets } from "../calls/call-buckets.ts"
import type { Caller } from "../calls/call-router.ts"
import { ReplyStreams } from "../calls/reply-streams.ts"
import { callReporting } from "../hooks.ts"
import { RequestQueue, failure, wireError } from "../calls/request-queue.ts"
import type { Job, Outcome } from "../calls/request-queue.ts"
import type { SessionHost } from "./session-host.ts"
import type { Session } from "./session.ts"

export interface AnswersOptions<User extends AuthenticatedUser> {
  readonly session: Session<User>
  readonly codec: Codec
  /** Whether the session could keep so many bytes more. */
  readonly hasRoom: (bytes: number) => boolean
  readonly send: (bytes: Uint8Array) => void
  /** The message of this number needs nothing more; in the same turn as its reply. */
  readonly onSettled: (count: number) => void
  /** There is room for requests again. */
  readonly onSpace: () => void
}

export class Answers<User extends AuthenticatedUser> {
  readonly #host: SessionHost<User>
  readonly #options: AnswersOptions<User>
  readonly #requests: RequestQueue
  readonly #caller: Caller<User>
  /** Undefined until the first stream: most sessions never have any. */
  #streams: ReplyStreams | undefined
  #idleWaiters: (() => void)[] = []
  #ended = false

  constructor(host: SessionHost<User>, options: AnswersOptions<User>) {
    const { limits, clock, timers, limiter } = host
    const { session, codec } = options
    this.#host = host
    this.#options = options
    this.#caller = {
      session,
      speaks20: codec.profile === "2.0",
      buckets: new CallBuckets(limiter, session.user.id),
    }
    this.#requests = new RequestQueue({
      limits,
      clock,
      timers,
      run: (job) => this.#run(job),
      settle: (job, outcome) => this.#settle(job, outcome),
      onSpace: () => this.#onSpace(),
    })
  }

  get isFull(): boolean {
    return this.#requests.isFull
  }

  /** True while a request with this reference waits or runs. */
  has(reference: Reference): boolean {
    return this.#requests.has(reference)
  }

  push(frame: RequestFrame, count: number): void {
    this.#requests.push(frame, count)
  }

  cancel(reference: Reference): void {
    this.#requests.cancel(reference)
    this.#streams?.cancel(reference)
  }

  /** The reader of a stream takes more; of one that has not started yet, once it does. */
  credit(reference: Reference, items: number): void {
    if (this.#streams?.credit(reference, items) !== true) this.#requests.credit(reference, items)
  }

  /** There may be room for items again. */
  pump(): void {
    this.#streams?.pump()
  }

  /** Resolves when no request waits or runs, or the session has ended. */
  idle(): Promise<void> {
    if (this.#ended || this.#requests.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Aborts everything; nothing is answered any more. */
  end(reason: HawserError): void {
    this.#ended = true
    this.#host.counters.requestsAbandoned += this.#requests.size
    this.#requests.end(reason)
    this.#streams?.end(reason)
    this.#caller.buckets.release()
    this.#becomeIdle()
  }

  #run(job: Job): Outcome | Promise<Outcome> {
    const refusal = this.#isStream(job) ? this.#streams?.refusal : undefined
    if (refusal !== undefined) return failure(refusal)
    return this.#host.router.execute(this.#caller, job)
  }

  #openStreams(): ReplyStreams {
    const { codec, hasRoom, send } = this.#options
    const { limits, onError } = this.#host
    this.#streams ??= new ReplyStreams({
      limits,
      hasRoom,
      encode: (frame) => codec.encode(frame),
      send,
      onError,
    })
    return this.#streams
  }

  #isStream(job: Job): boolean {
    return this.#options.codec.counts && this.#host.router.isStream(job.frame.type)
  }

  /** One synchronous block: the reply, the count, then what was to follow the reply. */
  #settle(job: Job, outcome: Outcome): void {
    const { counters, health, clock, onError } = this.#host
    counters.requestsSettled += 1
    if (!outcome.ok) counters.requestsFailed += 1
    const failed = outcome.ok ? undefined : (job.failure ?? outcome.error.code)
    health.callStats.answered(job.name, clock.now() - job.arrivedAtMs, failed)
    this.#reply(job, outcome)
    this.#options.onSettled(job.count)
    if (job.afterReply === undefined) return
    for (const follow of job.afterReply) callReporting(follow, onError)
  }

  #reply(job: Job, outcome: Outcome): void {
    if ("items" in outcome) {
      this.#openStreams().start(job, outcome.items)
      return
    }
    if (!outcome.ok && this.#isStream(job)) {
      this.#openStreams().refuse(job, outcome.error)
      return
    }
    const { reference, type, call } = job.frame
    const frame: ReplyFrame =
      call === undefined
        ? { kind: "reply", reference, type, outcome }
        : { kind: "reply", reference, type, outcome, call }
    this.#options.send(this.#encode(frame))
  }

  /** A result that cannot be encoded is its handler's mistake: not the caller's, and not the connection's end. */
  #encode(frame: ReplyFrame): Uint8Array {
    const { codec } = this.#options
    try {
      return codec.encode(frame)
    } catch (cause) {
      this.#host.onError(new Error(`the reply of ${quoted(frame.type ?? "")} cannot be encoded`, { cause }))
      const error = wireError(new HawserError("sys_internal_error"))
      return codec.encode({ ...frame, outcome: { ok: false, error } })
    }
  }

  #onSpace(): void {
    if (this.#requests.size === 0) this.#becomeIdle()
    this.#options.onSpace()
  }

  #becomeIdle(): void {
    if (this.#idleWaiters.length === 0) return
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const resolve of waiters) resolve()
  }
}
