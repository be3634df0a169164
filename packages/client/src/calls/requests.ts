// The client's commands, queries and stream requests, from the call to exactly one outcome. Queues them until a session takes
// them; rejects a call with `buffer_full` if the queue is full. Must not know sockets or listeners.
//
// Invariants:
//  1. Sessions get requests in the order of their calls. A request that cannot be sent yet blocks the later ones. Only
//     `ahead` requests, which a new session must get first, overtake.
//  2. If the queue is full, the call rejects at once with `buffer_full`. An accepted call never rejects with `buffer_full`.
import { HawserError } from "@hawser/protocol"
import {
  PendingCalls,
  UnsendableError,
  idempotencyKeyMaxLength,
  isWellFormed,
  quoted,
} from "@hawser/protocol/core"
import type { ClientLimits, Clock, Encoded, Schema } from "@hawser/protocol"
import type { EndFrame, PendingCall, Reference, ReplyFrame, TimerQueue } from "@hawser/protocol/core"
import { check } from "../base/checked.ts"
import type { Checked } from "../base/checked.ts"
import type { ClientCounters } from "../base/counters.ts"
import type { Carrier, OutgoingRequest, RequestKind } from "./carrier.ts"
import { errorOf } from "../base/peer-error.ts"
import type { CallWatch } from "./call-stats.ts"
import { assertCallOptions } from "./check-call-options.ts"
import { HeldInputs } from "./held-inputs.ts"
import { HoldBack } from "./hold-back.ts"
import { shownRequest } from "./pending-request.ts"
import type { PendingRequest } from "./pending-request.ts"

/**
 * Behaviour of a request without a connection. `queue`: it waits, in order; at the bounds (`limits.sendBufferMaxCount` and
 * `sendBufferMaxBytes`, before the first session `sendQueueMaxCount`) it rejects with `buffer_full`. `fail`: it rejects at
 * once with `not_connected`. `drop`: it rejects with `dropped`; an unhandled rejection is not reported.
 */
export type WhenOffline = "queue" | "fail" | "drop"

/** Options of `client.command()` and `client.query()`. */
export interface CallOptions {
  /** Aborts the request, which rejects with `cancelled`; the server stops. Default: none. */
  readonly signal?: AbortSignal
  /**
   * Time limit from the call, waiting for the connection included, in milliseconds. Default `limits.requestTimeoutMs`,
   * 10 s. At the limit the call rejects with `timeout`. Rejects with RangeError unless above 0.
   */
  readonly timeoutMs?: number
  /** Behaviour without a connection. Default `queue`. Rejects with TypeError for another value. */
  readonly whenOffline?: WhenOffline
  /**
   * Idempotency key of 1 to 128 characters; default: none. The server executes one request for each user, name and key, and
   * answers a repetition with the first outcome. The client sends a keyed request again if its session ends before the
   * reply. Rejects with `invalid_input` for a longer key.
   */
  readonly key?: string
}

export interface OpenRequest {
  readonly call: RequestKind
  readonly name: string
  readonly input: unknown
  readonly options: CallOptions
  /** Sends the request before all waiting ones. Needs an open session. */
  readonly ahead?: boolean
  /** Sets no deadline, as for a stream: the request ends with its reply or its session. */
  readonly isUntimed?: boolean
}

export interface CallRequest extends OpenRequest {
  /** Schema of the reply; undefined: the promise resolves with the reply as it came. */
  readonly reply: Schema | undefined
  /** Receives the outcome before the caller does. */
  readonly watch: CallWatch
}

/** Events of one request. Exactly one of `resolve` and `reject` ends it. */
export interface RequestEvents {
  /** Called when a session has taken the request under this reference. */
  readonly onSent?: (reference: Reference) => void
  /** Called when that session has ended and the request waits for the next one. The reference is no longer valid. */
  readonly onUnsent?: () => void
  /** Called with the payload of the reply, or with `endOfStream`. */
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: HawserError) => void
}

/** Represents END in place of a reply's payload. No payload equals it. */
export const endOfStream = Symbol("end of stream")

