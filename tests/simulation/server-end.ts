// The server of a simulation with its application: handlers and events of every kind.
import { HawserError } from "@hawser/protocol"
import { SimulatedProcess, unwatched } from "@hawser/protocol/testing"
import { createServer, decodeSessionRecord, encodeSessionRecord, memoryStore } from "@hawser/server"
import type { Server, ServerStats, SessionStore, StoreHost } from "@hawser/server"
import { boardNames, viewPieces, writeToBoard } from "./boards.ts"
import { contract } from "./contract.ts"
import type { SimulationContract, SimulationUser } from "./contract.ts"
import { Handlers, PlannedFault } from "./server-handlers.ts"
import type { ServerEndOptions, SimulationSession } from "./server-options.ts"
import type { SessionRecord } from "./session-book.ts"

/** Errors with which the journal reports the faults that it survives. */
const diskAlarm = /^the journal's (disk|segment)|^the journal could not be moved|appends to the journal took/

export class ServerEnd {
  readonly process: SimulatedProcess
  readonly server: Server<SimulationContract, SimulationUser>
  readonly number: number
  readonly #options: ServerEndOptions
  #host: StoreHost<SimulationUser> | undefined
  #sessionCount = 0
  /** Users that may not log in. */
  readonly banned = new Set<string>()
  isClosing = false
  /** True in the quiet phase: every client may join every board. */
  isGenerous = false

  constructor(options: ServerEndOptions) {
    const { clock, plan, wallClockMs } = options
    this.#options = options
    this.number = options.number
    this.process = new SimulatedProcess(clock)
    const handlers = new Handlers(options, this)
    this.server = createServer<SimulationContract, SimulationUser>(contract, {
      authenticate: (token) => this.#authenticate(token),
      clock: this.process,
      wallClockMs,
      limits: { ...plan.server, sessionsPerUser: plan.sessionsPerUser },
      sessionId: () => this.#sessionId(),
      onError: (error) => this.#onError(error),
      // Handlers are slow on purpose.
      onWarning: () => {},
      onRefused: () => {},
      resumeKey: new Uint8Array(32).fill(7),
      sessionStore: (host) => this.#store(host),
      ...(options.journal === undefined ? {} : { journal: options.journal }),
    })
    // The books follow each send at its call, so it must not wait for the end of a handler.
    const atomic = false
    this.server.command("work", { atomic }, (context) => handlers.handle(context))
    this.server.command("dash", { order: "none", atomic }, (context) => handlers.handle(context))
    this.server.query("look", { atomic }, (context) => handlers.handle(context))
    this.server.topicKind("board", {
      canJoin: () => this.isGenerous || !options.draw.chance(0.05),
      onJoin: ({ topic, session }) => viewPieces(this.server, topic, session),
      onLeave: ({ cause }) => {
        if (cause === "removed") options.seen.saw("boardRemoved")
      },
    })
    this.#listen()
  }

  /** Restores the sessions of earlier processes, and the views that the application has opened. */
  async recover(): Promise<void> {
    await this.server.recover()
    for (const session of this.server.local.sessions())
      for (const topic of boardNames) viewPieces(this.server, topic, session)
  }

  get stats(): ServerStats {
    return this.server.stats()
  }

