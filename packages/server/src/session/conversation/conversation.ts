// Sends and receives the messages of one session over its current connection. A failed write closes the connection; a full send
// buffer ends the session with the dialect's cause. Must not know connection set-up, claims and resume windows.
import { Delivery, outbound } from "@hawser/protocol/core"
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
import { wireError } from "../../calls/told-error.ts"
import { Publication } from "./publication.ts"
import type { Publishable } from "./publication.ts"
import type { StateSource } from "./state-source.ts"
import type { Dialect } from "./dialect.ts"
import type { Acknowledging } from "./ack-schedule.ts"
import { Answers } from "./answers.ts"
import type { AnswersOwner } from "./answers.ts"
import { Inbound } from "./inbound.ts"
import type { InboundOwner } from "./inbound.ts"
import type { Outbound } from "./outbound.ts"
import { takeFrame } from "./session-frames.ts"
import type { FrameTaker } from "./session-frames.ts"
import type { ConversationHost } from "./conversation-host.ts"
import type { Ending } from "./farewell.ts"
import type { EndCause, SendOutcome, Session } from "../../base/session.ts"

/** Of an acknowledgement that is owed without a PONG. */
const ackAlone = -1

/** The session, as its conversation sees it. */
export interface Conversing<User extends AuthenticatedUser> extends Session<User> {
  /** The connection of now takes nothing any more; told once all of a publication's recipients have it. */
  dropDeadConnection(): void
  renewToken(token: string): void
  finish(cause: EndCause, ending?: Ending): void
}

/** Messages and streams of a session as plain data. */
export interface ConversationRecord {
  readonly delivery: DeliveryRecord
  /** References of open streams. */
  readonly streams: readonly number[]
}

