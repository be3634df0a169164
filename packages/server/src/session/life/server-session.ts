/* oxlint-disable eslint/max-lines -- one object for a session: a further object would cost every idle session memory */
// One session: identity, user, connections, end. Runs `session.machine.ts`; `Conversation` sends and receives its messages. A
// connection that is not bound has no effect on the session (S13).
import { HawserError, isErrorCode } from "@hawser/protocol"
import { RoundTrip, errorTable, errorWithCode, probePatience } from "@hawser/protocol/core"
import type { Frame, OutboundMessage, StateUnderWay, WelcomeFrame } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Publishable } from "../conversation/publication.ts"
import type { StateSink, StateSource } from "../conversation/state-source.ts"
import { Conversation } from "../conversation/conversation.ts"
import type { Conversing } from "../conversation/conversation.ts"
import type { Dialect } from "../conversation/dialect.ts"
import { endReportOf, reportEnd } from "../conversation/session-end.ts"
import type { ResumableSession } from "../opening/resume.ts"
import { followed } from "./followed-session.ts"
import type { RestoredNumber } from "./kept-session.ts"
import type {
  AcceptedClaim,
  FinishOptions,
  RestoreOptions,
  SessionBirth,
  SessionHost,
  SessionLink,
} from "./session-host.ts"
import { claimsAt, stepLife, wakeAtLife } from "./session.machine.ts"
import type { LifeEffect, LifeInput, LifeState } from "./session.machine.ts"
import type { SessionRecord } from "./session-record.ts"
import type { SessionPage } from "../../base/session-page.ts"
import type { EndCause, SendOutcome } from "../../base/session.ts"
import { TokenRenewal, expiresInMs } from "./token-renewal.ts"
import type { TokenRenewalOwner } from "./token-renewal.ts"

