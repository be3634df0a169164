// One session: its identity, its connections, its end. Active, with a connection or without; then ended. What is said in
// it is its conversation's matter.
// Whatever an unbound connection still says has no effect: nothing of it reaches the session (S13).
import { HawserError, isErrorCode } from "@hawser/protocol"
import { RoundTrip, errorTable, probePatience } from "@hawser/protocol/core"
import type { Frame, OutboundMessage, ResumeClaim, StateUnderWay } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Publishable } from "../conversation/publication.ts"
import type { StateSink, StateSource } from "../conversation/state-source.ts"
import { ClaimHistory } from "./claim-history.ts"
import { Conversation } from "../conversation/conversation.ts"
import type { Conversing } from "../conversation/conversation.ts"
import type { Dialect } from "../conversation/dialect.ts"
import { farewellOf, sayFarewell } from "../conversation/farewell.ts"
import type { ResumableSession } from "../opening/resume.ts"
import type { FinishOptions, SessionHost, SessionLink, SessionOptions } from "./session-host.ts"
import type { EndCause, SendOutcome } from "../../base/session.ts"
import { TokenRenewal, expiresInMs } from "./token-renewal.ts"
import type { TokenRenewalOwner } from "./token-renewal.ts"

/** How long the session waits for its client. */
interface Window {
  readonly ms: number
  /** Idempotent. */
  readonly cancel: () => void
  /** A connection that the server dropped, until it has closed or another one is bound. */
  dropped: SessionLink | undefined
}