/** Its parts know it itself, not callbacks of it: there are many sessions. */
export class Conversation<User extends AuthenticatedUser>
  implements Acknowledging, AnswersOwner<User>, DeliveryOwner, FrameTaker, InboundOwner
{
  readonly host: ConversationHost<User>
  readonly session: Conversing<User>
  readonly dialect: Dialect<User>
  readonly delivery: Delivery
  readonly answers: Answers<User>
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  /** What it sees of replicas, if anything. */
  #state: StateSource | undefined
  #badCount = 0
  /** Number of the newest PING whose answer waits for the socket, or `ackAlone`. Either frame carries all counts (N10). */
  #owed: number | undefined

  constructor(host: ConversationHost<User>, session: Conversing<User>, dialect: Dialect<User>) {
    this.host = host
    this.session = session
    this.dialect = dialect
    this.delivery = new Delivery(host.delivery, this)
    this.#outbound = dialect.outbound(this.delivery)
    this.#inbound = new Inbound(host, this)
    this.answers = new Answers(host, this)
  }

  get codec(): Codec {
    return this.dialect.codec
  }

  /** True while this end has stopped reading. */
  get isPaused(): boolean {
    return this.#inbound.isPaused
  }

  /**
   * Since when the client has acknowledged nothing of what it was given. One that does not acknowledge state also stalls
   * while it keeps its replicas waiting.
   */
  get stalledSinceMs(): number | undefined {
    const { delivery } = this
    if (delivery.countsState) return delivery.stalledSinceMs
    const owedSinceMs = delivery.stalledSinceMs ?? Number.POSITIVE_INFINITY
    const waitsSinceMs = this.#state?.waitingSinceMs ?? Number.POSITIVE_INFINITY
    const sinceMs = Math.min(owedSinceMs, waitsSinceMs)
    return sinceMs === Number.POSITIVE_INFINITY ? undefined : sinceMs
  }

  /** Sends a PING, whose answer carries the client's count of handled messages. */
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

  /** Reads from another connection. Messages that were held of the one before are still processed. */
  listenTo(connection: Connection): void {
    this.#inbound.attach(connection)
  }

  /** Sends on another connection, after its WELCOME: first the replay, then anything newer. */
  resume(connection: Connection, handled: number, countsState: boolean): void {
    this.#owed = undefined
    // Messages that the client has not handled are sent again; its own count of received messages goes back to that, too.
    this.#outbound.attach(connection, { received: handled, handled, countsState })
    this.delivery.toldHandled()
    this.delivery.pump()
    this.answers.pump()
    this.#state?.resumed()
  }

  /** No connection is bound. */
  detach(): void {
    this.#outbound.detach()
    this.#inbound.detach()
  }

  /** Returns messages and open streams as plain data. */
  record(): ConversationRecord {
    return { delivery: this.delivery.record(), streams: this.answers.openStreams() }
  }

  /** Continues from a record, before the first connection. An open stream ends with `server_restarted`. */
  restore({ delivery, streams }: ConversationRecord): void {
    const error = wireError(new HawserError("server_restarted"))
    const ends = streams.map((reference) => this.codec.encode({ kind: "end", reference, error }))
    const sent = { ...delivery.sent, messages: [...delivery.sent.messages, ...ends] }
    this.delivery.restore({ ...delivery, sent })
  }

  /** The session has ended: lets go of everything. */
  end(reason: HawserError): void {
    this.host.acks.delete(this)
    this.#outbound.end()
    this.delivery.end()
    this.#inbound.end()
    this.answers.end(reason)
  }

  // --- sending --------------------------------------------------------------------------------------------------

  /** @throws TypeError for an event that the contract lacks. */
  send(event: string, payload: unknown): SendOutcome {
    const { events, counters } = this.host
    const spec = events.get(event)
    if (spec === undefined) throw new TypeError(`the contract has no event "${event}"`)
    return this.publish(
      new Publication(counters, { name: event, spec, payload, source: undefined, isSingle: true }),
    )
  }

  publish(publication: Publishable): SendOutcome {
    let outcome: SendOutcome = "sent"
    for (const message of publication.messages(this.dialect)) {
      if (!this.session.active) return "ended"
      const one = publication.volatile ? this.#volatile(message, publication.key) : this.#reliable(message)
      // What follows something that found no room would leave a gap.
      if (one === "ended") return one
      if (one !== "sent") outcome = one
    }
    return outcome
  }

  /** Frames of the session layer itself: sent at once or not at all. */
  control(frame: Frame): boolean {
    return this.session.active && this.#outbound.control(frame)
  }

  pong(number: number): void {
    if (this.#isBehind) this.#owed = number
    else this.#answer(number)
  }

  holdsAck(): boolean {
    if (!this.#isBehind) return false
    this.#owed ??= ackAlone
    return true
  }

  /** True while the socket holds as much as it may of reliable messages: a control frame more would be without a bound. */
  get #isBehind(): boolean {
    const { delivery, session, host } = this
    return session.attached && !delivery.socketTakes(host.limits.socketHighWaterBytes)
  }

  #answer(owed: number): void {
    const { handled } = this.delivery
    const isAck = owed === ackAlone
    this.#owed = undefined
    if (!this.control(isAck ? { kind: "ack", handled } : { kind: "pong", number: owed, handled })) return
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

  /** What is kept for the client no longer fits: a message less would be a silent loss, so the session ends. */
  #reliable(message: OutboundMessage): SendOutcome {
    const { host, session, dialect } = this
    const outcome = this.#outbound.reliable(message)
    if (outcome === "sent" || outcome === "buffered") {
      host.replayMemory.check()
      this.#noticeDeath()
      return session.active ? outcome : "ended"
    }
    const cause = outcome === "dead" ? "connection_lost" : dialect.overflow
    host.fanOut.afterwards(() => session.finish(cause))
    return "ended"
  }

  #volatile(message: OutboundMessage, key: string | undefined): SendOutcome {
    const outcome = this.#outbound.volatile(message, key)
    this.#noticeDeath()
    return this.session.active ? outcome : "ended"
  }

  /** A connection that takes nothing any more is not kept until it says so itself. */
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

  /** The views do not wait any more. */
  pumpValues(): void {
    if (this.session.active) this.#outbound.pump()
  }

  /** What stands for a moment only. False when the connection takes nothing any more. */
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

  /** A request that is started must find room for its reply. */
  get isFull(): boolean {
    return this.answers.isFull || !this.delivery.hasRoom(0)
  }

  onFrame(frame: Frame | BadFrame, count: number): void {
    takeFrame(this, frame, count)
  }

  onHeldCancel(reference: number): void {
    this.answers.voidHeld(reference)
  }

  onFlood(waitMs: number): void {
    this.session.finish("rate_limited", { message: `too many messages; wait ${waitMs} ms` })
  }

  countBad(): number {
    this.#badCount += 1
    return this.#badCount
  }

  /** What the socket held has left: the answer goes first, or newer messages would fill the socket again before it. */
  socketDrained(): void {
    if (this.#owed !== undefined) this.#answer(this.#owed)
    this.drained()
  }

  /** There may be room again, in the socket or in the buffer. */
  drained(): void {
    if (!this.session.active) return
    if (this.#owed !== undefined && !this.#isBehind) this.#answer(this.#owed)
    this.#outbound.pump()
    this.answers.pump()
    this.#inbound.resume()
    this.#state?.drained()
  }

  /** There is room for requests again. */
  onSpace(): void {
    this.#inbound.resume()
  }

  settle(count: number): void {
    if (count > 0 && this.session.active) this.delivery.settle(count)
  }

  /** Settles a message that takes effect again if it is sent again after a restart. */
  pass(count: number): void {
    if (count > 0 && this.session.active) this.delivery.pass(count)
  }

  requestAck(): void {
    this.host.acks.add(this)
  }

  flushAck(): void {
    if (this.session.active) this.delivery.flushAck()
  }
}
