// Operations of a journal record: one method writes each, in the order in which `rebuild` applies them. A record holds the
// operations of one turn. Must not know sessions, sockets and files.
//
// Recipients of a message are collected until another operation is written: a broadcast is one operation with its bytes once.
// The order of operations is the order of messages for each session.
import { recordSpace } from "./journal-engine.ts"
import type { KeptMembership } from "../base/session-page.ts"
import type { KeptClaims, KeptSession } from "../session/life/kept-session.ts"
import type { KeptEnd, KeptOutcome, KeptPublication, KeptTopic } from "./kept-state.ts"
import { unacknowledgedOf } from "./kept-state.ts"
import { operation } from "./operation-codes.ts"
import { RecordWriter } from "./record-writer.ts"

/** Message with its bytes; recipients are grouped by the identity of the object. */
interface Sent {
  readonly bytes: Uint8Array
}

/** Position and end of a topic. */
type TopicEnds = Pick<KeptTopic, "epoch" | "offset" | "endsAtMs">

const none: readonly number[] = []

export class OperationWriter {
  readonly #writer = new RecordWriter()
  /** Message whose recipients are being collected, its key as a volatile value, and the recipients. */
  #message: Sent | undefined
  #key: string | undefined
  #recipients: number[] = []
  /** Bytes of the last publication in this record. */
  #published: Uint8Array | undefined
  /** Numbers of bytes that were restated in this round. */
  readonly #shared = new Map<Uint8Array, number>()
  #deliveries = 0

  constructor() {
    this.#writer.skip(recordSpace)
  }

  /** True if no operation was written since `take`. */
  get isEmpty(): boolean {
    return this.#writer.length === recordSpace && this.#message === undefined
  }

  /** Bytes since `take`. */
  get length(): number {
    return this.#writer.length
  }

