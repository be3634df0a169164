// The server of the suites, and the calls that they may make. It runs in the tests' process or under another runtime,
// so all arguments and results are plain data. Must not know the test runner.
import { profile20 } from "@hawser/server/profile20"
import { HawserError, defineContract } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { EndCause, Listening, SendOutcome, Server, ServerStats } from "@hawser/server"
import { z } from "zod"

export const contract = defineContract({
  name: "sockets",
  commands: {
    echo: { input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) },
    never: { input: z.object({}), output: z.object({}) },
    gate: { input: z.object({}), output: z.object({}) },
  },
  queries: { look: { input: z.object({}), output: z.object({ seen: z.number() }) } },
  events: {
    note: { payload: z.object({ text: z.string() }) },
    where: {
      payload: z.object({ who: z.string(), x: z.number() }),
      delivery: "volatile",
      key: ({ who }) => who,
    },
    blip: { payload: z.object({ x: z.number() }), delivery: "volatile" },
  },
})

export type SocketContract = typeof contract

interface SocketUser {
  readonly id: string
}

export type IdleServer = Server<SocketContract, SocketUser>

export interface ServerSpec {
  readonly limits?: Partial<ServerLimits>
  readonly trustProxy?: boolean
  /** Mounts it on a `Bun.serve` of the application, with one more page; only under Bun. */
  readonly mounted?: boolean
  /** A list, or the behaviour of a function. */
  readonly origins?: readonly string[] | "takes those of good.com" | "throws" | "is asynchronous"
  readonly allowLoopbackOrigins?: boolean
  /** False: the server does not serve `2.0`. Default true. */
  readonly serves20?: boolean
}

export interface Place {
  readonly port: number
  readonly host: string
}

type ServerEvent =
  | { readonly name: "note"; readonly text: string }
  | { readonly name: "where"; readonly who: string; readonly x: number }
  | { readonly name: "blip"; readonly x: number }

interface SeenSession {
  readonly active: boolean
  readonly attached: boolean
}

interface SeenEnd {
  readonly userId: string
  readonly cause: EndCause
  /** Kind of each message: the name of an event, or another kind. */
  readonly unacknowledged: readonly string[]
}

/**
 * One server. Tokens are user names. Those that begin with "bad" are refused, "hung" ones are never verified, "late"
 * ones only after `admit`, and "broken" ones make the verification throw.
 */
export interface ServerControl {
  /** May be called more than once. Rejects as `listen` of the server does. */
  listen(place: Place): Promise<Listening>
  close(): Promise<void>
  stats(): Promise<ServerStats>
  sessionsOf(userId: string): Promise<readonly SeenSession[]>
  /** Sends to the one session of this user, all in one turn of the event loop. */
  send(userId: string, events: readonly ServerEvent[]): Promise<readonly SendOutcome[]>
  broadcast(text: string): Promise<void>
  endSessions(): Promise<void>
  /** Accepts "late" tokens, and resolves the command `gate`. */
  admit(): Promise<void>
  /** The texts of the requests that reached a handler. */
  handled(): Promise<readonly string[]>
  /** Tokens that were passed to the verification. */
  verified(): Promise<readonly string[]>
  /** Tokens whose verification was aborted. */
  aborted(): Promise<readonly string[]>
  ended(): Promise<readonly SeenEnd[]>
  errors(): Promise<readonly string[]>
  /** Kind and message of each. */
  warnings(): Promise<readonly string[]>
}

type Listen = (server: IdleServer, place: Place) => Promise<Listening>

export interface ServerProgram extends ServerControl {
  readonly server: IdleServer
}

export function createProgram(spec: ServerSpec, listen: Listen): ServerProgram {
  const errors: string[] = []
  const warnings: string[] = []
  const ended: SeenEnd[] = []
  const handled: string[] = []
  const tokens = watchTokens()
  const { origins } = spec
  const server = createServer(contract, {
    ...(spec.serves20 === false ? {} : { profile20: profile20() }),
    authenticate: (token, context) => tokens.authenticate(token, context),
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
    ...(spec.limits === undefined ? {} : { limits: spec.limits }),
    onWarning: ({ kind, message }) => warnings.push(`${kind}: ${message}`),
    ...(spec.trustProxy === undefined ? {} : { trustProxy: spec.trustProxy }),
    allowLoopbackOrigins: spec.allowLoopbackOrigins ?? false,
    ...(origins === undefined ? {} : { origins: typeof origins === "string" ? judges[origins] : origins }),
  })
  server.command("echo", ({ input }) => {
    handled.push(input.text)
    return input
  })
  server.command("never", () => {
    handled.push("never")
    return new Promise<never>(() => {})
  })
  server.command("gate", async () => {
    handled.push("gate")
    await tokens.admitted
    return {}
  })
  server.query("look", () => {
    handled.push("look")
    return { seen: handled.length }
  })
  server.onSessionEnd(({ session, cause, unacknowledged }) => {
    const kept = unacknowledged().map((sent) => (sent.kind === "event" ? sent.name : sent.kind))
    ended.push({ userId: session.user.id, cause, unacknowledged: kept })
  })
  return {
    server,
    listen: (place) => listen(server, place),
    close: () => server.close(),
    stats: async () => server.stats(),
    sessionsOf: async (userId) =>
      server.local.sessions(userId).map(({ active, attached }) => ({ active, attached })),
    send: async (userId, events) => events.map((event) => sendOne(server, userId, event)),
    broadcast: async (text) => server.broadcast("note", { text }),
    endSessions: async () => {
      for (const session of server.local.sessions()) session.end()
    },
    admit: async () => tokens.admit(),
    handled: async () => [...handled],
    verified: async () => tokens.verified,
    aborted: async () => tokens.aborted,
    ended: async () => [...ended],
    errors: async () => [...errors],
    warnings: async () => [...warnings],
  }
}

const judges = {
  "takes those of good.com": (origin: string) => origin.endsWith(".good.com"),
  "is asynchronous": () => untyped<boolean>(Promise.resolve(false)),
  throws: (): boolean => {
    throw new Error("a fault of the function")
  },
}

function sendOne(server: IdleServer, userId: string, event: ServerEvent): SendOutcome {
  const [session] = server.local.sessions(userId)
  if (session === undefined) throw new Error(`no session of ${userId}`)
  switch (event.name) {
    case "note":
      return session.send("note", { text: event.text })
    case "where":
      return session.send("where", { who: event.who, x: event.x })
    case "blip":
      return session.send("blip", { x: event.x })
  }
}

function watchTokens() {
  const verified: string[] = []
  const aborted: string[] = []
  let admit = (): void => {}
  const admitted = new Promise<void>((resolve) => {
    admit = resolve
  })
  return {
    verified,
    aborted,
    admitted,
    admit: () => admit(),
    async authenticate(token: string, { signal }: { readonly signal: AbortSignal }): Promise<SocketUser> {
      verified.push(token)
      if (token.startsWith("bad")) throw new HawserError("auth_token_invalid")
      if (token.startsWith("broken")) throw new Error("the verification is broken")
      if (token.startsWith("hung")) {
        signal.addEventListener("abort", () => aborted.push(token))
        await new Promise(() => {})
      }
      if (token.startsWith("late")) await admitted
      return { id: token }
    },
  }
}

/** A result as a function without types returns it. */
function untyped<T>(result: unknown): T
function untyped(result: unknown): unknown {
  return result
}