export class ServerSession<User extends AuthenticatedUser>
  implements Conversing<User>, ResumableSession, StateSink, TokenRenewalOwner<User>
{
  readonly id: string
  readonly clientId: string
  readonly #host: SessionHost<User, ServerSession<User>>
  readonly #conversation: Conversation<User>
  readonly #claims: ClaimHistory
  /** Undefined while there is nothing to renew. */
  #renewal: TokenRenewal<User> | undefined
  #user: User
  #link: SessionLink | undefined
  #lastAddress: string
  #active = true
  /** Of the last detachment. */
  #window: Window | undefined
  /** Of its client; undefined while it would lengthen no deadline. */
  #roundTrip: RoundTrip | undefined

  constructor(host: SessionHost<User, ServerSession<User>>, options: SessionOptions<User>) {
    const { id, clientId, dial, user, dialect, link } = options
    this.id = id
    this.clientId = clientId
    this.#host = host
    this.#claims = new ClaimHistory(dial)
    this.#user = user
    this.#link = link
    this.#lastAddress = link.address
    this.#conversation = new Conversation(host, this, dialect, options)
    if (this.resumable) host.caps.expect(link.address)
    if (dialect.counts) this.#startRenewal(user)
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
    return this.dialect.counts && this.#host.limits.resumeWindowMs > 0
  }

  get expiresInMs(): number | null {
    return expiresInMs(this.#user, this.#host.wallClockMs)
  }

  get active(): boolean {
    return this.#active
  }

  /** True while this end has stopped reading, so that silence proves nothing. */
  get isPaused(): boolean {
    return this.#conversation.isPaused
  }

  get counts(): {
    readonly sent: number
    readonly acknowledged: number
    readonly received: number
    readonly handled: number
    readonly digest: number
  } {
    const { sent, acknowledged, received, handled, receivedDigest: digest } = this.#conversation.delivery
    return { sent, acknowledged, received, handled, digest }
  }

  /** Reliable messages that the client has not acknowledged, and their bytes. */
  get buffered(): { readonly messages: number; readonly bytes: number } {
    const { sent, acknowledged, bufferedBytes: bytes } = this.#conversation.delivery
    return { messages: sent - acknowledged, bytes }
  }

  /** Since when the client has acknowledged nothing of what it was given; undefined when it owes nothing. */
  get stalledSinceMs(): number | undefined {
    return this.#link === undefined ? undefined : this.#conversation.stalledSinceMs
  }

  // --- liveness -------------------------------------------------------------------------------------------------

  get roundTrip(): RoundTrip | undefined {
    return this.#roundTrip
  }

  /** A ping was answered after `ms`. Most clients are near: for them nothing is kept. */
  answeredPing(ms: number): void {
    if (this.#roundTrip === undefined && ms <= this.#host.limits.pongTimeoutMs / (4 * probePatience)) return
    this.#roundTrip ??= new RoundTrip()
    this.#roundTrip.observe(ms)
  }

  /** A ping was not answered in time. On a lossy link the answer may have been late only: the next one gets longer. */
  missedPong(): void {
    this.#roundTrip ??= new RoundTrip()
    this.#roundTrip.lengthen()
  }

  /** Has the client say what it has handled. */
  askForCounts(): void {
    this.#conversation.askForCounts()
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
    return this.#conversation.delivery.canResumeAfter(count, digest)
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
      readonly countsState: boolean
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
    this.#stopWindow()
    this.#claims.accept(claim)
    this.#user = claim.user
    this.#link = link
    this.#moveTo(link.address)
    this.#conversation.listenTo(link.connection)
    this.#startRenewal(claim.user)
    sendWelcome()
    this.#conversation.goOn(link.connection, claim.resume.handled, claim.countsState)
    counters.sessionsResumed += 1
    this.#host.onAttachment(this)
    return true
  }

  /**
   * Unbinds a connection that is gone. The session waits for its client, where the profile lets it come back. A resume that
   * the client never confirmed leaves the window as short as it was: a page that is being closed may still dial.
   */
  detach(link: SessionLink, windowMs: number): void {
    if (this.#link === link) this.#detach(windowMs)
    else this.#shortenWindow(link, windowMs)
  }

  /** `dropped`: the connection, if it is this end that gives it up. */
  #detach(windowMs: number, dropped?: SessionLink): void {
    const { counters } = this.#host
    if (!this.resumable) {
      this.#unbind()
      this.finish("connection_lost")
      return
    }
    this.#unbind()
    counters.sessionsDetached += 1
    const lastMs = this.#window?.ms ?? Number.POSITIVE_INFINITY
    this.#startWindow(this.#claims.isConfirmed ? windowMs : Math.min(windowMs, lastMs), dropped)
    this.#host.onAttachment(this)
  }

  /** A connection that was found dead and dropped may close with the code of a page that was left. */
  #shortenWindow(link: SessionLink, windowMs: number): void {
    const window = this.#window
    if (window?.dropped !== link) return
    window.dropped = undefined
    if (this.#active && windowMs < window.ms) this.#startWindow(windowMs)
  }

  #startWindow(ms: number, dropped?: SessionLink): void {
    this.#stopWindow()
    const cancel = this.#host.timers.after(ms, () => this.finish("session_expired"))
    this.#window = { ms, cancel, dropped }
  }

  /** Closes the connection (if it is still this one) and waits for the client to come back on a better one. */
  dropConnection(code: string, message: string, only?: SessionLink): void {
    const link = this.#link
    if (link === undefined || (only !== undefined && link !== only)) return
    if (this.resumable) {
      this.#detach(this.#host.limits.resumeWindowMs, link)
      link.close(code, message)
    } else {
      this.finish(code, { message, farewell: "close" })
    }
  }

  #unbind(): SessionLink | undefined {
    const link = this.#link
    this.#link = undefined
    this.#conversation.detach()
    this.#renewal?.stop()
    return link
  }

  /** The caps expect the session's client where it came from last. */
  #moveTo(address: string): void {
    const { caps } = this.#host
    caps.forget(this.#lastAddress)
    caps.expect(address)
    this.#lastAddress = address
  }

  #stopWindow(): void {
    const window = this.#window
    if (window === undefined) return
    window.cancel()
    window.dropped = undefined
  }

  // --- its user's token -----------------------------------------------------------------------------------------

  #startRenewal(user: User): void {
    if (user.expiresAtMs !== undefined) this.#renewing.start(user)
    else this.#renewal?.start(user)
  }

  get #renewing(): TokenRenewal<User> {
    this.#renewal ??= new TokenRenewal(this.#host, this, this.#user)
    return this.#renewal
  }

  renewToken(token: string): void {
    this.#renewing.receive(token)
  }

  askForToken(leftMs: number): void {
    this.#conversation.control({ kind: "authRequest", expiresInMs: leftMs })
  }

  onRenewed(user: User, leftMs: number | null): void {
    this.#user = user
    this.#conversation.control({ kind: "authOk", expiresInMs: leftMs })
    this.#host.onRenewed(this)
  }

  onRenewalFailed(error: HawserError): void {
    if (error.code === "auth_forbidden") this.finish("auth_forbidden", { message: error.message })
    else this.dropConnection(error.code, error.message)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  send(event: string, payload: unknown): SendOutcome {
    return this.#conversation.send(event, payload)
  }

  publish(publication: Publishable): SendOutcome {
    return this.#conversation.publish(publication)
  }

  /** Frames of the session layer itself: sent at once or not at all. */
  sendControl(frame: Frame): boolean {
    return this.#conversation.control(frame)
  }

  // --- replicas -------------------------------------------------------------------------------------------------

  get dialect(): Dialect<User> {
    return this.#conversation.dialect
  }

  takesState(bytes: number, isFirst: boolean): boolean {
    return this.#conversation.takesState(bytes, isFirst)
  }

  sendState(message: OutboundMessage): boolean {
    return this.#conversation.sendState(message)
  }

  pumpValues(): void {
    this.#conversation.pumpValues()
  }

  show(source: StateSource): void {
    this.#conversation.show(source)
  }

  /** State that the client was sent and has not acknowledged; undefined where there is none. */
  get stateUnderWay(): StateUnderWay | undefined {
    return this.#conversation.delivery.stateUnderWay
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
  finish(cause: EndCause, options: FinishOptions<ServerSession<User>> = {}): void {
    if (!this.#active) return
    this.#active = false
    const message = options.message ?? (isErrorCode(cause) ? errorTable[cause].sentence : cause)
    this.#stopWindow()
    if (this.resumable) this.#host.caps.forget(this.#lastAddress)
    const farewell = options.farewell ?? farewellOf(cause)
    const { delivery } = this.#conversation
    if (this.dialect.counts) sayFarewell({ delivery, cause, message, farewell })
    const unacknowledged = delivery.unacknowledged()
    const link = this.#unbind()
    this.#conversation.end(new HawserError("session_ended", { message: `the session ended: ${message}` }))
    link?.close(cause, message)
    // A code that lets its client come back must not refuse it for as long as it is remembered.
    const isFinal = farewell === "bye" && new HawserError(cause).retry === "never"
    this.#host.onEnded(this, { cause, successor: options.successor, unacknowledged, isFinal })
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** What the bound connection brings. */
  receive(bytes: Uint8Array): void {
    this.#claims.confirm()
    this.#conversation.receive(bytes)
  }

  /** What the socket held has left. */
  drained(): void {
    this.#conversation.socketDrained()
  }

  /** Resolves when no request waits or runs, or the session has ended. */
  idle(): Promise<void> {
    return this.#conversation.answers.idle()
  }
}
