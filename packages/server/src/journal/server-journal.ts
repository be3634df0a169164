// Connects a journal with the layers of one server: restores what earlier processes left, then notes what happens. Must not know
// files and records.
import type { Base } from "../base/create-base.ts"
import type { Idempotency } from "../calls/idempotency.ts"
import type { OutcomeRecord } from "../calls/outcome-record.ts"
import type { Tombstones } from "../session/life/tombstones.ts"
import type { TopicLedger, TopicService } from "../topics/topic-service.ts"
import type { JournalEngine } from "./journal-engine.ts"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ReplicaLedger } from "../replicas/replica-ledger.ts"
import type { ReplicaStore } from "../replicas/replica-store.ts"
import type { Replicas } from "../replicas/replicas.ts"
import { DurableReplicas } from "./durable-replicas.ts"
import { Journal } from "./journal.ts"
import type { ReadJournal, RoundLimits, Statement } from "./journal.ts"
import { readReplicas, restoreReplicas } from "./restore-replicas.ts"
import type { Migrations } from "./restore-replicas.ts"
import { keptOutcomeOf, outcomeRecordFrom } from "./kept-outcome.ts"
import type { KeptState } from "./kept-state.ts"
import { restorePresence, restoreTopics, topicLedger, topicStatements } from "./restore-topics.ts"
import type { KeptTopics } from "./restore-topics.ts"
import { restoreSessions } from "./restore-sessions.ts"
import type { RestoreHost } from "./restore-sessions.ts"
import type { Hooks } from "../base/hooks.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import { until } from "../session/life/shut-down.ts"

/** Engine of a journal before its server exists: the option `journal` of `createServer`. */
export interface JournalOption {
  /** Secret of resume tokens, 32 bytes, the same in each process. */
  readonly resumeKey: Uint8Array
  /** Bounds of the part that a start must read. */
  readonly limits: RoundLimits
  /** Returns the engine. */
  createEngine(host: Pick<Base, "clock" | "wallClockMs">): JournalEngine
}

/** Result of a recovery. */
export interface Recovery {
  /** Bytes that were read. */
  readonly bytes: number
  /** Time of reading and restoring, in milliseconds. */
  readonly tookMs: number
  /** False if records of earlier processes may be missing: after a loss of power, or in a copy. */
  readonly isWhole: boolean
  /** Bytes of a torn record that were removed. */
  readonly tornBytes: number
  /** Sessions that were restored. */
  readonly sessions: number
  /** Topics that were restored. */
  readonly topics: number
  /** Records of durable replicas that were restored. */
  readonly records: number
  /** Parts that could not be restored. Their errors went to `onError`. */
  readonly setAside: number
  /**
   * Requests that are not run again, because three processes have ended while they ran. Each fails with `sys_internal_error`, and was
   * reported to `onError`.
   */
  readonly requestsSetAside: number
}

/** Parts of a server that are restored. */
interface RestoredParts {
  readonly revive: RestoreHost<ServerSession<AuthenticatedUser>>["thaw"]
  /** Hooks of the application. */
  readonly hooks: { readonly restored: Pick<Hooks<ServerSession<AuthenticatedUser>>, "settled"> }
  readonly replicas: Pick<Replicas, "of" | "changed">
  readonly topics: KeptTopics & Pick<TopicService<AuthenticatedUser>, "replicas">
  readonly tombstones: Tombstones
  readonly idempotency: Idempotency
  /** Arms the turn. */
  readonly arm: () => void
}

/** Longest wait for all hooks of restored sessions, in milliseconds. The port does not open before. */
const hooksMaxMs = 10_000

/** Runs `onSessionRestored` for each session, and waits for the promises. */
async function runHooks(
  restored: readonly ServerSession<AuthenticatedUser>[],
  { hooks }: RestoredParts,
  { clock, timers, onError }: Base,
): Promise<void> {
  const state = { isDone: false }
  const all = Promise.all(restored.map((session) => hooks.restored.settled(session)))
  await until(
    timers,
    clock.now() + hooksMaxMs,
    all.then(() => (state.isDone = true)),
  )
  if (!state.isDone)
    onError(
      new Error(
        `the hooks of onSessionRestored have not settled within ${hooksMaxMs} ms; the server continues`,
      ),
    )
}

export interface ServerJournal {
  readonly journal: Journal
  readonly topics: TopicLedger
  readonly replicas: ReplicaLedger
  /** Notes an outcome of a request with an idempotency key. */
  readonly onOutcome: (outcome: OutcomeRecord) => void
  /** Result of `recover`; undefined before it. */
  readonly recovery: Recovery | undefined
  /** @throws TypeError before `recover` has resolved. */
  readonly assertRecovered: () => void
  /** Restores earlier sessions once; later calls have no effect. */
  recover(parts: RestoredParts): Promise<void>
}

export interface ServerJournalOptions extends JournalOption {
  /** Conversions of durable replicas whose fields have changed. */
  readonly migrations: Migrations
}

