// Applies the records of a journal to a state. Operations on a session that is not known are skipped until the round that begins
// the journal has ended: its statement follows in the round, and holds their effect. After it they are a fault of the journal.
// Must not know files.
import type { KeptMembership } from "../base/session-page.ts"
import type { KeptSession } from "../session/life/kept-session.ts"
import type { KeptPresence, KeptPublication, KeptState, KeptTopic } from "./kept-state.ts"
import { emptyState } from "./kept-state.ts"
import { operation } from "./operation-codes.ts"
import { bytesOf, claimsOf, membershipOf, optional } from "./operation-fields.ts"
import { addReplicas } from "./replica-operations.ts"
import { JournalFormatError, RecordReader } from "./record-reader.ts"

/** Follows the operations of one record. */
interface OperationWatch {
  /** Reader of the record's body. */
  readonly reader: RecordReader
  /** Called after each operation. */
  readonly onOperation: (code: number) => void
}

type Apply = (rebuild: Rebuild, reader: RecordReader) => void

/** Messages that a session's list may hold behind `firstMessage` before it is copied. */
const slackMax = 64

export class Rebuild {
  readonly state: KeptState = emptyState()
  /** Texts of the lives, oldest first. */
  readonly lives: string[] = []
  /** True once a round has ended: every session that exists is known. */
  isComplete = false
  /** Bytes of the current round, by number. */
  shared: Uint8Array[] = []
  /** Bytes of the last publication of the record. */
  published: Uint8Array | undefined

  /** Applies one record. @throws JournalFormatError for an operation that this version does not know, or that does not fit. */
  apply(body: Buffer, atMs: number, watch?: OperationWatch): void {
    const reader = watch?.reader ?? new RecordReader(body)
    this.published = undefined
    while (!reader.isAtEnd) {
      const code = reader.byte()
      const apply = appliers[code]
      if (apply === undefined)
        throw new JournalFormatError(
          `the record holds operation ${code}, which this server does not know: start the version that wrote it`,
        )
      apply(this, reader)
      watch?.onOperation(code)
    }
    this.state.lastAtMs = Math.max(this.state.lastAtMs, atMs)
  }

  /** Returns a session; undefined for one whose statement follows. */
  session(number: number): KeptSession | undefined {
    const session = this.state.sessions.get(number)
    if (session === undefined && this.isComplete)
      throw new JournalFormatError(`the record names session ${number}, which does not exist`)
    return session
  }

  /** The process was closed: requests that ran at its end have not ended it. */
  closed(): void {
    for (const { started } of this.state.sessions.values())
      for (const count of started.keys()) started.set(count, 1)
  }

  /** A process begins: sessions that the one before it had attached wait since its last record. */
  begins(isAfterClose: boolean): void {
    const { sessions, lastAtMs } = this.state
    for (const session of sessions.values())
      session.claims = { ...session.claims, detachedAtMs: session.claims.detachedAtMs ?? lastAtMs }
    if (isAfterClose) this.closed()
  }

  topic(name: string): KeptTopic | undefined {
    const topic = this.state.topics.get(name)
    if (topic === undefined && this.isComplete)
      throw new JournalFormatError(`the record names topic "${name}", which does not exist`)
    return topic
  }

  sharedBytes(number: number): Uint8Array {
    const bytes = this.shared[number]
    if (bytes === undefined) throw new JournalFormatError(`the record refers to bytes ${number} of its round`)
    return bytes
  }

  deliver(numbers: readonly number[], bytes: Uint8Array): void {
    this.state.deliveries += numbers.length
    for (const number of numbers) this.session(number)?.messages.push(bytes)
  }

  presence(topic: string): KeptPresence {
    const { presences } = this.state
    const known = presences.get(topic)
    if (known !== undefined) return known
    const presence = {
      members: new Set<number>(),
      changed: new Set<number>(),
      gone: new Set<number>(),
      publishedCount: 0,
    }
    presences.set(topic, presence)
    return presence
  }

  join(session: KeptSession, topic: string, membership: KeptMembership): void {
    session.memberships.set(topic, membership)
    const presence = this.presence(topic)
    presence.members.add(membership.member)
    presence.changed.add(membership.member)
  }

  leave(session: KeptSession, topic: string): void {
    const membership = session.memberships.get(topic)
    if (membership === undefined) return
    session.memberships.delete(topic)
    const presence = this.presence(topic)
    presence.members.delete(membership.member)
    presence.changed.delete(membership.member)
    presence.gone.add(membership.member)
  }
}

