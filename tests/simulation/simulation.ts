// One run: a seed makes a plan; clients, a server and a network run it on virtual time. All observable events are
// checked against the books after every step.
import { SimulatedClock, SimulatedNetwork, seededRandom } from "@hawser/protocol/testing"
import type { SimulatedSocket } from "@hawser/protocol/testing"
import { BoardBook } from "./boards.ts"
import { ClientEnd } from "./client-end.ts"
import { drawFrom, planOf } from "./plan.ts"
import type { Draw, Plan } from "./plan.ts"
import { RequestBook } from "./request-book.ts"
import { ServerEnd } from "./server-end.ts"
import type { SimulationSession } from "./server-end.ts"
import { SessionBook } from "./session-book.ts"
import type { SessionRecord } from "./session-book.ts"
import { Seen } from "./sometimes.ts"
import { Trace, Violation } from "./trace.ts"
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
  readonly network: SimulatedNetwork
  readonly watch: WireWatch
  readonly clients: readonly ClientEnd[]
  readonly forged = new Set<SimulatedSocket>()
  server: ServerEnd
  wallJumpMs = 0
  steps = 0
  violation: unknown
  isQuiet = false
  /** All clients are closed, and none reconnects. */
  isOver = false
  #ids = 0
  readonly #detached: SessionRecord[] = []
  #atOnce = 0
  #lastMs = 0
  #servers = 0
  readonly #watched = new Map<unknown, WatchedClient>()

  constructor(seed: number, isTraced: boolean) {
    this.trace = new Trace(this.clock, isTraced)
    const random = seededRandom(seed)
    this.draw = drawFrom(random)
    this.plan = planOf(this.draw)
    const { clock, trace, seen, plan } = this
    const nowMs = (): number => clock.now()
    this.sessions = new SessionBook({ trace, seen, limits: plan.server, padBytes: plan.padBytes, nowMs })
    this.requests = new RequestBook(seen, nowMs)
    this.watch = new WireWatch({
      trace,
      seen,
      book: this.sessions,
      requests: this.requests,
      nowMs,
      clientOf: (socket) => this.#watched.get(socket.clientProcess),
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

  /** Starts a server without the previous one's state. */
  startServer(): ServerEnd {
    this.#servers += 1
    const server = new ServerEnd({ ...this.#shared(), number: this.#servers, onDetached: this.onDetached })
    this.network.serve(server.process, server.server.accept)
    this.server = server
    return server
  }

  #shared() {
    const { clock, draw, plan, seen, trace, sessions, requests, boards, wallClockMs } = this
    const { nextId, onViolation } = this
    return { clock, draw, plan, seen, trace, sessions, requests, boards, wallClockMs, nextId, onViolation }
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
      const state = this.watch.socketOf(record)?.server.state
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
