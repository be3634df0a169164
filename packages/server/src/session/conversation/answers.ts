// Answers the requests of one session: queued and running requests, open streams, one reply or END each.
// Must not know connections: it sends through the session.
import { HawserError } from "@hawser/protocol"
import { quoted, voidMaxCount } from "@hawser/protocol/core"
import type { Codec, Reference, ReplyFrame, RequestFrame, WireError } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import { CallBuckets } from "../../calls/call-buckets.ts"
import type { Caller } from "../../calls/call-router.ts"
import { ReplyStreams } from "../../calls/reply-streams.ts"
import { callReporting } from "../../base/hooks.ts"
import { runsMax } from "../../base/session-page.ts"
import type { SessionPage } from "../../base/session-page.ts"
import { RequestQueue, failure } from "../../calls/request-queue.ts"
import type { RequestQueueOwner } from "../../calls/request-queue.ts"
import type { Job, Lane, Outcome } from "../../calls/job.ts"
import { encodeError, resultError, wireError } from "../../calls/wire-error.ts"
import type { ConversationHost } from "./conversation-host.ts"
import type { Dialect } from "./dialect.ts"
import type { Session } from "../../base/session.ts"

/** Session of an `Answers`. */
export interface AnswersOwner<User extends AuthenticatedUser> {
  readonly session: Session<User>
  readonly dialect: Dialect<User>
  readonly codec: Codec
  readonly page: SessionPage | undefined
  /** True if the send buffer can take this many bytes; with 0, if it is below its bound. */
  hasRoom(bytes: number): boolean
  sendBytes(bytes: Uint8Array): void
  /** Settles the message of this number, in the same turn as its reply. */
  settle(count: number): void
  /** Called when the request queue is below its high-water mark. */
  onSpace(): void
}

interface Voids {
  /** Numbers of requests that were cancelled before their arrival; at most `voidMaxCount`. */
  numbers: Set<number>
  /** True after the VOID of the current connection. */
  isTaken: boolean
}

export class Answers<User extends AuthenticatedUser> implements Caller<User>, RequestQueueOwner {
  readonly #host: ConversationHost<User>
  readonly #owner: AnswersOwner<User>
  readonly #requests: RequestQueue
  /** Undefined before the first limited call: most sessions make none. */
  #buckets: CallBuckets | undefined
  /** Undefined before the first stream. */
  #streams: ReplyStreams | undefined
  /** Undefined without a call of `idle` that waits. */
  #idleWaiters: (() => void)[] | undefined
  /** Undefined before the first request that was cancelled ahead of its arrival. */
  #voids: Voids | undefined

  constructor(host: ConversationHost<User>, owner: AnswersOwner<User>) {
    this.#host = host
    this.#owner = owner
    this.#requests = new RequestQueue(host, this)
  }

  get session(): Session<User> {
    return this.#owner.session
  }

  get dialect(): Dialect<User> {
    return this.#owner.dialect
  }

