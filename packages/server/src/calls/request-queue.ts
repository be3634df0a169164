// Queues and runs the requests of one session, in two rows. The ordered lane runs one request at a time, in order. Beside it run
// queries and streams, `queriesAtOnce` at a time: each starts after the requests of the lane that were sent before it, and delays
// none of them. Each request is settled exactly once: by its handler, by its caller's cancel, by its deadline plus grace period,
// or by the session's end. A waiting request that is cancelled, or whose time limit has passed, is settled without a start.
import { HawserError } from "@hawser/protocol"
import { streamWindowMax, turnNow } from "@hawser/protocol/core"
import type { Reference, RequestFrame } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import { LazyAbort } from "./lazy-abort.ts"
import type { StartSchedule, Starting } from "./start-schedule.ts"
import { wireError } from "./wire-error.ts"
import type { Job, Lane, Outcome } from "./job.ts"

/** Time in the ordered lane after which `onLaneHeld` is called, in milliseconds. */
const heldLaneMs = 1_000

interface RunningJob extends Job {
  readonly lane: Lane
  /** Start of a handler that returned a promise; undefined before, and for other handlers. */
  startedAtMs: number | undefined
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
  /** Returns the lane of a request on its arrival. */
  laneOf(frame: RequestFrame): Lane
  /** Runs a request. Must not throw or reject; a rejection goes to `onError`, and the request fails with `sys_internal_error`. */
  run(job: Job): Outcome | Promise<Outcome>
  /** Called exactly once for each request, unless the session ended first. */
  settle(job: Job, outcome: Outcome): void
  /** Called when a request held the ordered lane for more than a second, and `waitingCount` requests wait. */
  onLaneHeld(job: Job, heldMs: number, waitingCount: number): void
  /** Called when the queue falls below `inboxHighWater`, and when it becomes empty. */
  onSpace(): void
}

/** Shared by all requests without a timer: most handlers return at once. */
function noTimer(): void {}

/** Shared by all queues without a running request beside the lane. */
const none: readonly RunningJob[] = []

/** `due`: a call of `start` is scheduled. `pumping`: requests are being started. One field, because most sessions are idle. */
type Phase = "idle" | "due" | "pumping" | "ended"

export class RequestQueue implements Starting {
  readonly #host: RequestQueueHost
  readonly #owner: RequestQueueOwner
  /** Waiting requests of the ordered lane, oldest first. Undefined while empty, as in most sessions. */
  #ordered: RunningJob[] | undefined
  /** Running request of the ordered lane. */
  #inLane: RunningJob | undefined
  /** Waiting requests beside the lane, oldest first. Undefined while empty. */
  #beside: RunningJob[] | undefined
  /** Running requests beside the lane, at most `queriesAtOnce`. */
  #runningBeside = none
  #phase: Phase = "idle"

  constructor(host: RequestQueueHost, owner: RequestQueueOwner) {
    this.#host = host
    this.#owner = owner
  }

  get ended(): boolean {
    return this.#phase === "ended"
  }

  /** Number of waiting and running requests. */
  get size(): number {
    return this.#waitingCount + (this.#inLane === undefined ? 0 : 1) + this.#runningBeside.length
  }

  /** True at the high-water mark, `inboxHighWater` waiting requests. */
  get isFull(): boolean {
    return this.#waitingCount >= this.#host.limits.inboxHighWater
  }

  get #waitingCount(): number {
    return (this.#ordered?.length ?? 0) + (this.#beside?.length ?? 0)
  }

  /** True while a request with this reference waits or runs. */
  has(reference: Reference): boolean {
    return this.#find(reference) !== undefined
  }

