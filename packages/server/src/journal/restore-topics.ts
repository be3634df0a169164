// Restores the topics of a journal and states them in rounds. Must not know files and records.
import { randomBytes } from "node:crypto"
import type { Base } from "../base/create-base.ts"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { LogEntry } from "../topics/topic-log.ts"
import type { ReadTopic, TopicStanding } from "../topics/memory-topic-log.ts"
import type { TopicLedger, TopicService } from "../topics/topic-service.ts"
import type { Journal, Statement } from "./journal.ts"
import type { KeptPublication, KeptState, KeptTopic } from "./kept-state.ts"

/** Topics of a server, as its journal uses them. */
export type KeptTopics = Pick<TopicService<AuthenticatedUser>, "log" | "board" | "index">

type Clocks = Pick<Base, "clock" | "wallClockMs">

/** Returns the ledger of topics. */
export function topicLedger(journal: Pick<Journal, "note">, clocks: Clocks): TopicLedger {
  return {
    standing: (topic, standing) =>
      journal.note((writer) => writer.topic(topic, { ...standing, endsAtMs: endOf(standing, clocks) })),
    published: (topic, offset, entry) =>
      journal.note((writer) => writer.published(topic, offset, entry && publicationOf(entry, clocks))),
    ended: (topic) => journal.note((writer) => writer.topicEnded(topic)),
    told: (topic) => journal.note((writer) => writer.presenceTold(topic)),
  }
}

/** Yields the statements of all topics. */
export function* topicStatements({ log, board }: KeptTopics, clocks: Clocks): Generator<Statement, void> {
  for (const [topic, read] of log.all()) yield* historyStatements(topic, read, clocks)
  for (const [topic, record] of board.all())
    yield (writer) => {
      const { listed, counted, changed, gone, publishedCount } = record()
      writer.presence(topic, { members: [...listed, ...counted], changed, gone }, publishedCount)
    }
}

/** Publications of a topic that are restated at once: a long history must not take a whole step. */
const retainedAtOnce = 32

/** Yields the statements of one topic: its standing, then its history in parts. */
function* historyStatements(topic: string, read: ReadTopic, clocks: Clocks): Generator<Statement, void> {
  let left: readonly LogEntry[] = []
  yield (writer) => {
    const state = read()
    if (state === undefined) return
    left = state.entries
    writer.restateTopic(topic, { ...state, endsAtMs: endOf(state, clocks) })
  }
  while (left.length > 0)
    yield (writer) => {
      const part = left.slice(0, retainedAtOnce)
      left = left.slice(retainedAtOnce)
      // The topic may have ended meanwhile, and another of its name may have begun.
      if (read() === undefined) return
      for (const entry of part) writer.retained(topic, publicationOf(entry, clocks))
    }
}

/** Restores topics without their members. `endTopics` follows after the sessions. */
export function restoreTopics(
  { topics, isWhole }: RestoredTopics,
  { log }: { readonly log: Pick<KeptTopics["log"], "thaw"> },
  clocks: Clocks,
): void {
  const nowMs = clocks.wallClockMs()
  const life = randomBytes(6).toString("base64url")
  const records = [...topics].map(([topic, { epoch, offset, endsAtMs }]) => ({
    topic,
    // Publications may be missing at the end: an offset of the old epoch could name another publication.
    epoch: isWhole ? epoch : `${epoch}~${life}`,
    offset,
    endsInMs: endsAtMs === undefined ? null : endsAtMs - nowMs,
  }))
  const publications = [...topics].flatMap(([topic, { publications: kept }]) => {
    let latestMs = 0
    return kept.map(({ offset, bytes, atMs, except }) => {
      // The clock may have been set back, and times are rounded: a later publication must not look older.
      latestMs = Math.max(latestMs, atMs)
      return { topic, offset, bytes, except, ageMs: nowMs - latestMs }
    })
  })
  log.thaw({
    epochs: 0,
    topics: records,
    publications: publications.toSorted((one, other) => other.ageMs - one.ageMs),
  })
}

interface RestoredTopics {
  readonly topics: ReadonlyMap<string, KeptTopic>
  readonly isWhole: boolean
}

/** Restores the presence of topics, after their members. A topic waits for its other subscribers until `log.endThaw()`. */
export function restorePresence(
  { presences }: KeptState,
  { board, index }: Pick<KeptTopics, "board" | "index">,
): void {
  const byMember = new Map([...index.all()].map((membership) => [membership.id, membership]))
  const records = [...presences].map(([topic, { members, changed, gone, publishedCount }]) => ({
    topic,
    listed: [...members],
    counted: [],
    changed: [...changed],
    gone: [...gone],
    publishedCount,
  }))
  board.thaw(records, (_, member) => byMember.get(member))
}

function endOf({ endsAtMs }: TopicStanding, { clock, wallClockMs }: Clocks): number | undefined {
  return endsAtMs === undefined ? undefined : wallClockMs() + (endsAtMs - clock.now())
}

function publicationOf(
  { offset, message, atMs, except }: LogEntry,
  { clock, wallClockMs }: Clocks,
): KeptPublication {
  return { offset, bytes: message.bytes, atMs: wallClockMs() - (clock.now() - atMs), except: except ?? null }
}