  /** Deliveries since the writer was created. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Returns the record, and begins the next one: a view, valid until the next call. */
  take(): Buffer {
    this.#flush()
    const record = this.#writer.take()
    this.#writer.skip(recordSpace)
    this.#published = undefined
    return record
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** A reliable message to a session. */
  sent(session: number, message: Sent): void {
    if (this.#message !== message || this.#key !== undefined) this.#collect(message, undefined)
    this.#recipients.push(session)
  }

  /** A keyed volatile value to a session. */
  value(session: number, key: string, message: Sent): void {
    if (this.#message !== message || this.#key !== key) this.#collect(message, key)
    this.#recipients.push(session)
  }

  #collect(message: Sent, key: string | undefined): void {
    this.#flush()
    this.#message = message
    this.#key = key
  }

  /** Writes the collected message. */
  #flush(): void {
    const message = this.#message
    if (message === undefined) return
    const writer = this.#writer
    const recipients = this.#recipients
    this.#deliveries += recipients.length
    this.#message = undefined
    if (this.#key !== undefined) {
      writer.byte(operation.value)
      writer.text(this.#key)
      writer.blob(message.bytes)
    } else if (message.bytes === this.#published) writer.byte(operation.sentPublished)
    else {
      writer.byte(recipients.length === 1 ? operation.reply : operation.sent)
      writer.blob(message.bytes)
      if (recipients.length === 1) {
        writer.count(recipients[0] ?? 0)
        this.#recipients = []
        return
      }
    }
    this.#numbers(recipients)
    this.#recipients = []
  }

  /** Writes numbers as differences: those of a broadcast are mostly 1. */
  #numbers(numbers: readonly number[]): void {
    const writer = this.#writer
    writer.count(numbers.length)
    let before = 0
    for (const number of numbers) {
      writer.integer(number - before)
      before = number
    }
  }

  /** Begins an operation. Returns the writer of its fields. */
  begin(code: number): RecordWriter {
    this.#flush()
    this.#writer.byte(code)
    return this.#writer
  }

  // --- sessions -------------------------------------------------------------------------------------------------

  /** A whole session: a new one, or one that is restated. */
  session(number: number, session: KeptSession): void {
    const messages = unacknowledgedOf(session).map((bytes) => this.#share(bytes))
    const values = [...session.values].map(([key, bytes]) => [key, this.#share(bytes)] as const)
    const writer = this.begin(operation.session)
    writer.count(number)
    for (const text of [session.id, session.clientId, session.address]) writer.text(text)
    writer.blob(session.user)
    this.#claims(session.claims)
    writer.count(session.base)
    writer.word(session.baseDigest)
    this.#numbers(messages)
    writer.count(session.handled)
    writer.word(session.handledDigest)
    for (const set of [session.ahead, session.streams]) this.#numbers([...set])
    writer.count(session.started.size)
    for (const pair of session.started) for (const number of pair) writer.count(number)
    writer.count(values.length)
    for (const [key, shared] of values) {
      writer.text(key)
      writer.count(shared)
    }
    writer.count(session.memberships.size)
    for (const [topic, membership] of session.memberships) this.#membership(topic, membership)
  }

  /** Settled requests: the prefix with its digest, and the requests above it that were settled since. */
  settled(
    session: number,
    { handled, digest, ahead = none }: { handled: number; digest: number; ahead?: readonly number[] },
  ): void {
    const writer = this.begin(operation.settled)
    writer.count(session)
    writer.count(handled)
    writer.word(digest)
    this.#numbers(ahead)
  }

  /** A request whose handler was started, and that is not settled in this turn. `runs`: processes in which it has begun. */
  started(session: number, count: number, runs: number): void {
    const writer = this.begin(operation.started)
    for (const number of [session, count, runs]) writer.count(number)
  }

  /** Messages that the client has acknowledged. */
  acked(session: number, base: number, digest: number): void {
    const writer = this.begin(operation.acked)
    writer.count(session)
    writer.count(base)
    writer.word(digest)
  }

  claims(session: number, claims: KeptClaims, address: string): void {
    const writer = this.begin(operation.claims)
    writer.count(session)
    this.#claims(claims)
    writer.text(address)
  }

  #claims(claims: KeptClaims): void {
    const writer = this.#writer
    writer.count(claims.generation)
    writer.flag(claims.isConfirmed)
    writer.count(claims.lastDial)
    this.#times(claims.takeoversAtMs)
    writer.count(Math.round(claims.windowMs))
    writer.count(Math.round(claims.spentMs))
    this.#times(claims.detachedAtMs === undefined ? none : [claims.detachedAtMs])
  }

  #times(times: readonly number[]): void {
    this.#writer.count(times.length)
    for (const atMs of times) this.#writer.count(Math.round(atMs))
  }

  user(session: number, packed: Uint8Array): void {
    const writer = this.begin(operation.user)
    writer.count(session)
    writer.blob(packed)
  }

  stream(session: number, reference: number, isOpen: boolean): void {
    const writer = this.begin(isOpen ? operation.streamOpened : operation.streamEnded)
    writer.count(session)
    writer.count(reference)
  }

  /** The end of a session. */
  ended(session: number): void {
    this.begin(operation.ended).count(session)
  }

  /** The end of a session, for claims that follow. */
  end(sessionId: string, { cause, userId, isFinal, untilMs }: KeptEnd): void {
    const writer = this.begin(operation.end)
    for (const text of [sessionId, cause, userId]) writer.text(text)
    writer.flag(isFinal)
    writer.count(Math.round(untilMs))
  }

  // --- topics ---------------------------------------------------------------------------------------------------

  member(session: number, topic: string, membership: KeptMembership): void {
    this.begin(operation.member).count(session)
    this.#membership(topic, membership)
  }

  #membership(topic: string, { member, state, away, isBehind }: KeptMembership): void {
    const writer = this.#writer
    writer.text(topic)
    writer.count(member)
    writer.flag(away)
    writer.flag(isBehind)
    writer.flag(state !== null)
    if (state === null) return
    writer.blob(state.bytes)
    writer.count(state.depth)
    writer.count(state.elements)
    writer.count(state.longestKeyBytes)
  }

  left(session: number, topic: string): void {
    const writer = this.begin(operation.left)
    writer.count(session)
    writer.text(topic)
  }

  /** The whole presence of a topic. */
  presence(
    topic: string,
    presence: Record<"members" | "changed" | "gone", Iterable<number>>,
    count: number,
  ): void {
    this.begin(operation.presence).text(topic)
    for (const ids of [presence.members, presence.changed, presence.gone]) this.#numbers([...ids])
    this.#writer.count(count)
  }

  /** A `$presence` event was published: it held all changes until now. */
  presenceTold(topic: string): void {
    this.begin(operation.presenceTold).text(topic)
  }

  /** A topic that begins, or whose end was set. */
  topic(topic: string, state: TopicEnds): void {
    this.#topic(operation.topic, topic, state)
  }

  #topic(code: number, topic: string, { epoch, offset, endsAtMs }: TopicEnds): void {
    const writer = this.begin(code)
    writer.text(topic)
    writer.text(epoch)
    writer.count(offset)
    this.#times(endsAtMs === undefined ? none : [endsAtMs])
  }

  /** A topic without its history, which follows as `retained`. */
  restateTopic(topic: string, state: TopicEnds): void {
    this.#topic(operation.topicRestated, topic, state)
  }

  /** A publication of a restated topic. Newer ones may have been published since. */
  retained(topic: string, { offset, bytes, atMs, except }: KeptPublication): void {
    const shared = this.#share(bytes)
    const writer = this.begin(operation.retained)
    writer.text(topic)
    writer.count(offset)
    writer.count(shared)
    this.#times([atMs])
    this.#optional(except)
  }

  /** A publication with its number; its bytes only if the topic retains them. */
  published(topic: string, offset: number, retained: Omit<KeptPublication, "offset"> | undefined): void {
    const writer = this.begin(operation.published)
    writer.text(topic)
    writer.count(offset)
    writer.flag(retained !== undefined)
    if (retained === undefined) return
    writer.blob(retained.bytes)
    this.#published = retained.bytes
    this.#times([retained.atMs])
    this.#optional(retained.except)
  }

  #optional(text: string | null): void {
    this.#writer.flag(text !== null)
    if (text !== null) this.#writer.text(text)
  }