  /** Adds a request. @param arrivedAtMs time of its arrival; default now. */
  push(frame: RequestFrame, count: number, arrivedAtMs = turnNow(this.#host.clock)): void {
    const lane = this.#owner.laneOf(frame)
    const job = newJob(frame, count, arrivedAtMs, lane)
    if (lane === "ordered") {
      if (this.#ordered === undefined) this.#ordered = [job]
      else this.#ordered.push(job)
    } else if (this.#beside === undefined) this.#beside = [job]
    else this.#beside.push(job)
    // A request without a number cannot be cancelled, so its start need not wait.
    if (count === 0) this.#pump()
    else this.#startSoon()
  }

  /** Starts requests now. Called by the schedule, and by an owner that cannot wait for it. */
  start(): void {
    this.#pump()
  }

  /** Starts requests after the send buffer has drained. A scheduled start is left to the schedule: a CANCEL may follow in the same read. */
  onRoom(): void {
    if (this.#phase !== "due") this.#pump()
  }

  #startSoon(): void {
    if (this.#phase !== "idle" || this.#next() === undefined) return
    this.#phase = "due"
    this.#host.starts.add(this)
  }

  /** Settles a request as `cancelled` whose CANCEL arrived first. */
  refuse(frame: RequestFrame, count: number): void {
    if (this.ended) return
    const refused = newJob(frame, count, turnNow(this.#host.clock), "ordered")
    this.#settle(refused, failure(new HawserError("cancelled")))
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
    if (job === this.#inLane || this.#runningBeside.includes(job)) {
      // A second CANCEL must not restart the grace period.
      if (!job.abort.aborted) this.#abort(job, new HawserError("cancelled"))
      return
    }
    const wasFull = this.isFull
    this.#remove(job)
    this.#settle(job, failure(new HawserError("cancelled")))
    if (wasFull && !this.ended) this.#owner.onSpace()
  }

  /** Aborts all requests at the session's end, and settles none. */
  end(reason: HawserError): void {
    if (this.ended) return
    this.#phase = "ended"
    const inLane = this.#inLane === undefined ? none : [this.#inLane]
    const waiting = [...(this.#ordered ?? none), ...(this.#beside ?? none)]
    for (const job of [...inLane, ...this.#runningBeside, ...waiting]) {
      job.settled = true
      job.cancelTimer()
      job.abort.abort(reason)
    }
    this.#inLane = undefined
    this.#runningBeside = none
    this.#ordered = undefined
    this.#beside = undefined
  }

  #find(reference: Reference): RunningJob | undefined {
    const isNamed = (job: RunningJob): boolean => job.frame.reference === reference
    if (this.#inLane !== undefined && isNamed(this.#inLane)) return this.#inLane
    return this.#runningBeside.find(isNamed) ?? this.#ordered?.find(isNamed) ?? this.#beside?.find(isNamed)
  }

  /** Returns the waiting request that starts next: of two that may start, the one that was sent first. */
  #next(): RunningJob | undefined {
    const ordered = this.#inLane === undefined ? this.#ordered?.[0] : undefined
    const beside = this.#beside === undefined ? undefined : this.#nextBeside(this.#beside)
    if (ordered === undefined || beside === undefined) return ordered ?? beside
    return ordered.count < beside.count ? ordered : beside
  }

  /** Returns the first request beside the lane that waits for no request in it. A count is the order of sending. */
  #nextBeside(waiting: readonly RunningJob[]): RunningJob | undefined {
    if (this.#runningBeside.length >= this.#host.limits.queriesAtOnce) return undefined
    const oldest = this.#inLane ?? this.#ordered?.[0]
    if (oldest === undefined) return waiting[0]
    return waiting.find(({ lane, count }) => lane === "free" || count < oldest.count)
  }

  /** Removes a waiting request. */
  #remove(job: RunningJob): void {
    if (job.lane === "ordered") this.#ordered = without(this.#ordered, job)
    else this.#beside = without(this.#beside, job)
  }

  #pump(): void {
    // A synchronous handler settles inside `#start`, which calls this method again. The loop continues instead of the recursion.
    if (this.#phase === "pumping" || this.#phase === "ended") return
    this.#phase = "pumping"
    const wasFull = this.isFull
    while (!this.ended && this.#waitingCount > 0 && this.#owner.mayStart) {
      const job = this.#next()
      if (job === undefined) break
      this.#remove(job)
      const { budgetMs } = job.frame
      if (budgetMs > 0 && this.#waitedMs(job) >= budgetMs) this.#settle(job, failure(tooLate(budgetMs)))
      else this.#start(job)
    }
    if (this.ended) return
    this.#phase = "idle"
    if (wasFull || this.size === 0) this.#owner.onSpace()
  }

  #start(job: RunningJob): void {
    if (job.lane === "ordered") this.#inLane = job
    else this.#runningBeside = this.#runningBeside.length === 0 ? [job] : [...this.#runningBeside, job]
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
    job.startedAtMs = turnNow(this.#host.clock)
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
    if (job === this.#inLane) this.#leaveLane(job)
    else if (this.#runningBeside.length === 1) this.#runningBeside = none
    else this.#runningBeside = this.#runningBeside.filter((other) => other !== job)
    this.#settle(job, outcome)
    this.#pump()
  }

  #leaveLane(job: RunningJob): void {
    this.#inLane = undefined
    const { startedAtMs } = job
    if (startedAtMs === undefined || this.#waitingCount === 0) return
    const heldMs = turnNow(this.#host.clock) - startedAtMs
    if (heldMs > heldLaneMs) this.#owner.onLaneHeld(job, heldMs, this.#waitingCount)
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

// oxlint-disable-next-line eslint/max-params -- the hot path allocates no options object
function newJob(frame: RequestFrame, count: number, arrivedAtMs: number, lane: Lane): RunningJob {
  return {
    frame,
    lane,
    startedAtMs: undefined,
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

/** Removes one job of a row in place. Returns undefined instead of an empty row. */
function without(row: RunningJob[] | undefined, job: RunningJob): RunningJob[] | undefined {
  if (row === undefined) return undefined
  if (row[0] === job) row.shift()
  else row.splice(row.indexOf(job), 1)
  return row.length === 0 ? undefined : row
}

function tooLate(budgetMs: number): HawserError {
  const message = `the request waited in the server's queue for its whole time limit of ${budgetMs} ms and was not started`
  return new HawserError("timeout", { message })
}

/** Returns the outcome of a request that failed with this error. */
export function failure(error: HawserError): Outcome {
  return { ok: false, error: wireError(error) }
}