export class ServerSession<User extends AuthenticatedUser>
  implements Conversing<User>, ResumableSession, StateSink, TokenRenewalOwner<User>
{
  readonly id: string
  readonly clientId: string
  readonly #host: SessionHost<User, ServerSession<User>>
  readonly #conversation: Conversation<User>
  #life: LifeState<SessionLink>
  #cancelWake: (() => void) | undefined
  /** Undefined before the first token with an expiry, or the first renewed token. */
  #renewal: TokenRenewal<User> | undefined
  #user: User
  #lastAddress: string
  /** Undefined while the round trip is too short to lengthen a deadline. */
  #roundTrip: RoundTrip | undefined

  /** Creates a session without a connection. `open` and `resume` bind one; `restore` continues detached. */
  constructor(host: SessionHost<User, ServerSession<User>>, birth: SessionBirth<User>) {
    const { id, clientId, user, address, dialect, life } = birth
    this.id = id
    this.clientId = clientId
    this.#host = host
    this.#life = life
    this.#user = user
    this.#lastAddress = address
    this.#conversation = new Conversation(host, this, dialect)
    if (this.resumable) host.caps.expect(address)
  }

  get user(): User {
    return this.#user
  }

  get address(): string {
    return this.#lastAddress
  }

  get attached(): boolean {
    return this.#life.kind === "attached"
  }

  /** True if the session waits for a resume after a lost connection. */
  get resumable(): boolean {
    return this.dialect.counts && this.#host.limits.resumeWindowMs > 0
  }

  /** Remaining time to live of the user's token, in milliseconds; null without an expiry. */
  get expiresInMs(): number | null {
    return expiresInMs(this.#user, this.#host.wallClockMs)
  }

  get active(): boolean {
    return this.#life.kind !== "ended" && this.#life.kind !== "moved"
  }

  /** True while the server does not read the socket. Silence is no sign of a dead peer then. */
  get isPaused(): boolean {
    return this.#conversation.isPaused
  }

  /** Counts of the client's reliable messages, and the digest of the received ones. */
  get counts(): Pick<WelcomeFrame, "received" | "handled" | "digest"> {
    const { received, handled, receivedDigest: digest } = this.#conversation.delivery
    return { received, handled, digest }
  }

  /** Reliable messages that the client has not acknowledged, and their bytes. */
  get buffered(): { readonly messages: number; readonly bytes: number } {
    const { sent, acknowledged, bufferedBytes: bytes } = this.#conversation.delivery
    return { messages: sent - acknowledged, bytes }
  }

  /** Time since which the client has acknowledged nothing; undefined while detached and without unacknowledged messages. */
  get stalledSinceMs(): number | undefined {
    return this.attached ? this.#conversation.stalledSinceMs : undefined
  }

  // --- liveness -------------------------------------------------------------------------------------------------

  get roundTrip(): RoundTrip | undefined {
    return this.#roundTrip
  }

  /** Records the round trip of a ping. A short first one is not kept: it lengthens no deadline. */
  answeredPing(ms: number): void {
    if (this.#roundTrip === undefined && ms <= this.#host.limits.pongTimeoutMs / (4 * probePatience)) return
    this.#roundTrip ??= new RoundTrip()
    this.#roundTrip.observe(ms)
  }

  /** Lengthens the next deadline after a missed pong, which a lossy link may only have delayed. */
  missedPong(): void {
    this.#roundTrip ??= new RoundTrip()
    this.#roundTrip.lengthen()
  }

  /** Sends a PING, whose answer acknowledges messages. */
  askForCounts(): void {
    this.#conversation.askForCounts()
  }

  // --- connections ----------------------------------------------------------------------------------------------

  get tokenGeneration(): number {
    return this.#life.claims.generation
  }

  get isTokenConfirmed(): boolean {
    return this.#life.claims.isConfirmed
  }

  get lastDial(): number {
    return this.#life.claims.lastDial
  }

  canResumeAfter(count: number, digest: number): boolean {
    return this.#conversation.delivery.canResumeAfter(count, digest)
  }

  /** Binds the connection that opened the session. */
  open({ connection }: SessionLink, countsState: boolean): void {
    this.#conversation.attach(connection, { received: 0, handled: 0, countsState })
    if (this.dialect.counts) this.#startRenewal(this.#user)
    this.follow()
  }

  /**
   * Binds a connection whose claim was accepted, in one synchronous block: the old connection is unbound and closed, then
   * `sendWelcome` sends WELCOME, then the replay follows, then newer messages.
   * Returns false if `takeoversMax` was exceeded; the session has ended then.
   */
  resume(link: SessionLink, claim: AcceptedClaim<User>, sendWelcome: () => void): boolean {
    const { counters, clock } = this.#host
    const { user, resume, dial, generation, countsState } = claim
    this.#step({ kind: "claim", link, dial, generation, nowMs: clock.now() }, takenOver)
    if (!this.active) return false
    this.#user = user
    this.#conversation.page?.renewed()
    this.#conversation.page?.resumed(resume.sent)
    this.#conversation.page?.acknowledged()
    this.#moveTo(link.address)
    this.#conversation.listenTo(link.connection)
    this.#startRenewal(user)
    sendWelcome()
    this.#conversation.resume(link.connection, resume.handled, countsState)
    counters.sessionsResumed += 1
    this.#host.onAttachment(this)
    return true
  }

  /** Detaches a connection that has closed. The resume window is `windowMs`. */
  detach(link: SessionLink, windowMs: number): void {
    this.#step({ kind: "closed", link, windowMs, nowMs: this.#host.clock.now() }, {})
  }

  /** Closes the current connection and waits for a resume. No effect if `only` is another connection. */
  dropConnection(code: string, message: string, only?: SessionLink): void {
    const link = this.#link
    if (link === undefined || (only !== undefined && link !== only)) return
    this.#step({ kind: "drop", link, code, nowMs: this.#host.clock.now() }, { message, report: "close" })
  }

  get #link(): SessionLink | undefined {
    return this.#life.kind === "attached" ? this.#life.link : undefined
  }

  // --- runner of the machine ----------------------------------------------------------------------------------------

  #step(input: LifeInput<SessionLink>, ending: FinishOptions<ServerSession<User>>): void {
    const { life } = this.#host
    const options = this.resumable ? life.resumable : life.single
    const [state, effects] = stepLife(options, this.#life, input)
    if (state !== this.#life) this.#conversation.page?.claimed()
    this.#life = state
    this.#arm()
    for (const effect of effects) this.#perform(effect, ending)
  }

  #arm(): void {
    const { timers, clock } = this.#host
    this.#cancelWake?.()
    const atMs = wakeAtLife(this.#life)
    this.#cancelWake =
      atMs === undefined
        ? undefined
        : timers.at(atMs, () => this.#step({ kind: "wake", nowMs: clock.now() }, {}))
  }

  #perform(effect: LifeEffect<SessionLink>, ending: FinishOptions<ServerSession<User>>): void {
    const { counters } = this.#host
    switch (effect.kind) {
      case "unbind":
        this.#unbind()
        return
      case "close":
        if (effect.code === "replaced") counters.takeovers += 1
        effect.link.close(effect.code, ending.message ?? "")
        return
      case "bind":
        return
      case "wait":
        counters.sessionsDetached += 1
        this.#host.onAttachment(this)
        return
      case "end":
        this.#end(effect, ending)
    }
  }

  #unbind(): void {
    this.#conversation.detach()
    this.#renewal?.stop()
  }

  /** Reserves the session's slot at the address of its new connection. */
  #moveTo(address: string): void {
    const { caps } = this.#host
    caps.forget(this.#lastAddress)
    caps.expect(address)
    this.#lastAddress = address
  }

  // --- ledger -----------------------------------------------------------------------------------------------------

  /** Page of the session in the server's ledger; undefined without one. */
  get page(): SessionPage | undefined {
    return this.#conversation.page
  }

  /** Has the server's ledger follow the session, if it can be resumed. */
  follow(restored?: RestoredNumber): void {
    const { ledger } = this.#host
    if (ledger === undefined || !this.resumable) return
    const parts = {
      session: this,
      conversation: this.#conversation,
      host: this.#host,
      life: () => this.#life,
    }
    this.#conversation.page = ledger.follow(followed(parts), restored)
  }

  // --- freezing and thawing -------------------------------------------------------------------------------------

  /** Closes the connection and returns the session as plain data. The session becomes inactive without a hook. */
  freeze(): SessionRecord {
    const { clock, caps, userRecord } = this.#host
    const claims = claimsAt(this.#life, clock.now())
    this.#step({ kind: "move", code: "connection_lost" }, {})
    const { running: _, ...conversation } = this.#conversation.record()
    const record = {
      id: this.id,
      clientId: this.clientId,
      user: userRecord.pack(this.#user),
      address: this.#lastAddress,
      claims,
      ...conversation,
      memberships: this.#host.onFrozen(this),
    }
    caps.forget(this.#lastAddress)
    this.#conversation.page?.ended()
    this.#conversation.end(
      new HawserError("session_ended", { message: "the session continues in another process" }),
    )
    return record
  }

  /** Continues from a record, detached. `joined` restores the memberships. */
  restore(
    record: SessionRecord,
    { joined, messageOf }: RestoreOptions<SessionHost<User, ServerSession<User>>["onThawed"]>,
  ): void {
    this.#conversation.restore(record, messageOf)
    this.#arm()
    joined(this, record.memberships)
  }

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
    this.#conversation.page?.renewed()
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

  /** Sends a frame of the session layer at once. Returns false if it was not sent. */
  sendControl(frame: Frame): boolean {
    return this.#conversation.control(frame)
  }

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

  /** Unacknowledged state; undefined without any. */
  get stateUnderWay(): StateUnderWay | undefined {
    return this.#conversation.delivery.stateUnderWay
  }

  dropDeadConnection(): void {
    const link = this.#link
    this.#host.fanOut.defer(() =>
      this.dropConnection("connection_lost", "the socket accepts no more data", link),
    )
  }

  end(code = "forbidden", message?: string): void {
    this.#host.fanOut.defer(() => this.finish(code, { message, report: "bye" }))
  }

  /** Ends the session once: it becomes inactive, then the connection is closed, then observers are called. */
  finish(cause: EndCause, options: FinishOptions<ServerSession<User>> = {}): void {
    if (this.active) this.#step({ kind: "end", cause }, options)
  }

  #end(
    { cause, link }: Extract<LifeEffect<SessionLink>, { kind: "end" }>,
    ending: FinishOptions<ServerSession<User>>,
  ): void {
    const message = ending.message ?? (isErrorCode(cause) ? errorTable[cause].sentence : cause)
    if (this.resumable) this.#host.caps.forget(this.#lastAddress)
    const report = ending.report ?? endReportOf(cause)
    const { delivery } = this.#conversation
    if (this.dialect.counts) reportEnd(delivery, report, { cause, message })
    const unacknowledged = delivery.unacknowledged()
    this.#conversation.page?.ended()
    this.#unbind()
    this.#conversation.end(new HawserError("session_ended", { message: `the session ended: ${message}` }))
    link?.close(cause, message)
    // After a code that allows a retry, a later claim must not be refused for the time of the tombstone.
    const isFinal = report === "bye" && errorWithCode(cause).retry === "never"
    this.#host.onEnded(this, { cause, successor: ending.successor, unacknowledged, isFinal })
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  /** Receives a message of the bound connection. */
  receive(bytes: Uint8Array): void {
    const life = this.#life
    if (life.kind === "attached" && !life.claims.isConfirmed)
      this.#step({ kind: "message", link: life.link }, {})
    this.#conversation.receive(bytes)
  }

  /** Called when the socket has drained. */
  drained(): void {
    this.#conversation.socketDrained()
  }

  /** Resolves when no request waits or runs, or the session has ended. */
  idle(): Promise<void> {
    return this.#conversation.answers.idle()
  }
}

/** Close reason of a connection whose session was resumed on a newer one. */
const takenOver = { message: "the session was resumed on a newer connection" }
