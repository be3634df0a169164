// The server that is killed, as a process of its own, on Node or Bun. Prints its reports, and dies of its memory at SIGUSR2. Must
// not know the clients' records.
import { createServer } from "@hawser/server"
import type { Server, Session } from "@hawser/server"
import { fileJournal } from "@hawser/server/journal"
import { appendFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { historyCount, killContract, roomOf, settingsOf } from "./contract.ts"
import type { KillContract, ServerReport, ServerSettings } from "./contract.ts"

interface User {
  readonly id: string
}

const newsEveryMs = 500
const itemEveryMs = 30
const slowMostMs = 40
/** Bytes that a process dying of its memory keeps in each step. */
const ballastLength = 100_000

function report(content: ServerReport): void {
  console.log(JSON.stringify(content))
}

/** Handlers, rooms and news. */
function serve(server: Server<KillContract, User>, { life, runs }: ServerSettings): void {
  const started = (session: Session<User, KillContract>, n: number): void =>
    appendFileSync(runs, `${session.user.id}:${n}\n`)
  const settle = (session: Session<User, KillContract>, n: number): { n: number; run: number } => {
    const by = Number(session.user.id)
    session.send("note", { n })
    server.topic(roomOf(by)).publish("said", { by, n })
    return { n, run: Math.random() }
  }
  server.topicKind("room", {
    canJoin: () => true,
    canPublish: () => true,
    history: { maxCount: historyCount, maxBytes: 1024 * 1024 },
  })
  server.command("say", ({ input: { n }, session }) => {
    started(session, n)
    return settle(session, n)
  })
  server.command("slow", async ({ input: { n }, session }) => {
    started(session, n)
    await pause(Math.random() * slowMostMs)
    return settle(session, n)
  })
  server.stream("count", async function* ({ input: { upTo }, signal }) {
    for (let n = 0; n < upTo && !signal.aborted; n += 1) {
      yield { n }
      await pause(itemEveryMs)
    }
  })
  const news = new Map<string, number>()
  setInterval(() => {
    for (const session of server.local.sessions()) {
      const n = news.get(session.id) ?? 0
      news.set(session.id, n + 1)
      session.send("news", { life, n })
    }
  }, newsEveryMs)
}

/** Keeps more and more until the engine gives up; the server goes on meanwhile. */
function dieOfMemory(): void {
  const kept: number[][] = []
  setInterval(() => kept.push(Array.from({ length: ballastLength }, Math.random)), 1)
}

async function main(settings: ServerSettings): Promise<void> {
  const { folder, port, mode } = settings
  const server = createServer<KillContract, User>(killContract, {
    authenticate: (token) => ({ id: token }),
    journal: fileJournal(folder, { mode }),
    // All clients have one address.
    limits: {
      dialsPerAddressPerSecond: 100_000,
      dialBurstPerAddress: 100_000,
      connectionsPerAddress: 10_000,
      unauthenticatedPerAddress: 10_000,
      unauthenticatedTotal: 10_000,
    },
    onError: (error) => report({ kind: "error", text: String(error) }),
  })
  serve(server, settings)
  process.on("SIGUSR2", dieOfMemory)
  process.on("SIGTERM", () => {
    server.close().then(
      () => process.exit(0),
      (error: unknown) => report({ kind: "error", text: String(error) }),
    )
  })
  const place = { port, host: "127.0.0.1" }
  const listening =
    process.versions["bun"] === undefined
      ? await server.listen(place)
      : await (await import("@hawser/server/bun")).serveWithBun(server, place)
  const { sessions = 0, setAside = 0, isWhole = false, tookMs = 0 } = server.recovery ?? {}
  report({ kind: "listening", port: listening.port, sessions, setAside, isWhole, tookMs })
}

main(settingsOf(process.argv[2])).catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
