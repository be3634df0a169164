// The samples of docs/middleware.md, between their marks. `middleware.test.ts` runs them, and compares them with the page.
import { HawserError, createServer, defineContract, defineTopic } from "@hawser/server"
import type { Middleware, ServerOptions, Session } from "@hawser/server"
import { AsyncLocalStorage } from "node:async_hooks"
import { randomUUID } from "node:crypto"
import { z } from "zod"

export interface Player {
  readonly id: string
  readonly role: "player" | "moderator"
}

const user = z.object({ user: z.string() })

export const contract = defineContract({
  name: "middleware",
  commands: { mute: { input: user, output: z.object({}) } },
  queries: { trace: { input: z.object({}), output: z.object({ call: z.string(), isNamed: z.boolean() }) } },
  events: { chatMessage: { payload: z.object({ text: z.string() }) } },
  topics: { chat: defineTopic({ events: ["chatMessage"] }) },
})

export const muted: string[] = []
export const written: unknown[] = []
export const timed: string[] = []
const auditLog = { write: (line: unknown): unknown => written.push(line) }
const histogram = { observe: (name: string, ms: number): unknown => timed.push(`${name} ${ms >= 0}`) }

// --- permissions
const moderators: Middleware<Session<Player>> = ({ name, session }, next) => {
  if (session.user.role === "moderator") return next()
  throw new HawserError("forbidden", { message: `"${name}" is for moderators` })
}
// --- end

// --- audit
const audit: Middleware<Session<Player>> = async ({ kind, name, input, session }, next) => {
  const line = { kind, name, input, user: session.user.id }
  try {
    const result = await next()
    auditLog.write({ ...line, outcome: "ok" })
    return result
  } catch (error) {
    auditLog.write({ ...line, outcome: HawserError.is(error) ? error.code : "fault" })
    throw error
  }
}
// --- end

// --- timing
const timing: Middleware<Session<Player>> = ({ kind, name }, next) => {
  const startMs = performance.now()
  const ended = (): void => void histogram.observe(`${kind} ${name}`, performance.now() - startMs)
  const result = next()
  // A synchronous handler stays synchronous.
  if (result instanceof Promise) return result.finally(ended)
  ended()
  return result
}
// --- end

// --- tracing
const trace = new AsyncLocalStorage<{ readonly id: string; readonly call: string }>()

/** Code of a handler, and everything that it calls, finds its call in `trace.getStore()`. */
const tracing: Middleware<Session<Player>> = ({ kind, name }, next) =>
  trace.run({ id: randomUUID(), call: `${kind} ${name}` }, next)
// --- end

export function createSampleServer(options: ServerOptions<typeof contract, Player>) {
  const server = createServer(contract, options)
  // --- use
  server.use(tracing)
  server.use(timing)
  server.use(audit)
  server.command("mute", { use: [moderators] }, ({ input }) => {
    muted.push(input.user)
    return {}
  })
  // --- end
  server.query("trace", () => {
    const { call = "", id = "" } = trace.getStore() ?? {}
    return { call, isNamed: id.length === 36 }
  })
  server.topicKind("chat", { canJoin: () => true, canPublish: () => true })
  return server
}