  topicEnded(topic: string): void {
    this.begin(operation.topicEnded).text(topic)
  }

  // --- requests and types ---------------------------------------------------------------------------------------

  outcome({ userId, id, untilMs, packed }: KeptOutcome): void {
    const writer = this.begin(operation.outcome)
    writer.text(userId)
    writer.text(id)
    writer.count(Math.round(untilMs))
    writer.blob(packed)
  }

  type(number: number, name: string): void {
    const writer = this.begin(operation.type)
    writer.count(number)
    writer.text(name)
  }

  // --- lives and rounds -----------------------------------------------------------------------------------------

  /** The start of a process, with words for people. `isAfterClose`: the process before it was closed. */
  life(text: string, isAfterClose: boolean): void {
    this.begin(operation.life).text(text)
    this.#writer.flag(isAfterClose)
  }

  /** Begins a round. @param nextSession number of the next session. */
  round(nextSession: number): void {
    this.begin(operation.round).count(nextSession)
    this.#shared.clear()
  }

  roundEnd(): void {
    this.begin(operation.roundEnd)
    this.#shared.clear()
  }

  /** Writes bytes once in a round. Returns their number. */
  #share(bytes: Uint8Array): number {
    const known = this.#shared.get(bytes)
    if (known !== undefined) return known
    const number = this.#shared.size
    this.#shared.set(bytes, number)
    const writer = this.begin(operation.shared)
    writer.count(number)
    writer.blob(bytes)
    return number
  }
}
