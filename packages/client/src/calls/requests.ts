// The client's commands, queries and openings of streams from the call to their one outcome: refused, waiting for a
// session or for room in it, sent, settled. Knows the open session only through its port; knows no sockets and no listeners.
//
// Invariants:
//  1. Requests are given to sessions in the order of their calls; what cannot go yet holds up those behind it. Only what
//     a new session must be asked first goes ahead.
//  2. What finds no room is refused when it is called. What was accepted is never refused for want of room.
import { HawserError } from "@hawser/protocol"
import {
  PendingCalls,
  UnsendableError,
  idempotencyKeyMaxLength,
  isWellFormed,
  quoted,
} from "@hawser/protocol/core"
import type { CallSpec, ClientLimits, Clock, Encoded } from "@hawser/protocol"
import type { EndFrame, PendingCall, Reference, ReplyFrame, TimerQueue } from "@hawser/protocol/core"
import { check } from "../base/checked.ts"
import type { ClientCounters } from "../base/counters.ts"
import type { Carrier, OutgoingRequest, RequestKind } from "./carrier.ts"
import { errorOf } from "../base/peer-error.ts"
import type { CallWatch } from "./call-stats.ts"
import { assertCallOptions } from "./check-call-options.ts"
import { HeldInputs } from "./held-inputs.ts"

/**
 * What becomes of a request while the connection is away. `queue`: it waits, in order, up to `sendBufferMaxCount` and
 * `sendBufferMaxBytes`, before the first session up to `sendQueueMaxCount`; beyond, it rejects with `buffer_full`. `fail`: it rejects at once with `not_connected`. `drop`: it rejects with `dropped`, and nobody need look at it.
 */
export type WhenOffline = "queue" | "fail" | "drop"

export interface CallOptions {
  /** Aborting rejects with `cancelled` and tells the server to stop. */
  readonly signal?: AbortSignal
  /** Default 10 s; counts from the call, waiting for the connection included. No number above 0: RangeError. */
  readonly timeoutMs?: number
  /** Default `queue`. Another value: TypeError. */
  readonly whenOffline?: WhenOffline
  /**
   * Idempotency key, ≤ 128 characters: the server executes one request per user, name and key, and answers a repeated
   * one with the first outcome. A request with a key is sent again when its session ends before the reply.
   */
  readonly key?: string
}

/** A request without a reply, as the application may look at it. */
export interface PendingRequest {
  readonly call: RequestKind
  readonly name: string
  readonly input: unknown
  readonly key: string | undefined
  /** `waiting`: no connection was ever given it. `sent`: it may have been executed. */
  readonly state: "waiting" | "sent"
}

export interface OpenRequest {
  readonly call: RequestKind
  readonly name: string
  readonly input: unknown
  readonly options: CallOptions
  /** Goes out at once, before everything that waits: what a session must be asked first. Needs an open session. */
  readonly ahead?: boolean
  /** Has no deadline, as a stream has none: it ends by its reply, or with its session. */
  readonly isUntimed?: boolean
}

export interface CallRequest extends OpenRequest {
  readonly spec: CallSpec
  /** Told of the outcome before the caller is. */
  readonly watch: CallWatch
}

/** How a request went on; exactly one of `resolve` and `reject` ends it. */
export interface RequestEvents {
  /** It was given to a session under this reference. */
  readonly onSent?: (reference: Reference) => void
  /** That session ended before it left: it waits for the next one, and its reference means nothing any more. */
  readonly onUnsent?: () => void
  /** Its reply, or `endOfStream`. */
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: HawserError) => void
}

/** Stands for END where a reply's payload would be: what no payload can be. */
export const endOfStream = Symbol("end of stream")

interface QueuedRequest extends Omit<OutgoingRequest, "budgetMs"> {
  readonly pending: PendingCall
  readonly onSent: (reference: Reference) => void
  readonly onUnsent: () => void
  /** Of its message; of what it will be, while no session has seen it. 0: nothing has asked yet. */
  bytes: number
  /** Time at which a session took it; undefined before. */
  sentAtMs: number | undefined
}

