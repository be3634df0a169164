// The requests of one session that wait or run. They start in order, `concurrency` at a time, and each is settled
// exactly once: by its handler, by its caller's cancel, by its deadline plus grace, or by the session's end.
// A request whose caller has given it up, or whose budget is over, is settled without a start.
import { HawserError } from "@hawser/protocol"
import { streamWindowMax, turnNow } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { Reference, RequestFrame, TimerQueue } from "@hawser/protocol/core"
import { LazyAbort } from "./lazy-abort.ts"
import type { StartSchedule, Starting } from "./start-schedule.ts"
import { wireError } from "./told-error.ts"
import type { Job, Outcome } from "./job.ts"

interface RunningJob extends Job {
  credit: number
  settled: boolean
  cancelTimer: () => void
}

export interface RequestQueueHost {
  readonly limits: ServerLimits
  readonly timers: TimerQueue
  readonly clock: Clock
  readonly starts: StartSchedule
  readonly onError: (error: unknown) => void
}

export interface RequestQueueOwner {
  /** False while there is no room for a reply: nothing starts until `start` is called again. */
  readonly mayStart: boolean
  /** Must not throw and must not reject; a rejection is reported, and the request fails. */
  run(job: Job): Outcome | Promise<Outcome>
  /** Called exactly once per job unless the session ended first. */
  settle(job: Job, outcome: Outcome): void
  /** Called when the queue has room again after it was full, and when it becomes empty. */
  onSpace(): void
}

/** One for all: most requests are answered before a deadline is due. */
function noTimer(): void {}

/** Of all queues in which no request runs. */
const none: readonly RunningJob[] = []

export class RequestQueue implements Starting {
  readonly #host: RequestQueueHost
  readonly #owner: RequestQueueOwner
  /** Undefined while none waits: most of the time that is so in most sessions. */
  #waiting: RunningJob[] | undefined
  /** As few as `concurrency` allows. */
  #running = none
  #ended = false
  #pumping = false
  /** True while the schedule is to call `start`. */
  #startsSoon = false

  constructor(host: RequestQueueHost, owner: RequestQueueOwner) {
    this.#host = host
    this.#owner = owner
  }

  get size(): number {
    return this.#waitingCount + this.#running.length
  }

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

  /** @param arrivedAtMs when the request came, if it was held before. */
  push(frame: RequestFrame, count: number, arrivedAtMs = turnNow(this.#host.clock)): void {
    const job = newJob(frame, count, arrivedAtMs)
    if (this.#waiting === undefined) this.#waiting = [job]
    else this.#waiting.push(job)
    // A request without a number cannot be cancelled.
    if (count === 0) this.#pump()
    else this.#startSoon()
  }

  /** Starts what may start: the schedule calls, or there is no time to wait for it. */
  start(): void {
    this.#startsSoon = false
    this.#pump()
  }

  /** There is room again. What the schedule is to start waits for it: a CANCEL may follow in the same read. */
  onRoom(): void {
    if (!this.#startsSoon) this.#pump()
  }

  #startSoon(): void {
    if (this.#startsSoon || this.#pumping || !this.#hasPlace) return
    this.#startsSoon = true
    this.#host.starts.add(this)
  }

  /** Settles a request that was cancelled before it came. */
  refuse(frame: RequestFrame, count: number): void {
    if (this.#ended) return
    this.#settle(newJob(frame, count, turnNow(this.#host.clock)), failure(new HawserError("cancelled")))
  }

  /** The reader of a stream that has not started takes items already. */
  credit(reference: Reference, items: number): void {
    const job = this.#find(reference)
    if (job !== undefined) job.credit = Math.min(job.credit + items, streamWindowMax)
  }

  /** The caller no longer wants the reply. What already runs sees its signal abort and is settled by its handler. */
  cancel(reference: Reference): void {
    const job = this.#find(reference)
    if (job === undefined) return
    if (this.#running.includes(job)) {
      // Its grace is running already, and must not start over.
      if (!job.abort.aborted) this.#abort(job, new HawserError("cancelled"))
      return
    }
    const wasFull = this.isFull
    this.#waiting = this.#waiting?.filter((other) => other !== job)
    this.#settle(job, failure(new HawserError("cancelled")))
    if (wasFull && !this.#ended) this.#owner.onSpace()
  }

  /** Aborts everything; nothing is settled any more. */
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

  get #hasPlace(): boolean {
    return this.#running.length < this.#host.limits.concurrency
  }

  #pump(): void {
    // A handler that answers at once settles inside `#start`; the loop, not the recursion, goes on.
    if (this.#pumping) return
    this.#pumping = true
    const wasFull = this.isFull
    while (!this.#ended && this.#hasPlace && this.#waitingCount > 0 && this.#owner.mayStart) {
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
      // What the handler sent before its first await may have ended the session.
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
        new HawserError("timeout", { message: `the handler took longer than ${Math.round(timeoutMs)} ms` }),
      )
    })
  }

  #abort(job: RunningJob, reason: HawserError): void {
    const { limits, timers } = this.#host
    job.cancelTimer()
    // A handler that ignores its signal must not hold up the session for ever.
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

  /** `run` rejects for a fault of this server only. */
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
  const message = `the request waited at the server for all of its ${budgetMs} ms and was not started`
  return new HawserError("timeout", { message })
}

export function failure(error: HawserError): Outcome {
  return { ok: false, error: wireError(error) }
}