function sessionOf(rebuild: Rebuild, reader: RecordReader): KeptSession {
  const [id, clientId, address] = [reader.text(), reader.text(), reader.text()]
  const user = bytesOf(reader)
  const claims = claimsOf(reader)
  const base = reader.count()
  const baseDigest = reader.word()
  const messages = reader.numbers().map((number) => rebuild.sharedBytes(number))
  const handled = reader.count()
  const handledDigest = reader.word()
  const [ahead, streams] = [reader.numbers(), reader.numbers()]
  const started = new Map<number, number>()
  for (let left = reader.count(); left > 0; left -= 1) started.set(reader.count(), reader.count())
  const values = new Map<string, Uint8Array>()
  for (let left = reader.count(); left > 0; left -= 1)
    values.set(reader.text(), rebuild.sharedBytes(reader.count()))
  const memberships = new Map<string, KeptMembership>()
  for (let left = reader.count(); left > 0; left -= 1) memberships.set(...membershipOf(reader))
  rebuild.state.deliveries += messages.length
  return {
    ...{
      id,
      clientId,
      address,
      user,
      claims,
      base,
      baseDigest,
      messages,
      firstMessage: 0,
      handled,
      handledDigest,
    },
    ...{
      ahead: new Set(ahead),
      started,
      streams: new Set(streams),
      values,
      memberships,
    },
  }
}

function acknowledge(session: KeptSession, base: number, digest: number): void {
  const count = base - session.base
  if (count < 0 || count > session.messages.length - session.firstMessage)
    throw new JournalFormatError(
      `session ${session.id} acknowledges message ${base}; it has ${session.messages.length - session.firstMessage} after ${session.base}`,
    )
  session.base = base
  session.baseDigest = digest
  session.firstMessage += count
  if (session.firstMessage < session.messages.length && session.firstMessage < slackMax) return
  session.messages = session.messages.slice(session.firstMessage)
  session.firstMessage = 0
}

const appliers: readonly (Apply | undefined)[] = ((): (Apply | undefined)[] => {
  const table: (Apply | undefined)[] = []
  const add = (code: number, apply: Apply): void => void (table[code] = apply)
  add(operation.life, (rebuild, reader) => {
    rebuild.lives.push(reader.text())
    rebuild.begins(reader.flag())
  })
  add(operation.round, (rebuild, reader) => {
    const { state } = rebuild
    rebuild.shared = []
    state.nextSession = Math.max(state.nextSession, reader.count())
  })
  add(operation.roundEnd, (rebuild) => {
    rebuild.shared = []
    rebuild.isComplete = true
  })
  add(operation.shared, ({ shared }, reader) => {
    if (reader.count() !== shared.length) throw new JournalFormatError("bytes of a round out of order")
    shared.push(bytesOf(reader))
  })
  addMessages(add)
  addSessions(add)
  addRequests(add)
  addMemberships(add)
  addTopics(add)
  addReplicas(add)
  add(operation.outcome, ({ state }, reader) => {
    const [userId, id, untilMs] = [reader.text(), reader.text(), reader.count()]
    state.outcomes.set(JSON.stringify([userId, id]), { userId, id, untilMs, packed: bytesOf(reader) })
  })
  add(operation.type, ({ state }, reader) => void state.types.set(reader.count(), reader.text()))
  return table
})()

function addMessages(add: (code: number, apply: Apply) => void): void {
  add(operation.sent, (rebuild, reader) => {
    const bytes = bytesOf(reader)
    rebuild.deliver(reader.numbers(), bytes)
  })
  add(operation.reply, (rebuild, reader) => {
    const bytes = bytesOf(reader)
    rebuild.deliver([reader.count()], bytes)
  })
  add(operation.sentPublished, (rebuild, reader) => {
    if (rebuild.published === undefined) throw new JournalFormatError("recipients without a publication")
    rebuild.deliver(reader.numbers(), rebuild.published)
  })
  add(operation.value, (rebuild, reader) => {
    const key = reader.text()
    const bytes = bytesOf(reader)
    for (const number of reader.numbers()) {
      const values = rebuild.session(number)?.values
      // The newest value is the last one.
      values?.delete(key)
      values?.set(key, bytes)
    }
  })
}