interface QueuedRequest extends Omit<OutgoingRequest, "budgetMs"> {
  readonly pending: PendingCall
  readonly events: RequestEvents
  /** Length of the message; before a session has encoded it an estimate; 0: not computed. */
  bytes: number
  /** Time at which a session took the request; undefined before. */
  sentAtMs: number | undefined
}

/** `bytes` is 0 for a request that does not wait. */
type Admitted = Pick<QueuedRequest, "bytes" | "input">

export interface RequestsOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ClientLimits
  readonly session: () => Carrier | undefined
  /** Returns the error of a client that accepts no requests; undefined: it accepts them. */
  readonly refusal: () => HawserError | undefined
  readonly counters: ClientCounters
  /** Called when a sent request was abandoned: the server can stop. */
  readonly onAbandoned: (reference: Reference) => void
  /** Called when the session's connection has refused a message. */
  readonly onDeadConnection: () => void
  /** Called when a request, sent at `sentAtMs`, has reached its deadline. */
  readonly onUnanswered: (sentAtMs: number) => void
  /** Called after each change of `pending()`, except changes of the connection. */
  readonly onPending: () => void
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #pending: PendingCalls
  readonly #inputs: HeldInputs
  readonly #holdBack = new HoldBack()
  /** Request queue: requests that wait for a session, or for space in its send buffer, in order. */
  #queue = new Set<QueuedRequest>()
  /** Requests that the session has taken, in order. */
  readonly #taken = new Set<QueuedRequest>()
  #isSending = false

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#pending = new PendingCalls(options.timers, options.onAbandoned)
    this.#inputs = new HeldInputs(options)
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  get queuedCount(): number {
    return this.#queue.size
  }

  /** Returns the requests without a reply, in the order of their calls. */
  pending(): PendingRequest[] {
    return [...this.#taken, ...this.#queue].map((queued) => shownRequest(queued, this.#stateOf(queued)))
  }

  call(request: CallRequest): Promise<unknown> {
    const { name, reply, options, watch } = request
    try {
      assertCallOptions(options)
    } catch (error) {
      watch.failed(error)
      return Promise.reject(error)
    }
    const outcome = new Promise((resolve, reject) => {
      const succeeded = (value: unknown): void => {
        watch.succeeded()
        resolve(value)
      }
      const failed = (error: unknown): void => {
        watch.failed(error)
        reject(error)
      }
      this.open(request, {
        reject: failed,
        resolve(payload) {
          if (reply === undefined) {
            succeeded(payload)
            return
          }
          const settle = (checked: Checked<unknown>): void =>
            checked.ok ? succeeded(checked.value) : failed(checked.error)
          const checked = check(reply, payload, `the reply of "${name}"`)
          if (checked instanceof Promise) void checked.then(settle, failed)
          else settle(checked)
        },
      })
    })
    // With `drop` an unhandled rejection is not reported.
    if (options.whenOffline === "drop") outcome.catch(() => {})
    return outcome
  }

  /** Sends a request, or queues it. Returns the function that abandons it. */
  open(request: OpenRequest, events: RequestEvents): (reason: HawserError) => void {
    const { call, name, options, isUntimed = call === "stream" } = request
    const { clock, limits } = this.#options
    const admitted = this.#admit(request)
    if (HawserError.is(admitted)) {
      events.reject(admitted)
      return () => {}
    }
    const timeoutMs = isUntimed ? undefined : (options.timeoutMs ?? limits.requestTimeoutMs)
    const stopListening = (): void => options.signal?.removeEventListener("abort", onAbort)
    const pending = this.#pending.open({
      expired: () =>
        this.#holdBack.timeout({
          ...{ name, timeoutMs: timeoutMs ?? 0, nowMs: clock.now() },
          state: this.#stateOf(queued),
        }),
      deadlineMs: timeoutMs === undefined ? undefined : clock.now() + timeoutMs,
      resolve: (payload) => {
        stopListening()
        this.#taken.delete(queued)
        events.resolve(payload)
        this.#options.onPending()
      },
      reject: (error) => {
        stopListening()
        this.#queue.delete(queued)
        this.#taken.delete(queued)
        events.reject(error)
        if (error.code === "timeout" && queued.sentAtMs !== undefined)
          this.#options.onUnanswered(queued.sentAtMs)
        this.#options.onPending()
      },
    })
    const { key } = options
    const queued: QueuedRequest = { ...admitted, call, name, key, pending, events, sentAtMs: undefined }
    const giveUp = (reason: HawserError): void => this.#pending.abandon(pending, reason)
    const onAbort = (): void => {
      const message = `"${name}" was aborted by its caller`
      giveUp(new HawserError("cancelled", { message, cause: options.signal?.reason }))
    }
    options.signal?.addEventListener("abort", onAbort, { once: true })
    this.#queue.add(queued)
    // A request at the head of the queue was not admitted to wait.
    if (admitted.bytes === 0 && this.#send(queued) === "full") giveUp(new HawserError("buffer_full"))
    else this.#options.onPending()
    return giveUp
  }

  /** Notes a notice of the server: a limit of the user delays the messages of this client. */
  throttled(limit: string, forMs: number): void {
    this.#holdBack.throttled(limit, forMs, this.#options.clock.now())
  }

  #stateOf({ pending: { reference } }: QueuedRequest): PendingRequest["state"] {
    const session = this.#options.session()
    if (reference !== undefined && session?.neverLeft(reference) === false) return "sent"
    return session?.attached === true ? "throttled" : "waiting"
  }

  /** Rejects the requests whose deadlines have passed, before a connection takes the others. */
  expire(): void {
    this.#pending.expire(this.#options.clock.now())
  }

  /** Sends queued requests in order, until the session takes no more. */
  flush(): void {
    // A transport may report `drained` during a send.
    if (this.#isSending || this.#queue.size === 0) return
    this.expire()
    for (const queued of [...this.#queue]) {
      // `onDeadConnection` may abandon other requests.
      if (this.#queue.has(queued) && this.#send(queued) !== "gone") break
    }
    this.#options.onPending()
  }

  /** Settles a request with its reply. Returns false for a reply without a pending request. */
  onReply({ reference, outcome }: ReplyFrame): boolean {
    return outcome.ok
      ? this.#pending.resolve(reference, outcome.payload)
      : this.#pending.reject(reference, errorOf(outcome.error))
  }

  /** Settles a stream with its END. */
  onEnd({ reference, error }: EndFrame): void {
    if (error === undefined) this.#pending.resolve(reference, endOfStream)
    else this.#pending.reject(reference, errorOf(error))
  }

  /**
   * Settles the requests of a session that has ended. Requests that the server has certainly not executed, and those with a
   * key, go to the head of the queue. All others reject, because their outcome is unknown. Returns the rejected ones.
   */
  onSessionEnded(session: Carrier, cause: HawserError): PendingRequest[] {
    const again: QueuedRequest[] = []
    const lost: PendingRequest[] = []
    for (const taken of [...this.#taken]) {
      const { key, pending } = taken
      const { reference } = pending
      const neverLeft = reference !== undefined && session.neverLeft(reference)
      // A request that could not be read, or whose reply could not, would end the next session as well.
      if (neverLeft || (key !== undefined && cause.code !== "sys_invalid_message")) {
        this.#pending.unsent(pending)
        taken.sentAtMs = undefined
        taken.events.onUnsent?.()
        again.push(taken)
      } else {
        lost.push(shownRequest(taken, "sent"))
      }
    }
    this.#taken.clear()
    this.#queue = new Set([...again, ...this.#queue])
    this.#pending.rejectSent(() =>
      cause.code === "client_closed" ? cause : new HawserError("connection_lost", { cause }),
    )
    this.#options.onPending()
    return lost
  }

  /** Rejects all requests. */
  rejectAll(error: HawserError): void {
    this.#pending.rejectAll(() => error)
    this.#queue.clear()
    this.#taken.clear()
  }

  /** Encodes the input, and decides whether the request is sent at once, queued or refused. */
  #admit(request: OpenRequest): Admitted | HawserError {
    const { name, options, ahead = false } = request
    const refusal = this.#refusal(options)
    if (refusal !== undefined) return refusal
    const what = `the input of "${name}"`
    try {
      // The frame is the one container around the input.
      const input = this.#inputs.hold(request.input, 1, what)
      if ((ahead || this.#queue.size === 0) && this.#options.session() !== undefined)
        return { bytes: 0, input }
      return this.#admitToLine(input, this.#inputs.messageBytes(input, options.key, what))
    } catch (error) {
      if (error instanceof UnsendableError) return error
      throw error
    }
  }

  #admitToLine(input: Admitted["input"], bytes: number): Admitted | HawserError {
    const { sendQueueMaxCount, sendBufferMaxBytes } = this.#options.limits
    if (this.#queue.size >= sendQueueMaxCount) {
      const message = `send queue is full: ${sendQueueMaxCount} requests are waiting (limits.sendQueueMaxCount); retry when the status is open`
      return new HawserError("buffer_full", { message })
    }
    let waiting = 0
    for (const queued of this.#queue) waiting += queued.bytes
    if (this.#queue.size === 0 || waiting + bytes <= sendBufferMaxBytes) return { bytes, input }
    const message = `send queue is full: requests of ${waiting} bytes are waiting (limits.sendBufferMaxBytes, ${sendBufferMaxBytes}); retry when the status is open`
    return new HawserError("buffer_full", { message })
  }

  /**
   * Encodes a member of a request's input. Two containers surround it: the frame and the input's map.
   * @throws UnsendableError
   */
  hold(value: unknown, what: string): Encoded<unknown> | undefined {
    return this.#inputs.hold(value, 2, what)
  }

  #refusal({ signal, key, whenOffline = "queue" }: CallOptions): HawserError | undefined {
    if (signal?.aborted === true) return new HawserError("cancelled", { cause: signal.reason })
    const refusal = this.#options.refusal()
    if (refusal !== undefined) return refusal
    if (key !== undefined && !isKey(key)) {
      const message = `an idempotency key is well-formed text of 1 to ${idempotencyKeyMaxLength} characters, not ${quoted(key)}`
      return new HawserError("invalid_input", { message })
    }
    if (whenOffline === "queue" || this.#options.session()?.attached === true) return undefined
    if (whenOffline === "fail") return new HawserError("not_connected")
    this.#options.counters.requestsDropped += 1
    return new HawserError("dropped")
  }

  /** Gives a request to the session. `gone`: the request has left the queue, taken or rejected. */
  #send(queued: QueuedRequest): "gone" | "full" | "dead" {
    const session = this.#options.session()
    if (session === undefined) return "dead"
    const { clock } = this.#options
    const { deadlineMs } = queued.pending
    const budgetMs = deadlineMs === undefined ? 0 : Math.max(1, Math.round(deadlineMs - clock.now()))
    this.#isSending = true
    try {
      const { outcome, reference, bytes } = session.request({ ...queued, budgetMs })
      queued.bytes = bytes
      this.#holdBack.offered(outcome === "full", clock.now())
      if (outcome === "taken") {
        this.#queue.delete(queued)
        this.#taken.add(queued)
        queued.sentAtMs = clock.now()
        this.#pending.sent(queued.pending, reference)
        queued.events.onSent?.(reference)
      }
      // The socket is dead and has not emitted `close`.
      if (outcome === "dead" || session.isDead) this.#options.onDeadConnection()
      return outcome === "taken" ? "gone" : outcome
    } catch (error) {
      if (!HawserError.is(error)) throw error
      this.#pending.abandon(queued.pending, error)
      return "gone"
    } finally {
      this.#isSending = false
    }
  }
}

function isKey(key: unknown): boolean {
  return typeof key === "string" && key !== "" && key.length <= idempotencyKeyMaxLength && isWellFormed(key)
}