export function createServerJournal(option: ServerJournalOptions, base: Base): ServerJournal {
  const { clock, wallClockMs, onError } = base
  const { limits } = option
  const engine = option.createEngine({ clock, wallClockMs })
  const journal = new Journal({ engine, limits, onAlarm: onError, now: () => clock.now(), wallClockMs })
  const durable = new DurableReplicas(journal)
  let recovering: Promise<void> | undefined
  let recovery: Recovery | undefined
  async function recover(parts: RestoredParts): Promise<void> {
    const startMs = clock.now()
    const read = await journal.open()
    const restored = await restore(read, parts, { journal, durable, base, migrations: option.migrations })
    recovery = { ...restored, tookMs: clock.now() - startMs }
  }
  /** Releases a journal that cannot be restored: nothing of a restore that failed may be kept. */
  async function released(error: unknown): Promise<never> {
    await journal.close(false)
    throw error
  }
  return {
    journal,
    topics: topicLedger(journal, base),
    replicas: durable,
    onOutcome: (outcome) => journal.note((writer) => writer.outcome(keptOutcomeOf(outcome, wallClockMs()))),
    get recovery() {
      return recovery
    },
    assertRecovered() {
      if (recovery === undefined)
        throw new TypeError("the server has a journal that it has not read: await server.recover() first")
    },
    recover: (parts) => (recovering ??= recover(parts).catch(released)),
  }
}

interface RestoredWith {
  readonly journal: Journal
  readonly durable: DurableReplicas
  readonly base: Base
  readonly migrations: Migrations
}

/** Restores what was read. Returns the result, but for its time. @throws errors of replicas that have no place. */
async function restore(
  { state, isWhole, bytes, tornBytes }: ReadJournal,
  parts: RestoredParts,
  { journal, durable, base, migrations }: RestoredWith,
): Promise<Omit<Recovery, "tookMs">> {
  const { contract, wallClockMs, onError } = base
  const storeOf = (topic: string | undefined, name: string): ReplicaStore =>
    topic === undefined ? parts.replicas.of(name).store : parts.topics.replicas.restore(topic, name)
  const replicas = readReplicas(state, { contract, migrations, storeOf })
  continueTypes(state, base)
  // First: changes by the restore are notes of this life.
  journal.restates({ statements: () => statementsOf(parts, base) })
  journal.restates(durable)
  journal.start(`process ${new Date(wallClockMs()).toISOString()}`, parts.arm)
  restoreEnds(state, parts, base)
  const outcomesAside = restoreOutcomes(state, parts, base)
  const records = restoreReplicas(replicas, { durable, journal })
  for (const { store } of replicas) if (store !== undefined) parts.replicas.changed(store)
  restoreTopics({ topics: state.topics, isWhole }, parts.topics, base)
  const { restored, ...aside } = restoreSessions(state, {
    thaw: parts.revive,
    bury: (id, end) => parts.tombstones.bury(id, end),
    wallClockMs,
    onError,
  })
  restorePresence(state, parts.topics)
  await runHooks(restored, parts, base)
  // A topic ends without subscribers: those of the application are back now.
  parts.topics.log.endThaw()
  parts.topics.replicas.endRestore()
  const setAside = aside.setAside + outcomesAside
  const [sessions, topics] = [restored.length, state.topics.size]
  return { ...aside, bytes, isWhole, tornBytes, sessions, topics, records, setAside }
}

/**
 * Gives the names of the contract the numbers that the journal has recorded, and new names the next ones: kept messages hold these
 * numbers. A name that the contract lacks keeps its number.
 */
function continueTypes({ types: kept }: KeptState, { types }: Base): void {
  const known = [...kept].toSorted(([one], [other]) => one - other).map(([, name]) => name)
  const names = new Set(known)
  if (names.size > 0) types.replace([...known, ...types.names.filter((name) => !names.has(name))])
}

/** Yields the statements of types, ends, outcomes and topics. */
function* statementsOf(
  { tombstones, idempotency, topics }: RestoredParts,
  { clock, wallClockMs, types }: Base,
): Generator<Statement, void> {
  for (const [number, name] of types.names.entries()) yield (writer) => writer.type(number, name)
  for (const [id, { untilMs, ...stone }] of tombstones.all())
    yield (writer) => writer.end(id, { ...stone, untilMs: wallClockMs() + (untilMs - clock.now()) })
  for (const outcome of idempotency.freeze())
    yield (writer) => writer.outcome(keptOutcomeOf(outcome, wallClockMs()))
  yield* topicStatements(topics, { clock, wallClockMs })
}

function restoreEnds({ ends }: KeptState, { tombstones }: RestoredParts, { clock, wallClockMs }: Base): void {
  const [nowMs, wallMs] = [clock.now(), wallClockMs()]
  const left = [...ends].toSorted(([, one], [, other]) => one.untilMs - other.untilMs)
  for (const [id, { untilMs, ...stone }] of left)
    if (untilMs > wallMs) tombstones.restore(id, { ...stone, untilMs: nowMs + (untilMs - wallMs) })
}

/** Returns the number of outcomes that are not readable. */
function restoreOutcomes(
  { outcomes }: KeptState,
  { idempotency }: RestoredParts,
  { wallClockMs, onError }: Base,
): number {
  const wallMs = wallClockMs()
  let setAside = 0
  for (const kept of outcomes.values()) {
    try {
      idempotency.thaw([outcomeRecordFrom(kept, wallMs)])
    } catch (error) {
      setAside += 1
      onError(error)
    }
  }
  return setAside
}