  #store(host: StoreHost<SimulationUser>): SessionStore {
    this.#host = host
    const store = memoryStore(host)
    return {
      claim: (sessionId, userId) => this.#later(() => store.claim(sessionId, userId)),
      open: (newcomer) => this.#later(() => store.open(newcomer)),
      putBack: (record) => store.putBack(record),
    }
  }

  /** The answer of the store, at once or later. */
  #later<T>(ask: () => T | Promise<T>): T | Promise<T> {
    const { draw, plan, seen } = this.#options
    if (plan.storeMs === 0) return ask()
    seen.saw("storeTookTime")
    return new Promise((resolve) => {
      this.process.schedule(draw.between(0, plan.storeMs), () => resolve(ask()))
    })
  }

  /** Freezes a session to bytes and thaws it, as in another process: its connection and its handlers are lost. */
  rewrite(session: SimulationSession): void {
    const { sessions, requests, seen, trace } = this.#options
    const book = sessions.get(session.id)
    if (book === undefined) return
    // Before its handlers' signals abort: they belong to the ended process.
    requests.rewritten(book)
    sessions.rewritten(book)
    const frozen = this.#host?.freeze(session.id)
    if (frozen === undefined) throw new Error(`session ${session.id} cannot be frozen`)
    if (frozen.delivery.received.settledAhead.length > 0) seen.saw("rewrittenAhead")
    trace.add("server: rewrites", session.id)
    const thawed = this.#host?.thaw(decodeSessionRecord(encodeSessionRecord(frozen)))
    const old = this.#members.delete(session)
    const next = this.server.local.sessions().find(({ id }) => id === thawed?.id)
    if (old && next !== undefined) this.join(next)
    if (next === undefined) return
    if (frozen.memberships.length > 0) seen.saw("boardRewritten")
    for (const topic of boardNames) viewPieces(this.server, topic, next)
  }

  #sessionId(): string {
    this.#sessionCount += 1
    const id = `${this.#options.life}.${this.#sessionCount}`
    this.#options.sessions.opened(id, this.number)
    return id
  }

  /** Intended errors of handlers are wrapped; any other error is a fault of the product. */
  #onError(error: unknown): void {
    // Faults of the disk are intended.
    if (this.process.isDead || (error instanceof Error && diskAlarm.test(error.message))) return
    const isPlanned = error instanceof Error && error.cause instanceof PlannedFault
    if (!isPlanned) this.#options.onViolation(error)
  }

  #authenticate(token: string): SimulationUser | Promise<SimulationUser> {
    const { draw, plan, wallClockMs } = this.#options
    const judge = (): SimulationUser => {
      const [id = "", until = ""] = token.split("|")
      if (this.banned.has(id)) throw new HawserError("auth_forbidden")
      if (until === "") return { id }
      const expiresAtMs = Number(until)
      if (expiresAtMs <= wallClockMs()) throw new HawserError("auth_token_expired")
      return { id, expiresAtMs }
    }
    if (plan.authenticateMs === 0) return judge()
    return new Promise((resolve, reject) => {
      this.process.schedule(draw.between(0, plan.authenticateMs), () => {
        try {
          resolve(judge())
        } catch (error) {
          reject(error instanceof Error ? error : new Error("authenticate failed"))
        }
      })
    })
  }

  #guarded(work: () => void): void {
    if (this.process.isDead) return
    try {
      work()
    } catch (error) {
      this.#options.onViolation(error)
    }
  }

  /** Invokes the callback after the release of the output that has been accepted until now. */
  #afterTurn(callback: () => void): void {
    const { journal } = this.#options
    const later = (): void => void this.process.schedule(0, () => this.process.schedule(0, callback))
    if (journal === undefined) later()
    else unwatched(this.server.committed().then(later))
  }

  #listen(): void {
    const { clock, sessions, trace, draw, onDetached } = this.#options
    this.server.onSession(({ session, replaces }) =>
      this.#guarded(() => {
        trace.add("server: opened", session.id, session.user.id, "replaces", replaces.length)
        const record = sessions.get(session.id)
        if (record !== undefined) record.userId = session.user.id
        if (draw.chance(0.3)) this.send(session)
        if (draw.chance(0.5)) this.join(session)
      }),
    )
    this.server.onSessionEnd(({ session, cause, successor, unacknowledged }) =>
      this.#guarded(() => {
        trace.add("server: ended", session.id, cause)
        const record = sessions.get(session.id)
        if (record === undefined) return
        if (cause === "replaced" && successor !== undefined) {
          record.endedWith = cause
          this.#options.seen.saw("secondLoginWon")
        }
        if (cause === "server_shutdown" && this.isClosing) record.endedWith = cause
        sessions.endedAtServer(record, cause, unacknowledged())
        this.#afterTurn(() => (record.isLongEnded = true))
      }),
    )
    this.server.onAttachment((session) =>
      this.#guarded(() => {
        const record = sessions.get(session.id)
        trace.add("server:", session.id, session.attached ? "attached" : "detached")
        if (record !== undefined && !session.attached) {
          sessions.detached(record)
          this.#afterTurn(() => onDetached(record))
        }
        if (record !== undefined && session.attached) {
          // A journal may hold the WELCOME that shows the takeover.
          if (record.attached && this.#options.journal !== undefined) record.takeoversAtMs.push(clock.now())
          record.attached = true
        }
        if (session.attached && draw.chance(0.3)) this.send(session)
      }),
    )
  }

  // --- events ---------------------------------------------------------------------------------------------------

  pad(): string {
    const { draw, plan } = this.#options
    return "x".repeat(draw.whole(0, plan.padBytes))
  }

  #recordOf(session: SimulationSession): SessionRecord[] {
    const record = this.#options.sessions.get(session.id)
    return record === undefined || !session.active ? [] : [record]
  }

  /** Sends one reliable event to one session. */
  send(session: SimulationSession): void {
    const { sessions, nextId, trace } = this.#options
    const note = { id: nextId(), pad: this.pad() }
    sessions.publish(this.#recordOf(session), note.id, () => {
      trace.add("server: note", note.id, "for", session.id, session.send("note", note))
    })
  }

  /** Sends an event in an atomic function that throws: no client may receive it. */
  sendInVain(session: SimulationSession): void {
    const { nextId, seen, trace } = this.#options
    const note = { id: nextId(), pad: this.pad() }
    try {
      this.server.atomic(() => {
        const outcome = session.send("note", note)
        if (outcome === "held") seen.saw("sendUndone")
        trace.add("server: note", note.id, "in vain for", session.id, outcome)
        throw new PlannedFault()
      })
    } catch (error) {
      if (!(error instanceof PlannedFault)) throw error
    }
  }

  /** Sends one reliable event to all, or to the subscribers of a topic. */
  publish(topic: "square" | undefined): void {
    const { sessions, nextId, trace } = this.#options
    const note = { id: nextId(), pad: this.pad() }
    const records = this.server.local
      .sessions()
      .filter((session) => topic === undefined || this.#joined(session))
      .flatMap((session) => this.#recordOf(session))
    sessions.publish(records, note.id, () => {
      if (topic === undefined) this.server.broadcast("note", note)
      else this.server.topic(topic).publish("note", note)
      trace.add("server: note", note.id, "for", records.length, "sessions")
    })
  }

  readonly #members = new Set<SimulationSession>()

  #joined(session: SimulationSession): boolean {
    return this.#members.has(session)
  }

  join(session: SimulationSession): void {
    this.server.topic("square").subscribe(session)
    this.#members.add(session)
  }

  leave(session: SimulationSession): void {
    this.server.topic("square").unsubscribe(session)
    this.#members.delete(session)
  }

  /** Changes a record of a board, or removes one from it. */
  write(): void {
    const { boards, draw, extra, nextId, seen } = this.#options
    if (boardNames.some((name) => this.server.local.topic(name).size === 0)) seen.saw("boardWithoutSessions")
    const onUndone = (): void => seen.saw("changeUndone")
    writeToBoard(this.server, { book: boards, draw, extra, nextId, onUndone })
  }

  /** Removes a member from the boards. */
  remove(session: SimulationSession): void {
    for (const name of boardNames) this.server.topic(name).unsubscribe(session)
  }

  /** Sends a volatile event, keyed or not, to one session or to all. Returns its outcome, if for one. */
  read(session: SimulationSession | undefined, key: string | undefined): string {
    const { sessions, nextId, seen, trace } = this.#options
    const event = key === undefined ? "reading" : "gauge"
    const payload = { id: nextId(), key: key ?? "", pad: this.pad() }
    const to = session === undefined ? this.server.local.sessions() : [session]
    const records = to.flatMap((one) => this.#recordOf(one))
    sessions.publishVolatile(records, payload.id)
    if (session === undefined) {
      this.server.broadcast(event, payload)
      return ""
    }
    const outcome = session.send(event, payload)
    trace.add("server:", event, payload.id, "for", session.id, outcome)
    if (outcome === "conflated") {
      for (const { waitingValues } of records) {
        if (waitingValues.has(payload.key)) seen.saw("conflated")
        waitingValues.set(payload.key, payload.id)
      }
    }
    if (outcome !== "sent") seen.saw("volatileBarrier")
    return outcome
  }
}
