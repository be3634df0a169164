// The client's commands and queries from the call to their one outcome: refused, waiting for a session, sent, settled.
// Knows the open session only through its port; knows no sockets and no listeners.
import { HawserError, PendingCalls, describeIssues, validate } from "@hawser/protocol"
import type {
  CallKind,
  CallSpec,
  ClientLimits,
  Clock,
  PendingCall,
  Reference,
  ReplyFrame,
  TimerQueue,
} from "@hawser/protocol"
import type { ClientSession, OutgoingRequest } from "../session/client-session.ts"
import { errorOf } from "../session/peer-error.ts"

export interface CallOptions {
  /** Aborting rejects with `cancelled` and tells the server to stop. */
  readonly signal?: AbortSignal
  /** Default 10 s; counts from the call, waiting for the connection included. */
  readonly timeoutMs?: number
}

export interface CallRequest {
  readonly call: CallKind
  readonly name: string
  readonly spec: CallSpec
  readonly input: unknown
  readonly options: CallOptions
}

interface QueuedRequest extends Omit<OutgoingRequest, "budgetMs"> {
  readonly pending: PendingCall
}

export interface RequestsOptions {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ClientLimits
  readonly session: () => ClientSession | undefined
  /** Why the client takes no requests now, if it takes none. */
  readonly refusal: () => HawserError | undefined
  /** A sent request ended without a reply: the server can stop. */
  readonly onAbandoned: (reference: Reference) => void
  /** The session's connection took nothing any more. */
  readonly onDeadConnection: () => void
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #pending: PendingCalls
  /** Requests that wait for a session, in order. */
  readonly #queue = new Set<QueuedRequest>()

  constructor(options: RequestsOptions) {
    this.#options = options
    this.#pending = new PendingCalls(options.timers, options.onAbandoned)
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  get queuedCount(): number {
    return this.#queue.size
  }

  call(request: CallRequest): Promise<unknown> {
    const { call, name, spec, input, options } = request
    const { clock, limits, session } = this.#options
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(options.signal)
      if (refusal !== undefined) {
        reject(refusal)
        return
      }
      const timeoutMs = options.timeoutMs ?? limits.requestTimeoutMs
      const stopListening = (): void => options.signal?.removeEventListener("abort", onAbort)
      const pending = this.#pending.open({
        name,
        timeoutMs,
        deadlineMs: clock.now() + timeoutMs,
        resolve: (payload) => {
          stopListening()
          resolve(validReply(name, spec, payload))
        },
        reject: (error) => {
          stopListening()
          this.#queue.delete(queued)
          reject(error)
        },
      })
      const queued: QueuedRequest = { call, name, input, pending }
      const onAbort = (): void => {
        const message = `"${name}" was aborted by its caller`
        this.#pending.abandon(
          pending,
          new HawserError("cancelled", { message, cause: options.signal?.reason }),
        )
      }
      options.signal?.addEventListener("abort", onAbort, { once: true })
      if (session() === undefined || this.#queue.size > 0) this.#queue.add(queued)
      else this.#send(queued)
    })
  }

  /** A session is open: what waited goes out, in order. */
  flush(): void {
    for (const queued of [...this.#queue]) {
      if (this.#options.session() === undefined) return
      this.#queue.delete(queued)
      this.#send(queued)
    }
  }

  /** False when nobody waits for this reply (any more). */
  onReply({ reference, outcome }: ReplyFrame): boolean {
    return outcome.ok
      ? this.#pending.resolve(reference, outcome.payload)
      : this.#pending.reject(reference, errorOf(outcome.error))
  }

  /** The session is lost: the outcome of what was sent is unknown; what waits goes on waiting. */
  rejectSent(cause: HawserError): void {
    this.#pending.rejectSent(() => new HawserError("connection_lost", { cause }))
  }

  rejectAll(error: HawserError): void {
    this.#pending.rejectAll(() => error)
    this.#queue.clear()
  }

  #refusal(signal: AbortSignal | undefined): HawserError | undefined {
    if (signal?.aborted === true) return new HawserError("cancelled", { cause: signal.reason })
    const refusal = this.#options.refusal()
    if (refusal !== undefined) return refusal
    const { sendQueueMaxCount } = this.#options.limits
    if (this.#queue.size < sendQueueMaxCount) return undefined
    return new HawserError("buffer_full", {
      message: `${sendQueueMaxCount} requests wait for the connection already`,
    })
  }

  #send(queued: QueuedRequest): void {
    const session = this.#options.session()
    if (session === undefined || queued.pending.settled) return
    const budgetMs = Math.max(1, Math.round(queued.pending.deadlineMs - this.#options.clock.now()))
    try {
      const reference = session.request({ ...queued, budgetMs })
      if (reference !== undefined) {
        this.#pending.sent(queued.pending, reference)
        return
      }
      // The socket died without telling: what was not handed over stays in line for the next session.
      this.#queue.add(queued)
      this.#options.onDeadConnection()
    } catch (error) {
      if (HawserError.is(error)) this.#pending.abandon(queued.pending, error)
      else throw error
    }
  }
}

async function validReply(name: string, spec: CallSpec, payload: unknown): Promise<unknown> {
  const result = await validate(spec.output, payload)
  if (result.ok) return result.value
  throw new HawserError("invalid_reply", {
    message: `the reply of "${name}": ${describeIssues(result.issues)}`,
  })
}
