// Sends and receives the messages of one session over its current connection. A failed write closes the connection; a full send
// buffer ends the session with the dialect's cause. Must not know connection set-up, claims and resume windows.
import { ServerDelivery, outbound, outgoingPayload, unknownName } from "@hawser/protocol/core"
import { HawserError } from "@hawser/protocol"
import type {
  BadFrame,
  Codec,
  Connection,
  DeliveryOwner,
  DeliveryRecord,
  Frame,
  OtherEnd,
  OutboundMessage,
  ReplicaHold,
  ReplyFrame,
} from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { SessionPage } from "../../base/session-page.ts"
import { wireError } from "../../calls/wire-error.ts"
import { Publication } from "./publication.ts"
import type { Publishable } from "./publication.ts"
import type { StateSource } from "./state-source.ts"
import type { Dialect } from "./dialect.ts"
import type { Acknowledging } from "./ack-schedule.ts"
import { Answers } from "./answers.ts"
import type { AnswersOwner } from "./answers.ts"
import { Inbound } from "./inbound.ts"
import type { InboundOwner, ThrottleLimit } from "./inbound.ts"
import type { Outbound } from "./outbound.ts"
import { takeFrame } from "./session-frames.ts"
import type { FrameTaker } from "./session-frames.ts"
import type { ConversationHost } from "./conversation-host.ts"
import type { Ending } from "./session-end.ts"
import type { EndCause, SendOutcome, Session } from "../../base/session.ts"

/** Value of `#pendingAnswer` for an ACK. */
const pendingAck = -1

/** Session of a conversation. */
export interface Conversing<User extends AuthenticatedUser> extends Session<User> {
  /** Drops the current connection, whose socket accepts no more data. Deferred during a fan-out. */
  dropDeadConnection(): void
  renewToken(token: string): void
  finish(cause: EndCause, ending?: Ending): void
}

/** Messages and streams of a session as plain data. */
export interface ConversationRecord {
  readonly delivery: DeliveryRecord
  /** References of open streams. */
  readonly streams: readonly number[]
  /** Numbers of requests whose handlers run. */
  readonly running: readonly number[]
}

