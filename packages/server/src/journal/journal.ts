// The ledger of a server that keeps a journal, and the gate of its turns. Changes of a turn are noted; a sealed turn appends one
// record with all of them, and its output leaves after that. Restates everything in rounds, some of it in each turn, so that the
// journal can be read from the last round on. Must not know files, sockets and handlers.
import type { OutboundMessage } from "@hawser/protocol/core"
import type { KeptMembership, SessionPage } from "../base/session-page.ts"
import type { FollowedSession, RestoredNumber, SessionLedger } from "../session/life/kept-session.ts"
import type { Tombstone } from "../session/life/tombstones.ts"
import type { JournalContent, JournalEngine } from "./journal-engine.ts"
import type { KeptState } from "./kept-state.ts"
import { OperationWriter } from "./operations.ts"
import { Rebuild } from "./rebuild.ts"

/** Bounds of the part of a journal that a start must read. */
export interface RoundLimits {
  /** Bytes of a round above which the next one begins. */
  readonly roundBytes: number
  /** Deliveries of a round above which the next one begins. */
  readonly roundDeliveries: number
  /** Longest time for restating in one turn, in milliseconds. At least one statement is made. */
  readonly stepMs: number
}

export interface JournalOptions {
  readonly engine: JournalEngine
  readonly limits: RoundLimits
  readonly onAlarm: (error: Error) => void
  /** Clock of the server, in milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number
}

/** Writes one statement of a round; a statement of something that has ended since writes nothing. */
export type Statement = (writer: OperationWriter) => void

/** State that is restated in each round. */
export interface StatementSource {
  /** Yields the statements of everything, lazily: it may change between two of them. */
  statements(): Iterable<Statement>
}

/** Result of reading a journal. */
export interface ReadJournal extends Pick<JournalContent, "isWhole" | "bytes" | "tornBytes"> {
  readonly state: KeptState
  /** Texts of its lives. */
  readonly lives: readonly string[]
}

/** Part with notes that are written when the turn is sealed. */
export interface Noted {
  isMarked: boolean
  /** Writes the notes, and resets the mark. */
  write(writer: OperationWriter): void
}

export class Journal implements SessionLedger {
  readonly #options: JournalOptions
  readonly #writer = new OperationWriter()
  readonly #pages = new Map<number, Page>()
  readonly #sources: StatementSource[] = []
  /** Parts with notes that are written when the turn is sealed. */
  #marked: Noted[] = []
  /** Rest of the current round; undefined between rounds. */
  #round: Iterator<Statement, void> | undefined
  #roundDeliveries = 0
  /** Bytes of the last round when its statements were complete: a large state is restated less often. */
  #statedBytes = 0
  #nextSession = 1
  #epochs = 0
  /** Arms the turn, so that it is sealed although it may have no output. */
  #arm: () => void = () => {}
  #isStarted = false
  /** True: turns pass without a record, and what happens in them is not kept. */
  #isClosed = false
  /** Callers of `committed`. */
  #waiting: (() => void)[] = []

  constructor(options: JournalOptions) {
    this.#options = options
  }

  /** Number of followed sessions. */
  get size(): number {
    return this.#pages.size
  }

