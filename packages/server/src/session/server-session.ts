// One session: its identity, its two directions, its requests. Active, with a connection or without; then ended.
// Whatever an unbound connection still says has no effect: nothing of it reaches the session (S13).
import { Delivery, HawserError, errorTable, isErrorCode } from "@hawser/protocol"
import type { Codec, Frame, OutboundMessage, ReplyFrame, ResumeClaim } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { Publishable } from "../topics/publication.ts"
import type { StateSource } from "../topics/session-views.ts"
import { Answers } from "./answers.ts"
import { ClaimHistory } from "./claim-history.ts"
import { farewellOf, sayFarewell } from "./farewell.ts"
import { Inbound } from "./inbound.ts"
import { Outbound20 } from "./outbound.ts"
import type { Outbound } from "./outbound.ts"
import type { ResumableSession } from "./resume.ts"
import { SessionFrames } from "./session-frames.ts"
import { SessionSender } from "./session-sender.ts"
import type { FinishOptions, SessionHost, SessionLink, SessionOptions } from "./session-host.ts"
import type { EndCause, SendOutcome, Session } from "./session.ts"
import { TokenRenewal } from "./token-renewal.ts"

export class ServerSession<User extends AuthenticatedUser> implements Session<User>, ResumableSession {
  readonly id: string
  readonly clientId: string
  readonly #host: SessionHost<User>
  readonly #codec: Codec
  readonly #delivery: Delivery
  readonly #outbound: Outbound
  readonly #sender: SessionSender
  readonly #inbound: Inbound
  readonly #answers: Answers<User>
  readonly #frames: SessionFrames
  readonly #renewal: TokenRenewal<User>
  #user: User
  #link: SessionLink | undefined
  #lastAddress: string
  #active = true
  /** What it sees of replicas, if anything. */
  #state: StateSource | undefined
  readonly #claims: ClaimHistory
  #cancelWindow: () => void = () => {}