/** Its parts hold a reference to it instead of callbacks, which saves memory in each session. */
export class Conversation<User extends AuthenticatedUser>
  implements Acknowledging, AnswersOwner<User>, DeliveryOwner, FrameTaker, InboundOwner
{
  readonly host: ConversationHost<User>
  readonly session: Conversing<User>
  readonly dialect: Dialect<User>
  readonly delivery: ServerDelivery
  readonly answers: Answers<User>
  /** Page of the session in the server's ledger; undefined without one. */
  page: SessionPage | undefined
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  /** Views of replicas; undefined without any. */
  #state: StateSource | undefined
  #badCount = 0
  /** Number of the newest PING whose PONG waits for the socket, or `pendingAck`. PONG and ACK carry all counts (N10). */
  #pendingAnswer: number | undefined

  constructor(host: ConversationHost<User>, session: Conversing<User>, dialect: Dialect<User>) {
    this.host = host
    this.session = session
    this.dialect = dialect
    this.delivery = new ServerDelivery(host.delivery, this)
    this.#outbound = dialect.outbound(this.delivery)
    this.#inbound = new Inbound(host, this)
    this.answers = new Answers(host, this)
  }

  get codec(): Codec {
    return this.dialect.codec
  }

  /** True while the server does not read the socket. */
  get isPaused(): boolean {
    return this.#inbound.isPaused
  }

  /**
   * Time since which the client has acknowledged nothing; undefined without unacknowledged messages. For a client that does not
   * acknowledge state, time in which its views wait for the socket counts, too.
   */
  get stalledSinceMs(): number | undefined {
    const { delivery } = this
    const waitsSinceMs = delivery.countsState ? undefined : this.#state?.waitingSinceMs
    if (waitsSinceMs === undefined) return delivery.stalledSinceMs
    return Math.min(waitsSinceMs, delivery.stalledSinceMs ?? waitsSinceMs)
  }

  /** Sends a PING. Its answer carries the client's count of handled messages. */
  askForCounts(): void {
    const { delivery } = this
    if (this.dialect.counts && this.control({ kind: "ping", number: 0, handled: delivery.handled }))
      delivery.toldHandled()
  }

  // --- connections ----------------------------------------------------------------------------------------------

  /** Binds the first connection. */
  attach(connection: Connection, otherEnd: OtherEnd): void {
    this.#outbound.attach(connection, otherEnd)
    this.#inbound.attach(connection)
  }

  /** Reads from another connection. Held messages of the previous one are still processed. */
  listenTo(connection: Connection): void {
    this.#inbound.attach(connection)
  }

  /** Sends on another connection, after its WELCOME: first the replay, then newer messages. */
  resume(connection: Connection, handled: number, countsState: boolean): void {
    this.#pendingAnswer = undefined
    // The replay begins after the last handled message, and the client resets its count of received messages to it.
    this.#outbound.attach(connection, { received: handled, handled, countsState })
    this.delivery.toldHandled()
    this.delivery.pump()
    this.answers.resumed()
    this.answers.pump()
    this.#state?.resumed()
  }

  /** Unbinds the connection. */
  detach(): void {
    this.#outbound.detach()
    this.#inbound.detach()
  }

  /** Returns messages and open streams as plain data. */
  record(): ConversationRecord {
    const { answers } = this
    return { delivery: this.delivery.record(), streams: answers.openStreams(), running: answers.running() }
  }

  /** Continues from a record, before the first connection. An open stream ends with `server_restarted`. */
  restore(
    { delivery, streams }: Omit<ConversationRecord, "running">,
    messageOf: (bytes: Uint8Array) => OutboundMessage,
  ): void {
    const error = wireError(new HawserError("server_restarted"))
    // Their ENDs are new messages: a page that follows later states them.
    const ends = streams.map((reference) => this.codec.encode({ kind: "end", reference, error }))
    const sent = { ...delivery.sent, messages: [...delivery.sent.messages, ...ends] }
    this.delivery.restore({ ...delivery, sent }, messageOf)
  }

  /** Releases all messages, requests and timers at the session's end. */
  end(reason: HawserError): void {
    this.host.acks.delete(this)
    this.#outbound.end()
    this.delivery.end()
    this.#inbound.end()
    this.answers.end(reason)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /** @throws TypeError for an event that the contract lacks. @throws UnsendableError for a payload that does not fit. */
  send(event: string, payload: unknown): SendOutcome {
    const { events, counters } = this.host
    const spec = events.get(event)
    if (spec === undefined) throw unknownName("the contract has no event", event, events.keys())
    const sent = outgoingPayload(event, spec, payload)
    const one = { name: event, spec, payload: sent, source: undefined, isSingle: true }
    const publication = new Publication(counters, one)
    return this.host.fanOut.isHeld ? this.#hold(publication) : this.publish(publication)
  }

  /** Sends a message at the end of the atomic function. @throws as `publish`. */
  #hold(publication: Publishable): SendOutcome {
    if (!this.session.active) return "ended"
    publication.messages(this.dialect)
    this.host.fanOut.defer(() => void this.publish(publication))
    return "held"
  }

  publish(publication: Publishable): SendOutcome {
    let outcome: SendOutcome = "sent"
    for (const message of publication.messages(this.dialect)) {
      if (!this.session.active) return "ended"
      const one = publication.volatile ? this.#volatile(message, publication.key) : this.#reliable(message)
      // Messages after one that did not fit into the send buffer would leave a gap.
      if (one === "ended") return one
      if (one !== "sent") outcome = one
    }
    return outcome
  }

  /** Sends a frame of the session layer at once. Returns false if it was not sent. */
  control(frame: Frame): boolean {
    return this.session.active && this.#outbound.control(frame)
  }

  pong(number: number): void {
    // Output that waits for the journal must not make the connection look dead. Newer counts are not kept yet; 0 acknowledges nothing.
    if (this.session.active && this.#outbound.ahead({ kind: "pong", number, handled: 0 })) return
    if (this.#isBehind) this.#pendingAnswer = number
    else this.#answer(number)
  }

  holdsAck(): boolean {
    if (!this.#isBehind) return false
    this.#pendingAnswer ??= pendingAck
    return true
  }

  /** True while the socket is at its high-water mark. Answers wait then, or a flood of PINGs would fill the socket without a bound. */
  get #isBehind(): boolean {
    const { delivery, session, host } = this
    return session.attached && !delivery.socketTakes(host.limits.socketHighWaterBytes)
  }

  #answer(pending: number): void {
    const { handled } = this.delivery
    const isAck = pending === pendingAck
    this.#pendingAnswer = undefined
    if (!this.control(isAck ? { kind: "ack", handled } : { kind: "pong", number: pending, handled })) return
    if (isAck) this.host.counters.acksSent += 1
    this.delivery.toldHandled()
  }

  reply(frame: ReplyFrame): void {
    if (this.session.active) this.#reliable(outbound(this.codec.encode(frame)))
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.session.active) this.#reliable(outbound(bytes))
  }

  hasRoom(bytes: number): boolean {
    return this.delivery.hasRoom(bytes)
  }

  /** Sends a reliable message. A full send buffer ends the session, because a dropped message would be a silent loss. */
  #reliable(message: OutboundMessage): SendOutcome {
    const { host, session, dialect } = this
    const outcome = this.#outbound.reliable(message)
    if (outcome === "sent" || outcome === "buffered") {
      this.page?.sent(message)
      host.replayMemory.check()
      this.#noticeDeath()
      return session.active ? outcome : "ended"
    }
    const cause = outcome === "dead" ? "connection_lost" : dialect.overflow
    host.fanOut.defer(() => session.finish(cause))
    return "ended"
  }

  #volatile(message: OutboundMessage, key: string | undefined): SendOutcome {
    const outcome = this.#outbound.volatile(message, key)
    if (key !== undefined) this.page?.value(key, message)
    this.#noticeDeath()
    return this.session.active ? outcome : "ended"
  }

  /** Drops a connection whose write has failed, without waiting for its close event. */
  #noticeDeath(): void {
    if (this.delivery.isDead) this.session.dropDeadConnection()
  }

  // --- replicas -------------------------------------------------------------------------------------------------

  takesState(bytes: number, isFirst: boolean): boolean {
    return this.session.active && this.#outbound.takesState(bytes, isFirst)
  }

  get viewsWait(): boolean {
    return this.#state?.waitingSinceMs !== undefined
  }

  /** Sends keyed values that waited for the views. */
  pumpValues(): void {
    if (this.session.active) this.#outbound.pump()
  }

  /** Sends a state frame: not counted, never replayed. Returns false if it was not sent. */
  sendState(message: OutboundMessage): boolean {
    if (!this.session.active) return false
    const sent = this.#outbound.state(message)
    this.#noticeDeath()
    return sent
  }

  show(source: StateSource): void {
    this.#state = source
  }

  have(held: readonly ReplicaHold[]): void {
    this.#state?.have(held)
  }

  // --- receiving ------------------------------------------------------------------------------------------------

  receive(bytes: Uint8Array): void {
    this.#inbound.receive(bytes)
  }

  get arrivedAtMs(): number {
    return this.#inbound.arrivedAtMs
  }

  get userId(): string {
    return this.session.user.id
  }

  /** True if the request queue or the send buffer is full. A started request needs space for its reply. */
  get isFull(): boolean {
    return this.answers.isFull || !this.delivery.hasRoom(0)
  }

  onFrame(frame: Frame | BadFrame, count: number): void {
    takeFrame(this, frame, count)
  }

  onHeldCancel(reference: number): void {
    this.answers.voidHeld(reference)
  }

  onThrottled(limit: ThrottleLimit, forMs: number): void {
    if (this.dialect.counts) this.control({ kind: "throttled", limit, forMs })
  }

  onFlood(waitMs: number): void {
    const { throttledMaxMs } = this.host.limits
    const message = `the user's messages exceeded a rate for ${throttledMaxMs} ms (limits.throttledMaxMs); wait ${waitMs} ms`
    this.session.finish("rate_limited", { message })
  }

  countBad(): number {
    this.#badCount += 1
    return this.#badCount
  }

  /** Continues after the socket has drained. A pending answer goes first, or newer messages would fill the socket again. */
  socketDrained(): void {
    if (this.#pendingAnswer !== undefined) this.#answer(this.#pendingAnswer)
    this.drained()
  }

  /** Continues after the socket has drained or messages were acknowledged. */
  drained(): void {
    if (!this.session.active) return
    if (this.#pendingAnswer !== undefined && !this.#isBehind) this.#answer(this.#pendingAnswer)
    this.#outbound.pump()
    this.answers.pump()
    this.#inbound.resume()
    this.#state?.drained()
  }

  /** Continues reading when the request queue is below its high-water mark. */
  onSpace(): void {
    this.#inbound.resume()
  }

  settle(count: number): void {
    if (count === 0 || !this.session.active) return
    // Noted first: the settlement may send an ACK with the new count in this turn.
    this.page?.settled(count)
    this.delivery.settle(count)
  }

  /** Settles a message that has its effect again when it is retransmitted after a restart. */
  pass(count: number): void {
    if (count === 0 || !this.session.active) return
    this.page?.passed()
    this.delivery.pass(count)
  }

  requestAck(): void {
    this.host.acks.add(this)
  }

  flushAck(): void {
    if (this.session.active) this.delivery.flushAck()
  }
}
