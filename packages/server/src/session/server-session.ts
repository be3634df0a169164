// One session: its identity, its two directions, its requests. Its life is a one-way street: active, then ended.
// Sessions outlive connections in the protocol; in this version a session ends with its connection.
import { Delivery, HawserError, errorTable, isErrorCode } from "@hawser/protocol"
import type {
  BadFrame,
  Clock,
  Codec,
  Connection,
  EventSpec,
  Frame,
  RateLimiter,
  Reference,
  ReplyFrame,
  ServerLimits,
  TimerQueue,
  WireError,
} from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { CallRouter } from "../calls/call-router.ts"
import { RequestQueue, wireError } from "../calls/request-queue.ts"
import type { Job, Outcome } from "../calls/request-queue.ts"
import type { ServerCounters } from "../counters.ts"
import type { Encoders } from "../topics/publication.ts"
import { Publication } from "../topics/publication.ts"
import { Inbound } from "./inbound.ts"
import { Outbound } from "./outbound.ts"
import type { EndCause, SendOutcome, Session } from "./session.ts"

/** What all sessions of a server share. */
export interface SessionHost<User extends AuthenticatedUser> {
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limiter: RateLimiter
  readonly counters: ServerCounters
  readonly events: ReadonlyMap<string, EventSpec>
  readonly encoders: Encoders
  readonly router: CallRouter<User>
  readonly onError: (error: unknown) => void
  /** Called exactly once per session, after it has become inert. */
  readonly onEnded: (session: ServerSession<User>, end: SessionEnd<User>) => void
}

interface SessionEnd<User extends AuthenticatedUser> {
  readonly cause: EndCause
  /** The session that took over, when the cause is `replaced`. */
  readonly successor: ServerSession<User> | undefined
}

export interface SessionOptions<User extends AuthenticatedUser> {
  readonly id: string
  readonly user: User
  readonly address: string
  readonly codec: Codec
  readonly connection: Connection
  /** Closes the connection by the profile's rules; afterwards nothing of it reaches the session. */
  readonly closeConnection: (code: string, message: string) => void
}

export class ServerSession<User extends AuthenticatedUser> implements Session<User> {
  readonly id: string
  readonly user: User
  readonly address: string
  readonly #host: SessionHost<User>
  readonly #options: SessionOptions<User>
  readonly #delivery = new Delivery()
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  readonly #requests: RequestQueue
  #active = true
  #badMessages = 0
  #idleWaiters: (() => void)[] = []

