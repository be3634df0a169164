// One run: a seed makes a plan; clients, a server and a network run it on virtual time. All observable events are
// checked against the books after every step.
import { SimulatedClock, SimulatedNetwork, seededRandom } from "@hawser/protocol/testing"
import type { SimulatedSocket } from "@hawser/protocol/testing"
import { BoardBook } from "./boards.ts"
import { ClientEnd } from "./client-end.ts"
import { Machine } from "./machine.ts"
import type { FoundJournal } from "./machine.ts"
import { drawFrom, journalModeOf, planOf } from "./plan.ts"
import type { Draw, Plan } from "./plan.ts"
import { RequestBook } from "./request-book.ts"
import { ServerEnd } from "./server-end.ts"
import type { SimulationSession } from "./server-options.ts"
import { SessionBook } from "./session-book.ts"
import type { SessionRecord } from "./session-book.ts"
import { Seen } from "./sometimes.ts"
import { Trace, Violation } from "./trace.ts"
import { UndoLog } from "./undo-log.ts"
import { WireWatch } from "./wire-watch.ts"
import type { WatchedClient } from "./wire-watch.ts"

/** Turns of the microtask queue after every step: more than the product's longest chain of promises. */
const promiseTurns = 12
/** Limit of events at the same time: more are an endless loop. */
const mostAtOnce = 50_000
const startOfTimeMs = 1_700_000_000_000

export class Simulation {
  readonly clock = new SimulatedClock()
  readonly trace: Trace
  readonly seen = new Seen()
  readonly plan: Plan
  readonly draw: Draw
  readonly sessions: SessionBook
  readonly requests: RequestBook
  readonly boards = new BoardBook()
  readonly #extra: Draw
  readonly network: SimulatedNetwork
  readonly watch: WireWatch
  readonly clients: readonly ClientEnd[]
  readonly forged = new Set<SimulatedSocket>()
  /** The machine of the server's journal; undefined without one. */
  readonly machine: Machine | undefined
  readonly #undo: UndoLog | undefined
  server: ServerEnd
  wallJumpMs = 0
  /** Sum of its jumps forward. */
  jumpedMs = 0
  steps = 0
  violation: unknown
  isQuiet = false
  /** All clients are closed, and none reconnects. */
  isOver = false
  #ids = 0
  readonly #detached: SessionRecord[] = []
  /** Sockets whose server process has died. */
  readonly #dead = new WeakSet<SimulatedSocket>()
  #atOnce = 0
  #lastMs = 0
  /** Numbers of processes, and of states without what was before. */
  #lives = 0
  #states = 0
  #endJournal = (): void => {}
  #hasSecond = false
  /** Ends the second process, if there is one. */
  endSecond = (): void => {}
  /** The machine or its disk has lost records that were written. */
  mayRollBack = false
  /** The next process cannot know that it has all records. */
  mayBeLess = false
  readonly #watched = new Map<unknown, WatchedClient>()

  constructor(seed: number, isTraced: boolean) {
    this.trace = new Trace(this.clock, isTraced)
    const random = seededRandom(seed)
    this.draw = drawFrom(random)
    this.#extra = drawFrom(seededRandom(seed + 2 ** 40))
    this.plan = planOf(this.draw)
    const { clock, trace, seen, plan } = this
    const nowMs = (): number => clock.now()
    const mode = journalModeOf(seed)
    const { wallClockMs } = this
    const undo = mode && new UndoLog()
    this.#undo = undo
    const jumpedMs = (): number => this.jumpedMs
    const onRenewed = (): void => seen.saw("journalRenewed")
    this.machine =
      mode && undo && new Machine({ draw: this.draw, mode, wallClockMs, jumpedMs, undo, onRenewed })
    const { padBytes, server: limits } = plan
    this.sessions = new SessionBook({ trace, seen, limits, padBytes, nowMs, wallClockMs, jumpedMs, undo })
    this.requests = new RequestBook({ seen, nowMs, sessions: this.sessions, undo })
    this.watch = new WireWatch({
      trace,
      seen,
      book: this.sessions,
      requests: this.requests,
      nowMs,
      clientOf: (socket) => this.#watched.get(socket.clientProcess),
      holdsOutput: mode !== undefined,
      isForged: (socket) => this.forged.has(socket),
    })
    this.network = new SimulatedNetwork({
      clock,
      random: seededRandom(Math.floor(random() * 2 ** 32)),
      weather: plan.weather,
      watch: this.#guardedWatch(),
    })
    this.server = this.startServer()
    this.clients = Array.from({ length: plan.clientCount }, (_, index) => this.#client(index))
  }

  readonly onViolation = (violation: unknown): void => {
    this.violation ??= violation
  }

  get lastId(): number {
    return this.#ids
  }

  readonly nextId = (): number => ++this.#ids

  readonly wallClockMs = (): number => startOfTimeMs + this.clock.now() + this.wallJumpMs

  /** An error of a watch must not reach the product, which might catch it. */
  #guardedWatch() {
    const { watch } = this
    const guarded =
      <Args extends readonly unknown[]>(see: (...args: Args) => void) =>
      (...args: Args): void => {
        try {
          see(...args)
        } catch (violation) {
          this.onViolation(violation)
        }
      }
    return {
      sent: guarded(watch.sent.bind(watch)),
      delivered: guarded(watch.delivered.bind(watch)),
      closing: guarded(watch.closing.bind(watch)),
      closed: guarded(watch.closed.bind(watch)),
      cut: guarded(watch.cut.bind(watch)),
    }
  }

