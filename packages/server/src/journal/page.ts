// Page of one session in a journal: its notes. Messages are written at once; counts are written once for a turn, with the state at
// its end. Must not know files and rounds.
import type { OutboundMessage } from "@hawser/protocol/core"
import { runsMax } from "../base/session-page.ts"
import type { KeptMembership, SessionPage } from "../base/session-page.ts"
import type { FollowedSession } from "../session/life/kept-session.ts"
import type { OperationWriter } from "./operations.ts"

/** Journal, as a page uses it. */
interface PageOwner {
  /** Arms the turn. */
  arm(): void
  /** Called by a page whose notes are written when the turn is sealed. `arms`: false for notes that may wait. */
  mark(page: Page, arms: boolean): void
  forget(page: Page): void
  /** Resolves when everything that was noted before the call is kept. */
  committed(): Promise<void>
}

interface PageOptions {
  readonly session: FollowedSession
  readonly number: number
  /** Requests that have begun in earlier processes; undefined for a session that this process has opened. */
  readonly started: ReadonlyMap<number, number> | undefined
}

/** Requests that earlier processes may have begun. */
interface EarlierRequests {
  /** Unsettled ones that are known, with the number of processes in which they have begun. */
  readonly runs: Map<number, number>
  /** Messages that the client had sent before it resumed in this process; undefined until then. */
  resent: number | undefined
}

export class Page implements SessionPage {
  readonly number: number
  isMarked = false
  readonly #journal: PageOwner
  readonly #writer: OperationWriter
  readonly #session: FollowedSession
  #base = 0
  #handled = 0
  /** Requests of earlier processes; undefined once they are settled, and for a session that this process has opened. */
  #earlier: EarlierRequests | undefined
  /** Settled requests since the last record, and started ones that were not settled. */
  #settled: number[] = []
  #started: number[] = []
  #isClaimed = false
  #isRenewed = false
  #hasEnded = false

  constructor(journal: PageOwner, writer: OperationWriter, { session, number, started }: PageOptions) {
    this.#journal = journal
    this.#writer = writer
    this.#session = session
    this.number = number
    this.#earlier = started && { runs: new Map(started), resent: undefined }
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

  resumed(sent: number): void {
    if (this.#earlier === undefined) return
    this.#earlier.resent ??= sent
    this.#mark(false)
  }

  isRerun(count: number): boolean {
    const earlier = this.#earlier
    return earlier !== undefined && (count <= (earlier.resent ?? 0) || earlier.runs.has(count))
  }

  rerun(count: number): Promise<void> | "spent" | undefined {
    if (!this.isRerun(count)) return undefined
    const runs = this.#runsOf(count)
    if (runs >= runsMax) return "spent"
    this.#earlier?.runs.set(count, runs + 1)
    this.started(count)
    return this.#journal.committed()
  }

  /** Processes in which a request has begun. A first run that ended its process at once left no note. */
  #runsOf(count: number): number {
    return this.#earlier?.runs.get(count) ?? 1
  }

  settled(count: number): void {
    this.#earlier?.runs.delete(count)
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

  /** Writes the notes of the turn. */
  write(): void {
    this.isMarked = false
    if (this.#hasEnded) return
    const { base, baseDigest, handled, handledDigest } = this.#session.keptCounts
    if (base !== this.#base) this.#writer.acked(this.number, base, baseDigest)
    this.#base = base
    for (const count of this.#started) this.#writer.started(this.number, count, this.#runsOf(count))
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
    this.#forgetEarlier(handled)
  }

  /** Ends the time of re-runs once everything is settled that the client had sent to earlier processes. */
  #forgetEarlier(handled: number): void {
    const { resent, runs } = this.#earlier ?? {}
    if (resent !== undefined && handled >= resent && runs?.size === 0) this.#earlier = undefined
  }

  /** Writes the whole session, with all notes until now. */
  state(writer: OperationWriter): void {
    if (this.#hasEnded) return
    const statement = this.#session.statement()
    const started = this.#earlier === undefined ? statement.started : this.#allStarted(statement.started)
    writer.session(this.number, { ...statement, started })
  }

  /** Returns the running requests, and those of earlier processes that are not settled. */
  #allStarted(running: ReadonlyMap<number, number>): Map<number, number> {
    const runs = [...running.keys()].map((count) => [count, this.#runsOf(count)] as const)
    return new Map([...(this.#earlier?.runs ?? []), ...runs])
  }
}