  /** Locks and reads the journal. Called once, before anything is noted. @throws errors of the engine, JournalFormatError. */
  async open(): Promise<ReadJournal> {
    const { engine, onAlarm } = this.#options
    const content = await engine.open({ onAlarm, restate: () => this.#restate() })
    const rebuild = new Rebuild()
    for (const { body, atMs } of content.records) rebuild.apply(body, atMs)
    const { state, lives } = rebuild
    this.#nextSession = state.nextSession
    this.#epochs = state.epochs
    const { isWhole, bytes, tornBytes } = content
    return { state, lives, isWhole, bytes, tornBytes }
  }

  /** Begins the first round of this life. `arm` arms the turn. */
  start(text: string, arm: () => void): void {
    this.#arm = arm
    this.#isStarted = true
    this.#options.engine.beginRound()
    this.#beginRound()
    this.#writer.life(text)
    arm()
  }

  /** Adds state that is restated in each round. */
  restates(source: StatementSource): void {
    this.#sources.push(source)
  }

  /** Writes an operation of another layer, in the order of the calls. */
  note(write: Statement): void {
    write(this.#writer)
    this.#arm()
  }

  /** Follows a session. A new one, and a restored one that has changed, is stated at once. */
  follow(session: FollowedSession, restored?: RestoredNumber): SessionPage {
    const page = new Page(this, this.#writer, { session, number: restored?.number ?? this.#nextSession })
    if (restored === undefined) this.#nextSession += 1
    if (restored?.isChanged !== false) this.note((writer) => writer.session(page.number, session.statement()))
    this.#pages.set(page.number, page)
    return page
  }

  buried(sessionId: string, { untilMs, ...stone }: Tombstone): void {
    const { now, wallClockMs } = this.#options
    this.note((writer) => writer.end(sessionId, { ...stone, untilMs: wallClockMs() + (untilMs - now()) }))
  }

  /** Called by a part whose notes are written when the turn is sealed. `arms`: false for notes that may wait. */
  mark(noted: Noted, arms: boolean): void {
    if (!noted.isMarked) this.#marked.push(noted)
    noted.isMarked = true
    if (arms) this.#arm()
  }

  arm(): void {
    this.#arm()
  }

  forget(page: Page): void {
    this.#pages.delete(page.number)
  }

  /** The gate: appends the record of the sealed turn. */
  pass(): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    this.#writeMarked()
    const endsRound = this.#step()
    const waiting = this.#waiting
    this.#waiting = []
    const appended = this.#writer.isEmpty ? undefined : this.#options.engine.append(this.#writer.take())
    if (appended === undefined) {
      this.#appended(endsRound, waiting)
      return undefined
    }
    return appended.then(() => this.#appended(endsRound, waiting))
  }

  #writeMarked(): void {
    for (const noted of this.#marked) noted.write(this.#writer)
    this.#marked = []
  }

  #appended(endsRound: boolean, waiting: readonly (() => void)[]): void {
    const { engine, limits } = this.#options
    if (endsRound) {
      engine.endRound()
      this.#statedBytes = engine.roundBytes
    }
    for (const resolve of waiting) resolve()
    const isDue =
      engine.roundBytes > limits.roundBytes + this.#statedBytes ||
      this.#writer.deliveries - this.#roundDeliveries > limits.roundDeliveries
    if (!isDue || this.#round !== undefined) return
    engine.beginRound()
    this.#beginRound()
  }

  /** Resolves when everything that was noted before the call is kept. */
  committed(): Promise<void> {
    if (!this.#isStarted || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#arm()
    })
  }

  /** Releases the journal. `isClean`: everything that was noted is moved to the disk first. */
  async close(isClean: boolean): Promise<void> {
    if (isClean && this.#isStarted) await this.committed()
    this.#isClosed = true
    await this.#options.engine.close(isClean && this.#isStarted)
  }

  // --- rounds ---------------------------------------------------------------------------------------------------

  #beginRound(): void {
    this.#writer.round(this.#nextSession, this.#epochs)
    this.#roundDeliveries = this.#writer.deliveries
    this.#round = this.#statements()
  }

  *#statements(): Generator<Statement, void> {
    for (const source of this.#sources) yield* source.statements()
    for (const page of this.#pages.values()) yield (writer) => page.state(writer)
  }

  /** Makes some statements of the current round. Returns true if the last one was made. */
  #step(): boolean {
    const round = this.#round
    if (round === undefined) return false
    const { now, limits } = this.#options
    const untilMs = now() + limits.stepMs
    do {
      const next = round.next()
      if (next.done === true) {
        this.#round = undefined
        this.#writer.roundEnd()
        return true
      }
      next.value(this.#writer)
    } while (now() < untilMs)
    // The rest follows in later turns.
    this.#arm()
    return false
  }

  /** Returns the records of a whole round. It contains everything that was noted, also in the open turn. */
  #restate(): readonly Buffer[] {
    // The statements hold the effect of all notes.
    this.#writeMarked()
    this.#writer.take()
    this.#round = undefined
    this.#beginRound()
    for (const state of this.#statements()) state(this.#writer)
    this.#round = undefined
    this.#writer.roundEnd()
    return [Buffer.from(this.#writer.take())]
  }
}

/** Page of one session. Counts are written once for a turn, with the state at its end. */
class Page implements SessionPage, Noted {
  readonly number: number
  isMarked = false
  readonly #journal: Journal
  readonly #writer: OperationWriter
  readonly #session: FollowedSession
  #base = 0
  #handled = 0
  /** Settled requests since the last record, and started ones that were not settled. */
  #settled: number[] = []
  #started: number[] = []
  #isClaimed = false
  #isRenewed = false
  #hasEnded = false

  constructor(
    journal: Journal,
    writer: OperationWriter,
    { session, number }: { readonly session: FollowedSession; readonly number: number },
  ) {
    this.#journal = journal
    this.#writer = writer
    this.#session = session
    this.number = number
    const { base, handled } = session.keptCounts
    this.#base = base
    this.#handled = handled
  }

  sent(message: OutboundMessage): void {
    if (this.#hasEnded) return
    this.#writer.sent(this.number, message)
    this.#journal.arm()
  }

  value(key: string, message: OutboundMessage): void {
    if (this.#hasEnded) return
    this.#writer.value(this.number, key, message)
    this.#journal.arm()
  }

  started(count: number): void {
    this.#started.push(count)
    this.#mark(true)
  }

  settled(count: number): void {
    if (this.#started.length > 0) this.#started = this.#started.filter((other) => other !== count)
    this.#settled.push(count)
    this.#mark(true)
  }

  passed(): void {
    this.#mark(true)
  }

  acknowledged(): void {
    this.#mark(false)
  }

  stream(reference: number, isOpen: boolean): void {
    if (this.#hasEnded) return
    this.#writer.stream(this.number, reference, isOpen)
    this.#journal.arm()
  }

  member(topic: string, membership: KeptMembership): void {
    if (this.#hasEnded) return
    this.#writer.member(this.number, topic, membership)
    this.#journal.arm()
  }

  left(topic: string): void {
    if (this.#hasEnded) return
    this.#writer.left(this.number, topic)
    this.#journal.arm()
  }

  claimed(): void {
    this.#isClaimed = true
    this.#mark(true)
  }

  renewed(): void {
    this.#isRenewed = true
    this.#mark(true)
  }

  ended(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#writer.ended(this.number)
    this.#journal.forget(this)
    this.#journal.arm()
  }

  #mark(arms: boolean): void {
    if (!this.#hasEnded) this.#journal.mark(this, arms)
  }

  write(): void {
    this.isMarked = false
    if (this.#hasEnded) return
    const { base, baseDigest, handled, handledDigest } = this.#session.keptCounts
    if (base !== this.#base) this.#writer.acked(this.number, base, baseDigest)
    this.#base = base
    for (const count of this.#started) this.#writer.started(this.number, count)
    const ahead = this.#settled.filter((count) => count > handled)
    if (handled !== this.#handled || ahead.length > 0)
      this.#writer.settled(this.number, { handled, digest: handledDigest, ahead })
    this.#handled = handled
    if (this.#isClaimed) this.#writer.claims(this.number, this.#session.keptClaims, this.#session.address)
    if (this.#isRenewed) this.#writer.user(this.number, this.#session.keptUser)
    if (this.#started.length > 0) this.#started = []
    if (this.#settled.length > 0) this.#settled = []
    this.#isClaimed = false
    this.#isRenewed = false
  }

  /** Writes the whole session, with all notes until now. */
  state(writer: OperationWriter): void {
    if (this.#hasEnded) return
    const statement = this.#session.statement()
    writer.session(this.number, statement)
  }
}
