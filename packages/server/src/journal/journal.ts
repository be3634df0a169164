// The ledger of a server that keeps a journal, and the gate of its turns. Changes of a turn are noted; a sealed turn appends one
// record with all of them, and its output leaves after that. Restates everything in rounds, some of it in each turn, so that the
// journal can be read from the last round on. Must not know files, sockets and handlers.
import type { SessionPage } from "../base/session-page.ts"
import type { FollowedSession, RestoredNumber, SessionLedger } from "../session/life/kept-session.ts"
import type { Tombstone } from "../session/life/tombstones.ts"
import type { EngineStats, JournalContent, JournalEngine } from "./journal-engine.ts"
import { JournalMeter } from "./journal-meter.ts"
import type { AppendStats } from "./journal-meter.ts"
import type { KeptState } from "./kept-state.ts"
import { OperationWriter } from "./operations.ts"
import { Page } from "./page.ts"
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
  readonly #meter: JournalMeter
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
  /** Arms the turn, so that it is sealed although it may have no output. */
  #arm: () => void = () => {}
  #isStarted = false
  /** Latest turn whose record was appended. */
  #kept = 0
  /** True if the process before this one was closed. */
  #isAfterClose = false
  /** True: turns pass without a record, and what happens in them is not kept. */
  #isClosed = false
  /** Callers of `committed`. */
  #waiting: (() => void)[] = []

  constructor(options: JournalOptions) {
    this.#options = options
    this.#meter = new JournalMeter(options.now)
  }

  /** Returns the measurements of the appends and of the engine. */
  stats(): AppendStats & EngineStats {
    const { engine } = this.#options
    return { ...this.#meter.read(), ...engine.stats() }
  }

  /** Number of the latest turn whose record was appended, or that needed none. */
  get kept(): number {
    return this.#kept
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
    this.#isAfterClose = content.isClosed
    if (content.isClosed) rebuild.closed()
    const { state, lives } = rebuild
    this.#nextSession = state.nextSession
    const { isWhole, bytes, tornBytes } = content
    return { state, lives, isWhole, bytes, tornBytes }
  }

  /** Begins the first round of this life. `arm` arms the turn. */
  start(text: string, arm: () => void): void {
    this.#arm = arm
    this.#isStarted = true
    this.#options.engine.beginRound()
    this.#beginRound()
    this.#writer.life(text, this.#isAfterClose)
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
    const number = restored?.number ?? this.#nextSession
    const page = new Page(this, this.#writer, { session, number, started: restored?.started })
    if (restored === undefined) this.#nextSession += 1
    if (restored?.isChanged !== false) this.note((writer) => page.state(writer))
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

  /** The gate: appends the record of the sealed turn. @throws Error before `start`, for a turn in which something has happened. */
  pass(turn: { readonly number: number }): Promise<void> | undefined {
    if (this.#isClosed || (!this.#isStarted && this.#writer.isEmpty && this.#marked.length === 0)) {
      this.#kept = turn.number
      return undefined
    }
    if (!this.#isStarted)
      throw new Error("a session has opened before the journal was read: await server.recover() first")
    this.#writeMarked()
    const endsRound = this.#step()
    const waiting = this.#waiting
    this.#waiting = []
    const appended = this.#writer.isEmpty ? undefined : this.#append(this.#writer.take())
    if (appended === undefined) {
      this.#appended(turn.number, endsRound, waiting)
      return undefined
    }
    return appended.then(() => this.#appended(turn.number, endsRound, waiting))
  }

  #writeMarked(): void {
    for (const noted of this.#marked) noted.write(this.#writer)
    this.#marked = []
  }

  #append(record: Buffer): Promise<void> | undefined {
    const meter = this.#meter
    const { length } = record
    meter.begin()
    const appended = this.#options.engine.append(record)
    if (appended === undefined) {
      meter.end(length)
      return undefined
    }
    meter.hold()
    return appended.then(() => meter.end(length))
  }

  #appended(turn: number, endsRound: boolean, waiting: readonly (() => void)[]): void {
    this.#kept = turn
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
    this.#writer.round(this.#nextSession)
    this.#roundDeliveries = this.#writer.deliveries
    this.#round = this.#statements()
  }

  *#statements(): Generator<Statement, void> {
    // Sessions first: memberships of a session that is not stated yet have no effect on the presence of a topic that is.
    for (const page of this.#pages.values()) yield (writer) => page.state(writer)
    for (const source of this.#sources) yield* source.statements()
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

  /** Returns a record with a whole round. It contains everything that was noted, also in the open turn. */
  #restate(): Buffer {
    // The statements hold the effect of all notes.
    this.#writeMarked()
    this.#writer.take()
    this.#round = undefined
    this.#beginRound()
    for (const state of this.#statements()) state(this.#writer)
    this.#round = undefined
    this.#writer.roundEnd()
    return Buffer.from(this.#writer.take())
  }
}
