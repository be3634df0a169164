// Queues and runs the requests of one session. They start in order, `concurrency` at a time. Each is settled exactly once: by its
// handler, by its caller's cancel, by its deadline plus grace period, or by the session's end. A waiting request that is cancelled,
// or whose time limit has passed, is settled without a start.
import { HawserError } from "@hawser/protocol"
import { streamWindowMax, turnNow } from "@hawser/protocol/core"
import type { Reference, RequestFrame } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import { LazyAbort } from "./lazy-abort.ts"
import type { StartSchedule, Starting } from "./start-schedule.ts"
import { wireError } from "./wire-error.ts"
import type { Job, Outcome } from "./job.ts"

interface RunningJob extends Job {
  /** Credit of a stream's reader before the start, in items. */
  credit: number
  settled: boolean
  cancelTimer: () => void
}

/** Dependencies of all `RequestQueue`s of a server. */
export interface RequestQueueHost extends Pick<Base, "limits" | "timers" | "clock" | "onError"> {
  readonly starts: StartSchedule
}

/** Session of a `RequestQueue`. */
export interface RequestQueueOwner {
  /** False while the send buffer is full: no request starts until `onRoom` or `start` is called. */
  readonly mayStart: boolean
  /** Runs a request. Must not throw or reject; a rejection goes to `onError`, and the request fails with `sys_internal_error`. */
  run(job: Job): Outcome | Promise<Outcome>
  /** Called exactly once for each request, unless the session ended first. */
  settle(job: Job, outcome: Outcome): void
  /** Called when the queue falls below `inboxHighWater`, and when it becomes empty. */
  onSpace(): void
}

/** Shared by all requests without a timer: most handlers return at once. */
function noTimer(): void {}

/** Shared by all queues without a running request. */
const none: readonly RunningJob[] = []

export class RequestQueue implements Starting {
  readonly #host: RequestQueueHost
  readonly #owner: RequestQueueOwner
  /** Waiting requests, oldest first. Undefined while empty, as in most sessions. */
  #waiting: RunningJob[] | undefined
  /** Running requests, at most `concurrency`. */
  #running = none
  #ended = false
  #pumping = false
  /** True while a call of `start` is scheduled. */
  #startsSoon = false

  constructor(host: RequestQueueHost, owner: RequestQueueOwner) {
    this.#host = host
    this.#owner = owner
  }

  /** Number of waiting and running requests. */
  get size(): number {
    return this.#waitingCount + this.#running.length
  }

  /** True at the high-water mark, `inboxHighWater` waiting requests. */
  get isFull(): boolean {
    return this.#waitingCount >= this.#host.limits.inboxHighWater
  }