  /** Starts a server: without the previous one's state, or with what its journal holds. */
  startServer(): ServerEnd {
    this.#lives += 1
    if (this.machine === undefined || this.#states === 0) this.#states += 1
    const journal = this.machine?.journalOf((found) => this.#found(found))
    const numbers = { number: this.#states, life: this.#lives }
    const server = new ServerEnd({
      ...this.#shared(),
      ...numbers,
      journal: journal?.option,
      onDetached: this.onDetached,
    })
    this.server = server
    this.#endJournal = journal?.end ?? this.#endJournal
    if (journal === undefined) this.network.serve(server.process, server.server.accept)
    else
      server
        .recover()
        .then(() => this.#recovered(server))
        .catch(this.onViolation)
    return server
  }

  /** Starts another process on the journal, which may not begin while the server lives. */
  startSecond(onRefused: (text: string) => void): void {
    const { machine, server } = this
    if (machine === undefined || this.#hasSecond) return
    this.#hasSecond = true
    this.#lives += 1
    const journal = machine.journalOf(() => {
      this.onViolation(new Violation("S10", "two processes read the journal at once"))
    })
    const numbers = { number: this.#states, life: this.#lives, journal: journal.option }
    const second = new ServerEnd({ ...this.#shared(), ...numbers, onDetached: this.onDetached })
    const end = (): void => {
      this.#hasSecond = false
      second.process.kill()
      journal.end()
    }
    second.recover().then(end, (error: unknown) => {
      onRefused(error instanceof Error ? error.message : String(error))
      end()
    })
    // The death of the first one would let it in.
    this.endSecond = () => {
      if (this.server === server && this.#hasSecond) end()
    }
  }

  /** Ends the server's process: at this instant, without any last act. */
  killServer(): void {
    const { draw, network, server } = this
    server.isClosing = true
    this.endSecond()
    network.stopServing()
    server.process.kill()
    this.#endJournal()
    // It may have cut the torn end of the last segment, and has left no segment of its own.
    if (this.machine?.hasAppended === false) this.mayBeLess = true
    if (this.machine !== undefined) this.sessions.died()
    for (const socket of network.sockets) {
      this.#dead.add(socket)
      socket.lose({ clientInMs: draw.between(0, 50), serverInMs: undefined })
    }
  }

  /** The next process has read the journal: changes of which it holds nothing are taken back. */
  #found({ content, position, jumpedMs, isRolledBack }: FoundJournal): void {
    const { sessions, requests, trace } = this
    trace.add("server: reads", content.records.length, "records", isRolledBack ? "rolled back" : "")
    if (isRolledBack) this.seen.saw("rolledBack")
    if (isRolledBack && !this.mayRollBack) throw new Violation("S3", "a record that was written is missing")
    sessions.mayLose = isRolledBack
    this.mayRollBack = false
    this.#undo?.backTo(position)
    sessions.mayLose = false
    const isRestored = (record: SessionRecord): boolean =>
      record.serverNumber === this.#states && record.serverCause === undefined
    requests.restored((id) => {
      const record = sessions.get(id)
      return record !== undefined && isRestored(record)
    })
    for (const record of sessions.all) {
      if (isRolledBack) record.isRolledBack = true
      if (isRestored(record)) sessions.restored(record, jumpedMs)
    }
  }

  #recovered(server: ServerEnd): void {
    if (server.process.isDead) return
    const { sessions, trace } = this
    const { recovery } = server.server
    trace.add("server: recovered", recovery?.sessions, "sessions", recovery?.isWhole, recovery?.tornBytes)
    if (recovery?.setAside !== 0)
      throw new Violation("S10", `${recovery?.setAside} parts of the journal were set aside`)
    this.#assertWhole(recovery)
    const held = new Set(server.server.local.sessions().map(({ id }) => id))
    for (const { id, serverNumber, serverCause } of sessions.all) {
      const isExpected = serverNumber === this.#states && serverCause === undefined
      if (isExpected !== held.has(id))
        throw new Violation(
          "S10",
          `session ${id} ${isExpected ? "was not" : "was"} restored (${serverCause})`,
        )
    }
    this.network.serve(server.process, server.server.accept)
  }

  /** Only a machine that has lost records, or may have, makes topics begin new epochs. */
  #assertWhole({ isWhole, tornBytes }: { readonly isWhole: boolean; readonly tornBytes: number }): void {
    if (isWhole || this.mayBeLess) {
      this.mayBeLess = false
      return
    }
    // Too little of the torn record is left to know its time.
    if (tornBytes === 0 || tornBytes >= 20)
      throw new Violation("E7", "a journal that is whole was taken for a copy")
  }

  #shared() {
    const { clock, draw, plan, seen, trace, sessions, requests, boards, wallClockMs } = this
    const { nextId, onViolation } = this
    const extra = this.#extra
    return {
      clock,
      draw,
      extra,
      plan,
      seen,
      trace,
      sessions,
      requests,
      boards,
      wallClockMs,
      nextId,
      onViolation,
    }
  }

  #client(index: number): ClientEnd {
    const end = new ClientEnd({
      ...this.#shared(),
      index,
      network: this.network,
      isServerGone: (number) => number !== this.server.number,
    })
    this.#watched.set(end.process, {
      index,
      status: () => end.client.current.state,
      handled: () => end.client.stats().handled,
      wokeAtMs: () => end.wokeAtMs,
      isHidden: () => end.process.isThrottled,
    })
    return end
  }

  watchedOf(end: ClientEnd): WatchedClient | undefined {
    return this.#watched.get(end.process)
  }

  /** Runs all due events, and their consequences. False if no event is scheduled. */
  async step(): Promise<boolean> {
    const went = this.clock.step()
    this.steps += 1
    this.#atOnce = this.clock.now() === this.#lastMs ? this.#atOnce + 1 : 0
    this.#lastMs = this.clock.now()
    if (this.#atOnce > mostAtOnce) throw new Violation("L1", `${mostAtOnce} steps and time stands still`)
    for (let turn = 0; turn < promiseTurns; turn += 1) await Promise.resolve()
    if (this.#detached.length > 0) this.#assertGone()
    if (this.violation !== undefined) throw this.violation
    return went
  }

  /** S13: a session releases a connection only when that connection ends, whatever older ones still send. */
  #assertGone(): void {
    for (const record of this.#detached.splice(0)) {
      const socket = this.watch.socketOf(record)
      const state = socket === undefined || this.#dead.has(socket) ? "closed" : socket.server.state
      if (!record.attached && state === "open" && record.serverCause === undefined)
        throw new Violation("S13", `session ${record.id} released an open connection`)
    }
  }

  readonly onDetached = (record: SessionRecord): void => {
    this.#detached.push(record)
  }

  start(): void {
    for (const client of this.clients) this.clock.schedule(this.draw.between(0, 50), () => client.connect())
    this.#actLater()
  }

  #actLater(): void {
    this.clock.schedule(this.draw.gap(this.plan.actionEveryMs), () => {
      if (this.isQuiet) return
      this.#act()
      this.#actLater()
    })
  }

  anySession(): SimulationSession | undefined {
    return this.draw.pick(this.server.server.local.sessions())
  }

  #actOnBoard(): void {
    const { draw, server, clients } = this
    const what = draw.random()
    if (what < 0.15) draw.pick(clients)?.toggleBoard()
    else
      server.process.run(() => {
        const session = what < 0.17 ? this.anySession() : undefined
        if (session !== undefined) server.remove(session)
        else for (let count = draw.scale(1, 8); count > 0; count -= 1) server.write()
      })
  }

  /** Performs one action of an application. */
  #act(): void {
    const { draw, server, clients } = this
    if (draw.chance(0.15)) {
      this.#actOnBoard()
      return
    }
    const what = draw.random()
    if (what < 0.45) {
      draw.pick(clients)?.call()
      return
    }
    if (what < 0.5) {
      draw.pick(clients)?.cancel()
      return
    }
    server.process.run(() => {
      const session = this.anySession()
      if (session === undefined) return
      const key = draw.chance(0.7) ? (draw.pick(["a", "b", "c"]) ?? "a") : undefined
      if (what < 0.7) for (let count = draw.scale(1, 8); count > 0; count -= 1) server.send(session)
      else if (what < 0.76) server.publish(undefined)
      else if (what < 0.8) server.publish("square")
      else if (what < 0.82) server.join(session)
      else if (what < 0.83) server.leave(session)
      else if (what < 0.96) server.read(session, key)
      else server.read(undefined, key)
    })
  }
}
