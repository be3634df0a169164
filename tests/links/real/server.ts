// The server's end of an emulated link: a process that the runner starts in the server's namespace.
import { unwatched } from "@hawser/protocol/testing"
import { createServer } from "@hawser/server"
import { clockId, clockRecord, contract, sharedNowMs } from "./protocol.ts"
import type { FromServer, ServerFigures, ServerSetUp, ToServer } from "./protocol.ts"

interface User {
  readonly id: string
}

class LinkServer {
  readonly #errors: string[] = []
  readonly #executedAtMs = new Map<string, number>()
  readonly #server
  #ticks = 0

  constructor({ limits, ticksPerSecond, movingRecords }: ServerSetUp) {
    const server = createServer<typeof contract, User>(contract, {
      authenticate: (token) => ({ id: token }),
      limits,
      onError: (error) => this.#errors.push(String(error)),
    })
    this.#server = server
    server.command("move", ({ input }) => {
      this.#executedAtMs.set(input.id, sharedNowMs())
      return input
    })
    if (ticksPerSecond > 0) {
      setInterval(() => {
        this.#ticks += 1
        server.broadcast("tick", { count: this.#ticks })
      }, 1_000 / ticksPerSecond)
    }
    if (movingRecords > 0) this.#move(movingRecords)
  }

  /** Records that move at random, so that each change costs its bits. */
  #move(count: number): void {
    const crowd = this.#server.replica("crowd")
    this.#server.onSession(({ session }) => void crowd.view(session))
    const place = (): number => Math.floor(Math.random() * 1_000_000)
    setInterval(() => {
      crowd.set(clockId, clockRecord(sharedNowMs()))
      for (let record = 0; record < count; record += 1) crowd.set(`r${record}`, { x: place(), y: place() })
    }, 100)
  }

  async listen(host: string): Promise<number> {
    const { port } = await this.#server.listen({ port: 0, host })
    return port
  }

  figures(): ServerFigures {
    const stats = this.#server.stats()
    return {
      executedAtMs: Object.fromEntries(this.#executedAtMs),
      upgradesRefused: stats.upgradesRefusedByReason,
      handshakesRefused: stats.handshakesRefused,
      sessionsEnded: stats.sessionsEndedByCause,
      sessionsResumed: stats.sessionsResumed,
      silentClosed: stats.silentConnectionsClosed,
      slowClosed: stats.slowConsumersClosed,
      conflated: stats.viewersConflated,
      replicaBytes: stats.replicaBytesSent,
      voided: stats.requestsVoided,
      errors: this.#errors.splice(0),
    }
  }
}

let server: LinkServer | undefined
const say = (message: FromServer): void => void process.send?.(message)

process.on("message", (message: ToServer) => {
  if (message.kind === "end") process.exit(0)
  if (message.kind === "read") {
    if (server !== undefined) say({ kind: "figures", figures: server.figures() })
    return
  }
  server = new LinkServer(message.setUp)
  unwatched(server.listen(message.setUp.host).then((port) => say({ kind: "listening", port })))
})
process.on("disconnect", () => process.exit(0))