  get #waitingCount(): number {
    return this.#waiting?.length ?? 0
  }

  /** True while a request with this reference waits or runs. */
  has(reference: Reference): boolean {
    return this.#find(reference) !== undefined
  }

  /** Adds a request. @param arrivedAtMs time of its arrival; default now. */
  push(frame: RequestFrame, count: number, arrivedAtMs = turnNow(this.#host.clock)): void {
    const job = newJob(frame, count, arrivedAtMs)
    if (this.#waiting === undefined) this.#waiting = [job]
    else this.#waiting.push(job)
    // A request without a number cannot be cancelled, so its start need not wait.
    if (count === 0) this.#pump()
    else this.#startSoon()
  }

  /** Starts requests now. Called by the schedule, and by an owner that cannot wait for it. */
  start(): void {
    this.#startsSoon = false
    this.#pump()
  }

  /** Starts requests after the send buffer has drained. A scheduled start is left to the schedule: a CANCEL may follow in the same read. */
  onRoom(): void {
    if (!this.#startsSoon) this.#pump()
  }

  #startSoon(): void {
    if (this.#startsSoon || this.#pumping || !this.#hasSlot) return
    this.#startsSoon = true
    this.#host.starts.add(this)
  }

  /** Settles a request as `cancelled` whose CANCEL arrived first. */
  refuse(frame: RequestFrame, count: number): void {
    if (this.#ended) return
    this.#settle(newJob(frame, count, turnNow(this.#host.clock)), failure(new HawserError("cancelled")))
  }

  /** Adds credit to a stream that has not started. Bound: `streamWindowMax` items. */
  credit(reference: Reference, items: number): void {
    const job = this.#find(reference)
    if (job !== undefined) job.credit = Math.min(job.credit + items, streamWindowMax)
  }

  /** Cancels a request. A waiting one is settled at once; a running one is aborted, and its handler settles it. */
  cancel(reference: Reference): void {
    const job = this.#find(reference)
    if (job === undefined) return
    if (this.#running.includes(job)) {
      // A second CANCEL must not restart the grace period.
      if (!job.abort.aborted) this.#abort(job, new HawserError("cancelled"))
      return
    }
    const wasFull = this.isFull
    this.#waiting = this.#waiting?.filter((other) => other !== job)
    this.#settle(job, failure(new HawserError("cancelled")))
    if (wasFull && !this.#ended) this.#owner.onSpace()
  }

  /** Aborts all requests at the session's end, and settles none. */
  end(reason: HawserError): void {
    if (this.#ended) return
    this.#ended = true
    for (const job of [...this.#running, ...(this.#waiting ?? [])]) {
      job.settled = true
      job.cancelTimer()
      job.abort.abort(reason)
    }
    this.#running = none
    this.#waiting = undefined
  }

  #find(reference: Reference): RunningJob | undefined {
    for (const job of this.#running) if (job.frame.reference === reference) return job
    return this.#waiting?.find((job) => job.frame.reference === reference)
  }

  get #hasSlot(): boolean {
    return this.#running.length < this.#host.limits.concurrency
  }

  #pump(): void {
    // A synchronous handler settles inside `#start`, which calls this method again. The loop continues instead of the recursion.
    if (this.#pumping) return
    this.#pumping = true
    const wasFull = this.isFull
    while (!this.#ended && this.#hasSlot && this.#waitingCount > 0 && this.#owner.mayStart) {
      const job = this.#waiting?.shift()
      if (job === undefined) break
      if (this.#waitingCount === 0) this.#waiting = undefined
      const { budgetMs } = job.frame
      if (budgetMs > 0 && this.#waitedMs(job) >= budgetMs) this.#settle(job, failure(tooLate(budgetMs)))
      else this.#start(job)
    }
    this.#pumping = false
    if (this.#ended) return
    if (wasFull || this.size === 0) this.#owner.onSpace()
  }

  #start(job: RunningJob): void {
    this.#running = this.#running.length === 0 ? [job] : [...this.#running, job]
    const outcome = this.#owner.run(job)
    if (outcome instanceof Promise) {
      // A message that the handler sent before its first await may have ended the session.
      if (!job.settled) this.#armDeadline(job)
      outcome.then(
        (late) => this.#finish(job, late),
        (error: unknown) => this.#fail(job, error),
      )
    } else {
      this.#finish(job, outcome)
    }
  }

  #waitedMs({ arrivedAtMs }: RunningJob): number {
    return turnNow(this.#host.clock) - arrivedAtMs
  }

  #armDeadline(job: RunningJob): void {
    const { limits, timers } = this.#host
    const { budgetMs } = job.frame
    const timeoutMs =
      budgetMs > 0
        ? Math.min(budgetMs - this.#waitedMs(job), limits.requestTimeoutMaxMs)
        : limits.requestTimeoutMs
    job.cancelTimer = timers.after(timeoutMs, () => {
      this.#abort(
        job,
        new HawserError("timeout", {
          message: `the handler has not settled within its deadline of ${Math.round(timeoutMs)} ms`,
        }),
      )
    })
  }

  #abort(job: RunningJob, reason: HawserError): void {
    const { limits, timers } = this.#host
    job.cancelTimer()
    // Without the grace period's end a handler that ignores its signal would block the session.
    job.cancelTimer = timers.after(limits.handlerGraceMs, () =>
      this.#finish(job, failure(new HawserError("timeout"))),
    )
    job.abort.abort(reason)
  }

  #finish(job: RunningJob, outcome: Outcome): void {
    if (job.settled) return
    this.#running = this.#running.length === 1 ? none : this.#running.filter((other) => other !== job)
    this.#settle(job, outcome)
    this.#pump()
  }

  /** Settles a request whose `run` rejected, which is a fault of the server. */
  #fail(job: RunningJob, error: unknown): void {
    this.#host.onError(error)
    this.#finish(job, failure(new HawserError("sys_internal_error")))
  }

  #settle(job: RunningJob, outcome: Outcome): void {
    job.settled = true
    job.cancelTimer()
    this.#owner.settle(job, outcome)
  }
}

function newJob(frame: RequestFrame, count: number, arrivedAtMs: number): RunningJob {
  return {
    frame,
    count,
    abort: new LazyAbort(),
    afterReply: undefined,
    arrivedAtMs,
    name: frame.type,
    failure: undefined,
    credit: 0,
    settled: false,
    cancelTimer: noTimer,
  }
}

function tooLate(budgetMs: number): HawserError {
  const message = `the request waited in the server's queue for its whole time limit of ${budgetMs} ms and was not started`
  return new HawserError("timeout", { message })
}

/** Returns the outcome of a request that failed with this error. */
export function failure(error: HawserError): Outcome {
  return { ok: false, error: wireError(error) }
}