  constructor(host: SessionHost<User>, options: SessionOptions<User>) {
    const { codec, link, user } = options
    const { limits, clock, timers, limiter, counters } = host
    this.id = options.id
    this.clientId = options.clientId
    this.#claims = new ClaimHistory(options.dial)
    this.#host = host
    this.#codec = codec
    this.#user = user
    this.#link = link
    this.#lastAddress = link.address
    this.#delivery = new Delivery({
      limits,
      clock,
      counters,
      kept: host.replayMemory,
      encode: (frame) => codec.encode(frame),
      requestAck: () => host.acks.add(this),
    })
    const { connection } = link
    this.#outbound = codec.counts ? this.#delivery : new Outbound20({ connection, codec, limits, counters })
    this.#sender = new SessionSender({
      host,
      owner: this,
      codec,
      delivery: this.#delivery,
      outbound: this.#outbound,
    })
    if (codec.counts) this.#delivery.attach(connection, { received: 0, handled: 0 })
    this.#inbound = new Inbound({
      codec,
      delivery: this.#delivery,
      limits,
      counters,
      clock,
      timers,
      limiter,
      userId: user.id,
      // A request that is started must find room for its reply.
      isFull: () => this.#answers.isFull || !this.#delivery.hasRoom(0),
      onFrame: (frame, count) => this.#frames.receive(frame, count),
      onFlood: (retryAfterMs) =>
        this.finish("rate_limited", { message: `too many messages; wait ${retryAfterMs} ms` }),
    })
    this.#inbound.attach(connection)
    this.#answers = new Answers(host, {
      session: this,
      codec,
      hasRoom: (bytes) => this.#delivery.hasRoom(bytes),
      send: (bytes) => {
        if (this.#active) this.#sender.reliable({ bytes })
      },
      onSettled: (count) => this.#settleCount(count),
      onSpace: () => this.#inbound.resume(),
    })
    this.#frames = new SessionFrames({
      counts: codec.counts,
      limits,
      counters,
      delivery: this.#delivery,
      answers: this.#answers,
      control: (frame) => this.sendControl(frame),
      reply: (frame) => this.#sendReply(frame),
      settle: (count) => this.#settleCount(count),
      renew: (token) => void this.#renewal.receive(token),
      have: (held) => this.#state?.have(held),
      pump: () => this.drained(),
      finish: (cause, how) => this.finish(cause, how),
    })
    this.#renewal = new TokenRenewal(
      {
        authenticate: host.authenticate,
        limits,
        timers,
        wallClockMs: host.wallClockMs,
        address: () => this.address,
        ask: (expiresInMs) => this.#outbound.control({ kind: "authRequest", expiresInMs }),
        onRenewed: (renewed, expiresInMs) => {
          this.#user = renewed
          this.#outbound.control({ kind: "authOk", expiresInMs })
          host.onRenewed(this)
        },
        onFailed: (error) => this.#onRenewalFailed(error),
        onError: host.onError,
      },
      user,
    )
    if (codec.counts) this.#renewal.start(user)
  }

  get user(): User {
    return this.#user
  }

  get address(): string {
    return this.#lastAddress
  }

  get attached(): boolean {
    return this.#link !== undefined
  }

  /** True when its client can come back to it. */
  get resumable(): boolean {
    return this.#codec.counts && this.#host.limits.resumeWindowMs > 0
  }

  get expiresInMs(): number | null {
    return this.#renewal.expiresInMs
  }

  get active(): boolean {
    return this.#active
  }

  /** True while this end has stopped reading, so that silence proves nothing. */
  get isPaused(): boolean {
    return this.#inbound.isPaused
  }

  get counts(): {
    readonly sent: number
    readonly acknowledged: number
    readonly received: number
    readonly handled: number
    readonly digest: number
  } {
    const { sent, acknowledged, received, handled, receivedDigest: digest } = this.#delivery
    return { sent, acknowledged, received, handled, digest }
  }

  /** Reliable messages that the client has not acknowledged, and their bytes. */
  get buffered(): { readonly messages: number; readonly bytes: number } {
    const { sent, acknowledged, bufferedBytes: bytes } = this.#delivery
    return { messages: sent - acknowledged, bytes }
  }

  /**
   * Since when the client has settled nothing of what it was given, or has kept its replicas waiting; undefined when it
   * owes nothing.
   */
  get stalledSinceMs(): number | undefined {
    if (this.#link === undefined) return undefined
    const owedSinceMs = this.#delivery.stalledSinceMs ?? Number.POSITIVE_INFINITY
    const waitsSinceMs = this.#state?.waitingSinceMs ?? Number.POSITIVE_INFINITY
    const sinceMs = Math.min(owedSinceMs, waitsSinceMs)
    return sinceMs === Number.POSITIVE_INFINITY ? undefined : sinceMs
  }

  // --- connections ----------------------------------------------------------------------------------------------

  get tokenGeneration(): number {
    return this.#claims.generation
  }

  get isTokenConfirmed(): boolean {
    return this.#claims.isConfirmed
  }

  get lastDial(): number {
    return this.#claims.lastDial
  }

  canResumeAfter(count: number, digest: number): boolean {
    return this.#delivery.canResumeAfter(count, digest)
  }

  /**
   * Binds a connection whose claim was judged good. One synchronous block: the old link is unbound first and closed
   * then, WELCOME (by `sendWelcome`) comes before the replay, the replay before anything newer.
   * False when connections take the session from one another too often: it has ended then.
   */
  resume(
    link: SessionLink,
    claim: {
      readonly user: User
      readonly resume: ResumeClaim
      readonly dial: number
      /** Of the token that was presented. */
      readonly generation: number
    },
    sendWelcome: () => void,
  ): boolean {
    const { counters } = this.#host
    const old = this.#unbind()
    if (old !== undefined) {
      counters.takeovers += 1
      old.close("replaced", "the session goes on on a newer connection")
      if (this.#claims.isThrash(this.#host.clock.now(), this.#host.limits)) {
        this.finish("session_thrash")
        return false
      }
    }
    this.#cancelWindow()
    this.#claims.accept(claim)
    this.#user = claim.user
    this.#link = link
    this.#lastAddress = link.address
    this.#inbound.attach(link.connection)
    this.#renewal.start(claim.user)
    sendWelcome()
    const { handled } = claim.resume
    // What the client has not handled is sent again; its own count of received messages goes back to that, too.
    this.#delivery.attach(link.connection, { received: handled, handled })
    this.#delivery.toldHandled()
    this.#delivery.pump()
    this.#answers.pump()
    this.#state?.resumed()
    counters.sessionsResumed += 1
    this.#host.onAttachment(this)
    return true
  }

  /** The connection is gone. The session waits for its client, where the profile lets it come back. */
  detach(link: SessionLink): void {
    if (this.#link !== link) return
    const { limits, timers, counters } = this.#host
    if (!this.resumable) {
      this.#unbind()
      this.finish("connection_lost")
      return
    }
    this.#unbind()
    counters.sessionsDetached += 1
    this.#cancelWindow = timers.after(limits.resumeWindowMs, () => this.finish("session_expired"))
    this.#host.onAttachment(this)
  }

  /** Closes the connection (if it is still this one) and waits for the client to come back on a better one. */
  dropConnection(code: string, message: string, only?: SessionLink): void {
    const link = this.#link
    if (link === undefined || (only !== undefined && link !== only)) return
    if (this.resumable) {
      this.detach(link)
      link.close(code, message)
    } else {
      this.finish(code, { message, farewell: "close" })
    }
  }

  #unbind(): SessionLink | undefined {
    const link = this.#link
    this.#link = undefined
    this.#delivery.detach()
    this.#inbound.detach()
    this.#renewal.stop()
    return link
  }

  #onRenewalFailed(error: HawserError): void {
    if (error.code === "auth_forbidden") this.finish("auth_forbidden", { message: error.message })
    else this.dropConnection(error.code, error.message)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  send(event: string, payload: unknown): SendOutcome {
    return this.#sender.send(event, payload)
  }

  publish(publication: Publishable): SendOutcome {
    return this.#sender.publish(publication)
  }

  /** Frames of the session layer itself: sent at once or not at all. */
  sendControl(frame: Frame): boolean {
    return this.#active && this.#outbound.control(frame)
  }

  // --- replicas -------------------------------------------------------------------------------------------------

  get speaks20(): boolean {
    return !this.#codec.counts
  }

  get takesState(): boolean {
    return this.#active && this.#outbound.takesState
  }

  sendState(message: OutboundMessage): boolean {
    return this.#active && this.#sender.state(message)
  }

  show(source: StateSource): void {
    this.#state = source
  }

  flushAck(): void {
    if (this.#active) this.#delivery.flushAck()
  }

  dropDeadConnection(): void {
    const link = this.#link
    this.#host.fanOut.afterwards(() =>
      this.dropConnection("connection_lost", "the connection takes nothing any more", link),
    )
  }

  // --- the end --------------------------------------------------------------------------------------------------

  end(code = "forbidden", message?: string): void {
    this.finish(code, { message, farewell: "bye" })
  }

  /** The one way out, idempotent: first inert, then the connection is closed, then others are told. */
  finish(cause: EndCause, options: FinishOptions<User> = {}): void {
    if (!this.#active) return
    this.#active = false
    const message = options.message ?? (isErrorCode(cause) ? errorTable[cause].sentence : cause)
    this.#cancelWindow()
    const farewell = options.farewell ?? farewellOf(cause)
    if (this.#codec.counts) sayFarewell({ delivery: this.#delivery, cause, message, farewell })
    const unacknowledged = this.#delivery.unacknowledged()
    const link = this.#unbind()
    this.#host.acks.delete(this)
    this.#outbound.end()
    this.#delivery.end()
    this.#inbound.end()
    const reason = new HawserError("session_ended", { message: `the session ended: ${message}` })
    this.#answers.end(reason)
    link?.close(cause, message)
    // A code that lets its client come back must not refuse it for as long as it is remembered.
    const isFinal = farewell === "bye" && new HawserError(cause).retry === "never"
    this.#host.onEnded(this, { cause, successor: options.successor, unacknowledged, isFinal })
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** What the bound connection brings. */
  receive(bytes: Uint8Array): void {
    this.#claims.confirm()
    this.#inbound.receive(bytes)
  }

  /** There may be room again, in the socket or in the buffer. */
  drained(): void {
    if (!this.#active) return
    this.#outbound.pump()
    this.#answers.pump()
    this.#inbound.resume()
    this.#state?.drained()
  }

  /** Resolves when no request waits or runs, or the session has ended. */
  idle(): Promise<void> {
    return this.#answers.idle()
  }

  #sendReply(frame: ReplyFrame): void {
    if (this.#active) this.#sender.reliable({ bytes: this.#codec.encode(frame) })
  }

  #settleCount(count: number): void {
    if (count > 0 && this.#active) this.#delivery.settle(count)
  }
}