  get buckets(): CallBuckets {
    this.#buckets ??= new CallBuckets(this.#host.limiter, this.session.user.id)
    if (this.#requests.ended) this.#buckets.release()
    return this.#buckets
  }

  /** True if the request queue is at its high-water mark. */
  get isFull(): boolean {
    return this.#requests.isFull
  }

  /** True while a request with this reference waits or runs. */
  has(reference: Reference): boolean {
    return this.#requests.has(reference)
  }

  /** Queues a request, or settles it as `cancelled` if VOID has named it. */
  push(frame: RequestFrame, count: number, arrivedAtMs: number): void {
    if (this.#voids?.numbers.delete(count) !== true) {
      this.#requests.push(frame, count, arrivedAtMs)
      return
    }
    this.#host.counters.requestsVoided += 1
    this.#requests.refuse(frame, count)
  }

  /**
   * Cancels these requests ahead of their CANCELs, which follow in the replay (W19): waiting and running ones now, others on
   * their arrival or when they leave the inbox. Numbers of an earlier VOID stay noted, because their requests may still be held.
   * `handled`: the settled prefix. Returns false for a second VOID of one connection: it is not taken.
   */
  void(references: readonly number[], handled: number): boolean {
    if (this.#voids?.isTaken === true) return false
    const named = references.slice(0, voidMaxCount)
    const numbers = new Set([...(this.#voids?.numbers ?? [])].filter((reference) => reference > handled))
    for (const reference of named)
      if (!this.has(reference) && reference > handled && numbers.size < voidMaxCount) numbers.add(reference)
    if (this.#requests.ended) numbers.clear()
    this.#voids = { numbers, isTaken: true }
    // Each `cancel` may release held requests at once, so all names are noted before the first.
    for (const reference of named) this.cancel(reference)
    return true
  }

  /** Notes the CANCEL of a held request, which is then not started. Above `voidMaxCount` it is started first. */
  voidHeld(reference: number): void {
    if (this.#requests.ended) return
    this.#voids ??= { numbers: new Set(), isTaken: false }
    if (this.#voids.numbers.size < voidMaxCount) this.#voids.numbers.add(reference)
  }

  /** Takes one VOID from the client's new connection. */
  resumed(): void {
    if (this.#voids !== undefined) this.#voids.isTaken = false
  }

  /** Starts waiting requests before the client's BYE ends the session. */
  start(): void {
    this.#requests.start()
  }

  cancel(reference: Reference): void {
    this.#requests.cancel(reference)
    this.#streams?.cancel(reference)
  }

  /** Adds credit to an open stream, or to the request of a stream that has not started. */
  credit(reference: Reference, items: number): void {
    if (this.#streams?.credit(reference, items) !== true) this.#requests.credit(reference, items)
  }

  /** Returns the references of streams without an END. */
  openStreams(): readonly number[] {
    return this.#streams?.openReferences() ?? []
  }

  /** Returns the numbers of requests whose handlers run. */
  running(): readonly number[] {
    return this.#requests.running()
  }

  /** Continues requests and streams after the send buffer has drained. */
  pump(): void {
    this.#requests.onRoom()
    this.#streams?.pump()
  }

  get mayStart(): boolean {
    return this.#owner.hasRoom(0)
  }

  /** Resolves when no request waits or runs, and at the session's end. */
  idle(): Promise<void> {
    if (this.#requests.ended || this.#requests.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idleWaiters ??= []
      this.#idleWaiters.push(resolve)
    })
  }

  /** Aborts all requests and streams at the session's end, and sends nothing. */
  end(reason: HawserError): void {
    this.#voids?.numbers.clear()
    this.#host.counters.requestsAbandoned += this.#requests.size
    this.#requests.end(reason)
    this.#streams?.end(reason)
    this.#buckets?.release()
    this.#becomeIdle()
  }

  /** A profile that does not count its messages has one lane for all requests. */
  laneOf({ type }: RequestFrame): Lane {
    return this.dialect.counts ? this.#host.handlers.laneOf(type) : "ordered"
  }

  onLaneHeld({ name }: Job, heldMs: number, waitingCount: number): void {
    this.#host.laneWarnings.held({ name, heldMs, waitingCount })
  }

  onRunning({ count }: Job): void {
    if (count > 0) this.#owner.page?.started(count)
  }

  run(job: Job): Outcome | Promise<Outcome> {
    const refusal = this.#isStream(job) ? this.#streams?.refusal : undefined
    if (refusal !== undefined) return failure(refusal)
    const again = this.#owner.page?.rerun(job.count)
    return again === undefined ? this.#host.router.execute(this, job) : this.#runAgain(job, again)
  }

  isRerun({ count }: Job): boolean {
    return this.#owner.page?.isRerun(count) === true
  }

  /** Runs a request that an earlier process may have begun, once the journal has noted that. */
  #runAgain(job: Job, noted: Promise<void> | "spent"): Outcome | Promise<Outcome> {
    if (noted === "spent") {
      const message = `the request has ended ${runsMax} server processes, or ran when they ended; it is not run again`
      return failure(new HawserError("sys_internal_error", { message }))
    }
    return noted.then(() => {
      const { aborted, reason } = job.abort
      if (!aborted) return this.#host.router.execute(this, job)
      return failure(HawserError.is(reason) ? reason : new HawserError("cancelled"))
    })
  }

  #openStreams(): ReplyStreams {
    this.#streams ??= new ReplyStreams(this.#host, this.#owner)
    return this.#streams
  }

  #isStream(job: Job): boolean {
    return this.dialect.counts && this.#host.router.isStream(job.frame.type)
  }

  /** Settles a request in one synchronous block: sends the reply, counts, runs the deferred functions. */
  settle(job: Job, outcome: Outcome): void {
    const { counters, health, clock, onError } = this.#host
    // Undefined for a stream: its start sends nothing.
    const bytes = this.#reply(job, outcome)
    counters.requestsSettled += 1
    if (!outcome.ok || job.failure !== undefined) counters.requestsFailed += 1
    const failed = outcome.ok ? job.failure : (job.failure ?? outcome.error.code)
    health.callStats.answered(job.name, clock.now() - job.arrivedAtMs, failed)
    if (bytes !== undefined) this.#owner.sendBytes(bytes)
    this.#owner.settle(job.count)
    if (job.afterReply === undefined) return
    for (const follow of job.afterReply) callReporting(follow, onError)
  }

  #reply(job: Job, outcome: Outcome): Uint8Array | undefined {
    if ("items" in outcome) {
      this.#openStreams().start(job, outcome.items, outcome.spec)
      return undefined
    }
    if (outcome.ok) return this.#encodeResult(job, outcome)
    if (this.#isStream(job)) {
      this.#openStreams().refuse(job, outcome.error)
      return undefined
    }
    return this.#encodeError(job, outcome.error)
  }

  /** Encodes a result. One that cannot be encoded is a fault of its handler: it is reported, and the reply is an error. */
  #encodeResult(job: Job, outcome: Extract<ReplyFrame["outcome"], { ok: true }>): Uint8Array {
    try {
      return this.#owner.codec.encode(replyTo(job, outcome))
    } catch (cause) {
      const error = resultError(job.name, cause)
      job.failure = error.code
      this.#host.onError(new Error(`the result of ${quoted(job.name)} cannot be sent`, { cause }))
      return this.#encodeError(job, wireError(error))
    }
  }

  #encodeError(job: Job, error: WireError): Uint8Array {
    const frame = (sent: WireError): ReplyFrame => replyTo(job, { ok: false, error: sent })
    return encodeError(this.#owner.codec, { error, frame, what: quoted(job.name) }, this.#host.onError)
  }

  onSpace(): void {
    if (this.#requests.size === 0) this.#becomeIdle()
    this.#owner.onSpace()
  }

  #becomeIdle(): void {
    const waiters = this.#idleWaiters
    if (waiters === undefined) return
    this.#idleWaiters = undefined
    for (const resolve of waiters) resolve()
  }
}

function replyTo({ frame: { reference, type, call } }: Job, outcome: ReplyFrame["outcome"]): ReplyFrame {
  return call === undefined
    ? { kind: "reply", reference, type, outcome }
    : { kind: "reply", reference, type, outcome, call }
}
