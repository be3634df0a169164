// A real server, and one client's dialogue with it through a chaos proxy: a record of both applications' events.
import { profile20 } from "@hawser/server/profile20"
import { createClient, fixed } from "@hawser/client"
import type { Client, ClientOptions } from "@hawser/client"
import { HawserError, defineContract } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { Server } from "@hawser/server"
import WebSocket from "ws"
import { z } from "zod"
import { checkHistory, describeViolations } from "./history.ts"
import type { SessionEvent } from "./history.ts"
import type { Address } from "./proxy.ts"

const numbered = z.object({ n: z.number(), filling: z.string() })
const contract = defineContract({
  name: "chaos",
  commands: { say: { input: numbered, output: numbered } },
  queries: {},
  events: { news: { payload: numbered } },
})

interface User {
  readonly id: string
}

/** Record of the server's application for one user. */
interface UserRecord {
  readonly events: SessionEvent[]
  /** Commands in the order of their handling, with their session. */
  readonly handled: { readonly n: number; readonly session: string }[]
  news: number
}

export interface ChaosServer {
  readonly address: Address
  readonly server: Server<typeof contract, User>
  readonly errors: unknown[]
  recordOf(user: string): UserRecord
}

/** Tokens are user names. Every `say` is answered by an event and then its reply. */
export async function startChaosServer(limits: Partial<ServerLimits> = {}): Promise<ChaosServer> {
  const recordsByUser = new Map<string, UserRecord>()
  const errors: unknown[] = []
  const recordOf = (user: string): UserRecord => {
    const known = recordsByUser.get(user) ?? { events: [], handled: [], news: 0 }
    recordsByUser.set(user, known)
    return known
  }
  const server = createServer(contract, {
    profile20: profile20(),
    authenticate: (token): User => ({ id: token }),
    limits: { userMessagesPerSecond: 100_000, userMessageBurst: 100_000, ...limits },
    // Broken connections are expected at this server; any other report of the product is an error.
    onError: (error) => {
      if (HawserError.is(error)) errors.push(error)
    },
  })
  server.command("say", ({ input, session }) => {
    const { events, handled, news } = recordOf(session.user.id)
    handled.push({ n: input.n, session: session.id })
    recordOf(session.user.id).news = news + 1
    events.push({ kind: "sent", session: session.id, n: news })
    session.send("news", { n: news, filling: input.filling })
    return input
  })
  server.onSession(({ session }) => {
    recordOf(session.user.id).events.push({ kind: "opened", session: session.id })
  })
  server.onSessionEnd(({ session, cause, unacknowledged }) => {
    const numbers = unacknowledged().flatMap((message) =>
      message.kind === "event" ? [numbered.parse(message.payload).n] : [],
    )
    const kind = cause === "closed" ? "closed" : "reset"
    recordOf(session.user.id).events.push({ kind, session: session.id, cause, unacknowledged: numbers })
  })
  const { port } = await server.listen({ host: "127.0.0.1" })
  return { address: { host: "127.0.0.1", port }, server, errors, recordOf }
}

/** Outcome of one command, as its caller got it. */
type Outcome = "pending" | "replied" | "rejected"

export class Dialogue {
  readonly client: Client<typeof contract>
  readonly errors: unknown[] = []
  readonly #server: ChaosServer
  readonly #user: string
  readonly #events: SessionEvent[] = []
  readonly #outcomes: Outcome[] = []
  readonly #wrongReplies: string[] = []
  /** Numbers of the server's events, in order of arrival. */
  readonly received: number[] = []
  #session: string | undefined

  constructor(server: ChaosServer, address: Address, how: { user: string } & Partial<ClientOptions>) {
    const { user, limits, ...options } = how
    this.#server = server
    this.#user = user
    this.client = createClient(contract, {
      url: `ws://${address.host}:${address.port}/ws`,
      token: user,
      webSocket: WebSocket,
      reconnect: fixed({ baseMs: 5, jitter: "none" }),
      // The proxy cuts more often than any network; the dial budget would only slow the runs down.
      limits: { dialBurst: 1_000, dialsPerMinute: 1_000_000, ...limits },
      onError: (error) => this.errors.push(error),
      ...options,
    })
    this.client.onSession((event) => {
      if (event.kind === "prolonged") return
      const { sessionId: session } = event
      if (event.kind === "opened") this.#session = session
      if (event.kind !== "reset") this.#events.push({ kind: event.kind, session })
      else if (event.cause === "client_closed") {
        this.#events.push({ kind: "closed", session, cause: event.cause, unacknowledged: [] })
      } else {
        this.#events.push({ kind: "reset", session, cause: event.cause, unacknowledged: [] })
      }
    })
    this.client.on("news", ({ n }) => {
      this.received.push(n)
      if (this.#session !== undefined) this.#events.push({ kind: "received", session: this.#session, n })
    })
  }

  /** Resolves for every outcome of the command. */
  async say(filling: string, timeoutMs = 60_000): Promise<void> {
    const n = this.#outcomes.push("pending") - 1
    try {
      const reply = await this.client.command("say", { n, filling }, { timeoutMs })
      this.#outcomes[n] = "replied"
      if (reply.n !== n || reply.filling !== filling)
        this.#wrongReplies.push(`${n} got the reply of ${reply.n}`)
    } catch {
      this.#outcomes[n] = "rejected"
    }
  }

  get resets(): readonly string[] {
    return this.#events.flatMap((event) => (event.kind === "reset" ? [event.cause] : []))
  }

  /** All faults, one line each; empty if there are none. The dialogue must be quiet. */
  faults(): string[] {
    const { handled, events } = this.#server.recordOf(this.#user)
    const handledCounts = new Map<number, number>()
    for (const { n } of handled) handledCounts.set(n, (handledCounts.get(n) ?? 0) + 1)
    const faults = [...this.#wrongReplies]
    for (const [n, count] of handledCounts)
      if (count > 1) faults.push(`command ${n} was handled ${count} times`)
    for (const [n, outcome] of this.#outcomes.entries()) {
      if (outcome === "pending") faults.push(`command ${n} never settled`)
      if (outcome === "replied" && !handledCounts.has(n))
        faults.push(`command ${n} was answered, not handled`)
    }
    for (const [index, { n, session }] of handled.entries()) {
      const before = handled[index - 1]
      if (before?.session === session && before.n > n)
        faults.push(`command ${n} was handled after ${before.n}`)
    }
    // A session whose WELCOME never arrived is unknown to the client and had no messages.
    const known = new Set(this.#events.map(({ session }) => session))
    const server = events.filter(({ session }) => known.has(session))
    const violations = checkHistory({ client: this.#events, server })
    if (violations.length > 0) faults.push(describeViolations(violations))
    return [...faults, ...this.errors.map(String)]
  }
}