  constructor(host: SessionHost<User>, options: SessionOptions<User>) {
    const { codec, connection } = options
    const { limits, clock, timers, limiter, counters } = host
    this.id = options.id
    this.user = options.user
    this.address = options.address
    this.#host = host
    this.#options = options
    const shared = { connection, codec, delivery: this.#delivery, limits, counters }
    this.#outbound = new Outbound({ ...shared, onFailure: (code) => this.#fail(code) })
    this.#inbound = new Inbound({
      ...shared,
      clock,
      timers,
      limiter,
      userId: options.user.id,
      isFull: () => this.#requests.isFull,
      onFrame: (frame, count) => this.#onFrame(frame, count),
      onFlood: (retryAfterMs) => this.#fail("rate_limited", `too many messages; wait ${retryAfterMs} ms`),
    })
    this.#requests = new RequestQueue({
      limits,
      timers,
      run: (job) => host.router.execute({ session: this, speaks20: codec.profile === "2.0" }, job),
      settle: (job, outcome) => this.#settle(job, outcome),
      onSpace: () => this.#onSpace(),
    })
  }

  get active(): boolean {
    return this.#active
  }

  /** True while this end has stopped reading, so that silence proves nothing. */
  get isPaused(): boolean {
    return this.#inbound.isPaused
  }

  get counts(): { readonly sent: number; readonly received: number; readonly handled: number } {
    const { sent, received, handled } = this.#delivery
    return { sent, received, handled }
  }

  send(event: string, payload: unknown): SendOutcome {
    const spec = this.#host.events.get(event)
    if (spec === undefined) throw new TypeError(`the contract has no event "${event}"`)
    return this.publish(
      new Publication(this.#host.encoders, { name: event, spec, payload, position: undefined }),
    )
  }

  publish(publication: Publication): SendOutcome {
    return this.#outbound.publish(publication)
  }

  /** Frames of the session layer itself. */
  sendFrame(frame: Frame): SendOutcome {
    return this.#outbound.sendFrame(frame)
  }

  end(code = "forbidden", message?: string): void {
    this.finish(code, { message })
  }

  /** The one way out, idempotent: first inert, then the connection is closed, then others are told. */
  finish(
    cause: EndCause,
    options: { message?: string | undefined; successor?: ServerSession<User>; keepConnection?: boolean } = {},
  ): void {
    if (!this.#active) return
    this.#active = false
    this.#outbound.end()
    this.#inbound.end()
    const message = options.message ?? (isErrorCode(cause) ? errorTable[cause].sentence : cause)
    this.#requests.end(new HawserError("session_ended", { message: `the session ended: ${message}` }))
    if (options.keepConnection !== true) this.#options.closeConnection(cause, message)
    this.#becomeIdle()
    this.#host.onEnded(this, { cause, successor: options.successor })
  }

  receive(bytes: Uint8Array): void {
    this.#inbound.receive(bytes)
  }

  drained(): void {
    this.#outbound.drained()
  }

  /** Resolves when no request waits or runs, or the session has ended. */
  idle(): Promise<void> {
    if (!this.#active || this.#requests.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  #fail(code: string, message?: string): void {
    if (code === "slow_consumer") this.#host.counters.slowConsumersClosed += 1
    this.finish(code, { message })
  }

  #onFrame(frame: Frame | BadFrame, count: number): void {
    switch (frame.kind) {
      case "request":
        this.#onRequest(frame.reference, () => this.#requests.push(frame, count))
        return
      case "cancel":
        this.#requests.cancel(frame.reference)
        this.#settleCount(count)
        return
      case "ping":
        this.sendFrame({ kind: "pong", number: frame.number, handled: this.#delivery.handled })
        return
      case "pong":
        return
      case "bye":
        this.finish("closed", { message: "the client closed the session" })
        return
      case "bad":
        this.#onBad(frame.reference, frame.error)
        return
      case "hello":
        // In `2.0` a second login on a live socket is answered; in `hawser.1` it breaks the protocol.
        this.#refuse(frame.reference, "the session is open already")
        return
      case "event":
      case "topicEvent":
      case "volatile":
      case "reply":
      case "welcome":
      case "goaway":
      case "busy":
        this.#refuse(
          frame.kind === "reply" ? frame.reference : null,
          `the server takes no "${frame.kind}" messages`,
        )
    }
  }

  /** Two requests of one reference at once could not be told apart by their replies. */
  #onRequest(reference: Reference, push: () => void): void {
    if (typeof reference === "string" && this.#requests.has(reference)) {
      this.#refuse(
        reference,
        `a request with the id ${JSON.stringify(reference.slice(0, 64))} is still being served`,
      )
      return
    }
    push()
  }

  #refuse(reference: Reference, message: string): void {
    this.#onBad(reference, { code: "sys_invalid_message", message, category: "system" })
  }

  /** `2.0` answers and goes on up to a bound; a client of `hawser.1` cannot do this by accident, so it is closed. */
  #onBad(reference: Reference, error: WireError): void {
    this.#host.counters.badMessages += 1
    this.#badMessages += 1
    if (this.#options.codec.counts) {
      this.finish(error.code, { message: error.message })
      return
    }
    if (this.#badMessages > this.#host.limits.badMessagesMax) {
      this.finish("sys_invalid_message", {
        message: `more than ${this.#host.limits.badMessagesMax} bad messages`,
      })
      return
    }
    this.sendFrame({ kind: "reply", reference, outcome: { ok: false, error } })
  }

  /** One synchronous block: the reply, the count, then what was to follow the reply. */
  #settle(job: Job, outcome: Outcome): void {
    const { counters, onError } = this.#host
    counters.requestsSettled += 1
    if (!outcome.ok) counters.requestsFailed += 1
    this.#reply(job, outcome)
    this.#settleCount(job.count)
    for (const follow of job.afterReply) {
      try {
        follow()
      } catch (error) {
        onError(error)
      }
    }
  }

  #reply(job: Job, outcome: Outcome): void {
    const { reference, type, call } = job.frame
    const frame: ReplyFrame = {
      kind: "reply",
      reference,
      type,
      outcome,
      ...(call === undefined ? {} : { call }),
    }
    try {
      this.sendFrame(frame)
    } catch (cause) {
      // The handler's result cannot be encoded: its mistake, not the caller's, and not the connection's end.
      this.#host.onError(new Error(`the reply of "${type}" cannot be encoded`, { cause }))
      const error = wireError(new HawserError("sys_internal_error"))
      this.sendFrame({ ...frame, outcome: { ok: false, error } })
    }
  }

  #settleCount(count: number): void {
    if (count > 0) this.#delivery.settle(count)
  }

  #onSpace(): void {
    if (this.#requests.size === 0) this.#becomeIdle()
    this.#inbound.resume()
  }

  #becomeIdle(): void {
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const resolve of waiters) resolve()
  }
}