interface Admitted {
  readonly waits: boolean
  /** Of its message, if it waits. */
  readonly bytes: number
  readonly input: OutgoingRequest["input"]
}

export interface RequestsOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ClientLimits
  readonly session: () => Carrier | undefined
  /** Why the client takes no requests now, if it takes none. */
  readonly refusal: () => HawserError | undefined
  readonly counters: ClientCounters
  /** A sent request ended without a reply: the server can stop. */
  readonly onAbandoned: (reference: Reference) => void
  /** The session's connection took nothing any more. */
  readonly onDeadConnection: () => void
  /** The deadline of a request passed that a session had taken at `sentAtMs`. */
  readonly onUnanswered: (sentAtMs: number) => void
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #pending: PendingCalls
  readonly #inputs: HeldInputs
  /** The line: requests that wait for a session, or for room in it, in order. */
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

  /** Requests without a reply, in the order of their calls. */
  pending(): PendingRequest[] {
    const session = this.#options.session()
    const seen = (queued: QueuedRequest): PendingRequest => {
      const { reference } = queued.pending
      const waits = reference === undefined || session === undefined || session.neverLeft(reference)
      return shown(queued, waits ? "waiting" : "sent")
    }
    return [...this.#taken, ...this.#queue].map(seen)
  }

  call(request: CallRequest): Promise<unknown> {
    const { name, spec, options, watch } = request
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
        resolve: (payload) => void validReply(name, spec, payload).then(succeeded, failed),
      })
    })
    // Whoever chose `drop` need not look at what became of it.
    if (options.whenOffline === "drop") outcome.catch(() => {})
    return outcome
  }

  /** Sends a request, or lets it wait for its session. Returns how its caller gives it up. */
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
      name,
      timeoutMs,
      deadlineMs: timeoutMs === undefined ? undefined : clock.now() + timeoutMs,
      resolve: (payload) => {
        stopListening()
        this.#taken.delete(queued)
        events.resolve(payload)
      },
      reject: (error) => {
        stopListening()
        this.#queue.delete(queued)
        this.#taken.delete(queued)
        events.reject(error)
        if (error.code === "timeout" && queued.sentAtMs !== undefined)
          this.#options.onUnanswered(queued.sentAtMs)
      },
    })
    const { onSent = () => {}, onUnsent = () => {} } = events
    const { bytes, input } = admitted
    const sending = { pending, onSent, onUnsent, bytes, sentAtMs: undefined }
    const queued: QueuedRequest = { call, name, input, key: options.key, ...sending }
    const giveUp = (reason: HawserError): void => this.#pending.abandon(pending, reason)
    const onAbort = (): void => {
      const message = `"${name}" was aborted by its caller`
      giveUp(new HawserError("cancelled", { message, cause: options.signal?.reason }))
    }
    options.signal?.addEventListener("abort", onAbort, { once: true })
    this.#queue.add(queued)
    // Behind others it has been admitted to wait; at the head of the line it has not.
    if (!admitted.waits && this.#send(queued) === "full") giveUp(new HawserError("buffer_full"))
    return giveUp
  }

  /** Ends the requests whose deadlines have passed, before a connection takes what is left. */
  expire(): void {
    this.#pending.expire(this.#options.clock.now())
  }

  /** A session is open, or may have room again: what waits goes out, in order, as far as it is taken. */
  flush(): void {
    // A transport may say in the middle of a send that it takes more.
    if (this.#isSending || this.#queue.size === 0) return
    this.expire()
    for (const queued of [...this.#queue]) {
      // Whoever hears of a dead connection may give others up.
      if (this.#queue.has(queued) && this.#send(queued) !== "gone") return
    }
  }

  /** False when nobody waits for this reply (any more). */
  onReply({ reference, outcome }: ReplyFrame): boolean {
    return outcome.ok
      ? this.#pending.resolve(reference, outcome.payload)
      : this.#pending.reject(reference, errorOf(outcome.error))
  }

  onEnd({ reference, error }: EndFrame): void {
    if (error === undefined) this.#pending.resolve(reference, endOfStream)
    else this.#pending.reject(reference, errorOf(error))
  }

  /**
   * The session has ended. What certainly was not executed, or may be executed again (it has a key), goes to the head
   * of the queue; everything else rejects, because its outcome is unknown. Returns what was rejected.
   */
  onSessionEnded(session: Carrier, cause: HawserError): PendingRequest[] {
    const again: QueuedRequest[] = []
    const lost: PendingRequest[] = []
    for (const taken of [...this.#taken]) {
      const { key, pending } = taken
      const { reference } = pending
      const neverLeft = reference !== undefined && session.neverLeft(reference)
      // What one end could not read, it or its reply, would end the next session as well.
      if (neverLeft || (key !== undefined && cause.code !== "sys_invalid_message")) {
        this.#pending.unsent(pending)
        taken.sentAtMs = undefined
        taken.onUnsent()
        again.push(taken)
      } else {
        lost.push(shown(taken, "sent"))
      }
    }
    this.#taken.clear()
    this.#queue = new Set([...again, ...this.#queue])
    this.#pending.rejectSent(() =>
      cause.code === "client_closed" ? cause : new HawserError("connection_lost", { cause }),
    )
    return lost
  }

  rejectAll(error: HawserError): void {
    this.#pending.rejectAll(() => error)
    this.#queue.clear()
    this.#taken.clear()
  }

  /** Whether a request is taken, with its encoded input; whether it has to wait, and if so how long its message will be. */
  #admit(request: OpenRequest): Admitted | HawserError {
    const { name, options, ahead = false } = request
    const refusal = this.#refusal(options)
    if (refusal !== undefined) return refusal
    const what = `the input of "${name}"`
    try {
      // In a frame, which is one container.
      const input = this.#inputs.hold(request.input, 1, what)
      if ((ahead || this.#queue.size === 0) && this.#options.session() !== undefined)
        return { waits: false, bytes: 0, input }
      return this.#admitToLine(input, this.#inputs.messageBytes(input, options.key, what))
    } catch (error) {
      if (error instanceof UnsendableError) return error
      throw error
    }
  }

  #admitToLine(input: Admitted["input"], bytes: number): Admitted | HawserError {
    const { sendQueueMaxCount, sendBufferMaxBytes } = this.#options.limits
    if (this.#queue.size >= sendQueueMaxCount) {
      const message = `${sendQueueMaxCount} requests wait for the connection already`
      return new HawserError("buffer_full", { message })
    }
    let waiting = 0
    for (const queued of this.#queue) waiting += queued.bytes
    if (this.#queue.size === 0 || waiting + bytes <= sendBufferMaxBytes) return { waits: true, bytes, input }
    const message = `requests of ${waiting} bytes wait for the connection already`
    return new HawserError("buffer_full", { message })
  }

  /**
   * Encodes a member of the input of a request, at once: the frame and the map of the input are around it.
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

  /** Gives the head of the line to the session. `gone`: it has left the line, one way or another. */
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
      if (outcome === "taken") {
        this.#queue.delete(queued)
        this.#taken.add(queued)
        queued.sentAtMs = clock.now()
        this.#pending.sent(queued.pending, reference)
        queued.onSent(reference)
      }
      // The socket died without telling.
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

function shown({ call, name, input, key }: QueuedRequest, state: PendingRequest["state"]): PendingRequest {
  return { call, name, input: input?.value, key, state }
}

function isKey(key: unknown): boolean {
  return typeof key === "string" && key !== "" && key.length <= idempotencyKeyMaxLength && isWellFormed(key)
}

async function validReply(name: string, spec: CallSpec, payload: unknown): Promise<unknown> {
  const checked = await check(spec.output, payload, `the reply of "${name}"`)
  if (checked.ok) return checked.value
  throw checked.error
}
