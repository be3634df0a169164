// The server of a soak, in a separate process: walkers in a replica, rooms with presence, notes to each session. It
// counts arrivals, and measures its memory on request.
import { createServer } from "@hawser/server"
import type { Session } from "@hawser/server"
import { contract } from "./contract.ts"
import type { FromServer, Rest, ServerReport, SoakContract, ToServer } from "./contract.ts"

interface User {
  readonly id: string
}

const rooms = 20
const tickMs = 200
const areaSize = 200

class SoakServer {
  readonly #server
  readonly #errors: string[] = []
  /** By session: the last request, and the number of sent notes. */
  readonly #requests = new Map<string, number>()
  readonly #notes = new Map<string, number>()
  #misplaced = 0
  #timers: NodeJS.Timeout[] = []

  constructor(names: readonly string[]) {
    const server = createServer<SoakContract, User>(contract, {
      authenticate: (token) => ({ id: token }),
      // Sessions of vanished clients expire before the end of the warm-up.
      limits: { resumeWindowMs: 30_000 },
      onError: (error) => this.#errors.push(String(error)),
    })
    this.#server = server
    server.command("count", ({ input, session }) => {
      const last = this.#requests.get(session.id)
      if (last !== undefined && input.n !== last + 1) this.#misplaced += 1
      this.#requests.set(session.id, input.n)
      return input
    })
    server.topicKind("room", { canJoin: () => true, canPublish: () => true })
    server.onSession(({ session }) => {
      this.#notes.set(session.id, 0)
      server.replica("walkers").view(session, { follow: session.user.id })
    })
    server.onSessionEnd(({ session }) => {
      this.#requests.delete(session.id)
      this.#notes.delete(session.id)
    })
    this.#walk(names)
    let chats = 0
    this.#timers.push(
      setInterval(() => this.#walk(names), tickMs),
      setInterval(() => {
        for (const session of server.local.sessions()) this.#note(session)
      }, 1_000),
      setInterval(() => {
        chats += 1
        for (let room = 0; room < rooms; room += 1) server.topic(`room:${room}`).publish("chat", { n: chats })
      }, 2_000),
    )
  }

  #note(session: Session<User, SoakContract>): void {
    const n = (this.#notes.get(session.id) ?? 0) + 1
    this.#notes.set(session.id, n)
    session.send("note", { n })
  }

  #walk(names: readonly string[]): void {
    const walkers = this.#server.replica("walkers")
    for (const name of names) {
      const { x, y, steps } = walkers.get(name) ?? {
        x: Math.random() * areaSize,
        y: Math.random() * areaSize,
        steps: 0,
      }
      const step = (from: number): number => Math.min(areaSize, Math.max(0, from + Math.random() - 0.5))
      walkers.set(name, { x: step(x), y: step(y), steps: steps + 1 })
    }
    this.#server.flush()
  }

  /** Calls back with the port. */
  listen(onPort: (port: number) => void): void {
    this.#server.listen({ port: 0, host: "127.0.0.1" }).then(
      ({ port }) => onPort(port),
      (error: unknown) => this.#errors.push(String(error)),
    )
  }

  drain(): void {
    this.#server
      .drain({ spreadMs: 5_000, graceMs: 5_000 })
      .catch((error: unknown) => this.#errors.push(String(error)))
  }

  report(): ServerReport {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    const stats = this.#server.stats()
    return {
      heapBytes: heapUsed + external,
      deltaBytes: stats.replicaDeltaBytes,
      sessions: stats.sessions,
      misplaced: this.#misplaced,
      slowConsumers: stats.slowConsumersClosed,
      conflations: stats.viewersConflated,
      errors: this.#errors.splice(0),
    }
  }

  /** Stops all movement, and returns the final state. */
  rest(): Rest {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    const walkers = this.#server.replica("walkers")
    const sessions = this.#server.local.sessions()
    return {
      walkers: Object.fromEntries(
        [...walkers.ids()].map((id) => [id, walkers.get(id) ?? { x: 0, y: 0, steps: 0 }]),
      ),
      notes: Object.fromEntries(sessions.map(({ id, user }) => [user.id, this.#notes.get(id) ?? 0])),
    }
  }
}

let server: SoakServer | undefined
const say = (message: FromServer): void => void process.send?.(message)

process.on("message", (message: ToServer) => {
  if (message.kind === "end") process.exit(0)
  if (message.kind === "start") {
    server = new SoakServer(message.walkers)
    server.listen((port) => say({ kind: "listening", port }))
  } else if (server !== undefined) {
    if (message.kind === "drain") server.drain()
    else if (message.kind === "rest") say({ kind: "rests", rest: server.rest() })
    else say({ kind: "measured", report: server.report() })
  }
})