function addSessions(add: (code: number, apply: Apply) => void): void {
  add(operation.session, (rebuild, reader) => {
    const { state } = rebuild
    const number = reader.count()
    state.sessions.set(number, sessionOf(rebuild, reader))
    state.nextSession = Math.max(state.nextSession, number + 1)
  })
  add(operation.ended, (rebuild, reader) => {
    const number = reader.count()
    const session = rebuild.session(number)
    for (const topic of session?.memberships.keys() ?? []) if (session) rebuild.leave(session, topic)
    rebuild.state.sessions.delete(number)
  })
  add(operation.end, ({ state }, reader) => {
    const [id, cause, userId] = [reader.text(), reader.text(), reader.text()]
    state.ends.set(id, { cause, userId, isFinal: reader.flag(), untilMs: reader.count() })
  })
  add(operation.acked, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const [base, digest] = [reader.count(), reader.word()]
    if (session !== undefined) acknowledge(session, base, digest)
  })
  add(operation.claims, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const [claims, address] = [claimsOf(reader), reader.text()]
    if (session !== undefined) Object.assign(session, { claims, address })
  })
  add(operation.user, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const user = bytesOf(reader)
    if (session !== undefined) session.user = user
  })
}

function addRequests(add: (code: number, apply: Apply) => void): void {
  add(operation.settled, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const [handled, digest, ahead] = [reader.count(), reader.word(), reader.numbers()]
    if (session === undefined) return
    session.handled = handled
    session.handledDigest = digest
    for (const number of ahead) session.ahead.add(number)
    for (const set of [session.ahead, session.started])
      for (const number of set.keys()) if (number <= handled) set.delete(number)
    for (const number of session.ahead) session.started.delete(number)
  })
  add(operation.started, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const [count, runs] = [reader.count(), reader.count()]
    if (session !== undefined && count > session.handled && !session.ahead.has(count))
      session.started.set(count, runs)
  })
  add(operation.streamOpened, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const reference = reader.count()
    session?.streams.add(reference)
  })
  add(operation.streamEnded, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const reference = reader.count()
    session?.streams.delete(reference)
  })
}

function addMemberships(add: (code: number, apply: Apply) => void): void {
  add(operation.member, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const [topic, membership] = membershipOf(reader)
    if (session !== undefined) rebuild.join(session, topic, membership)
  })
  add(operation.left, (rebuild, reader) => {
    const session = rebuild.session(reader.count())
    const topic = reader.text()
    if (session !== undefined) rebuild.leave(session, topic)
  })
  add(operation.presence, ({ state }, reader) => {
    const topic = reader.text()
    const [members, changed, gone] = [reader.numbers(), reader.numbers(), reader.numbers()]
    const publishedCount = reader.count()
    const sets = { members: new Set(members), changed: new Set(changed), gone: new Set(gone) }
    state.presences.set(topic, { ...sets, publishedCount })
  })
  add(operation.presenceTold, (rebuild, reader) => {
    const presence = rebuild.presence(reader.text())
    presence.changed.clear()
    presence.gone.clear()
    presence.publishedCount = presence.members.size
  })
}

/** Inserts a restated publication before those that were published since its topic was restated. */
function insertByOffset(publications: KeptPublication[], publication: KeptPublication): void {
  let at = publications.length
  while (at > 0 && (publications[at - 1]?.offset ?? 0) > publication.offset) at -= 1
  publications.splice(at, 0, publication)
}

function addTopics(add: (code: number, apply: Apply) => void): void {
  add(operation.topic, ({ state }, reader) => {
    const [name, epoch, offset] = [reader.text(), reader.text(), reader.count()]
    const [endsAtMs] = reader.times()
    const known = state.topics.get(name)
    if (known?.epoch !== epoch) state.topics.set(name, { epoch, offset, endsAtMs, publications: [] })
    else Object.assign(known, { offset, endsAtMs })
  })
  add(operation.topicRestated, ({ state }, reader) => {
    const [name, epoch, offset] = [reader.text(), reader.text(), reader.count()]
    const [endsAtMs] = reader.times()
    state.topics.set(name, { epoch, offset, endsAtMs, publications: [] })
  })
  add(operation.published, (rebuild, reader) => {
    const topic = rebuild.topic(reader.text())
    const offset = reader.count()
    if (topic !== undefined) topic.offset = offset
    if (!reader.flag()) return
    const bytes = bytesOf(reader)
    const [atMs = 0] = reader.times()
    const except = optional(reader)
    rebuild.published = bytes
    topic?.publications.push({ offset, bytes, atMs, except })
  })
  add(operation.retained, (rebuild, reader) => {
    const topic = rebuild.topic(reader.text())
    const [offset, bytes] = [reader.count(), rebuild.sharedBytes(reader.count())]
    const [atMs = 0] = reader.times()
    const except = optional(reader)
    insertByOffset(topic?.publications ?? [], { offset, bytes, atMs, except })
  })
  add(operation.topicEnded, ({ state }, reader) => {
    const name = reader.text()
    state.topics.delete(name)
    state.presences.delete(name)
  })
}
