// Calls without input or output, errors of a contract, trusted outputs and merged contracts: their types, and the mistakes that
// must not compile.
import { createClient } from "@hawser/client"
import { defineContract, encodeOnce, mergeContracts } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import { z } from "zod"

const When = z.object({ at: z.string().transform((text) => new Date(text)) })

const game = defineContract({
  name: "game",
  commands: {
    ping: {},
    say: { input: z.string() },
    nudge: { input: z.string().optional() },
    trade: { input: z.string(), output: When, trustOutput: true },
  },
  queries: { online: { output: z.array(z.string()) }, when: { output: When } },
  streams: { log: { item: When }, rawLog: { item: When, trustOutput: true } },
  events: {
    moved: { payload: When, delivery: "volatile", key: ({ at }) => at.toISOString() },
    pushed: { payload: When, trustOutput: true },
    tick: { payload: z.undefined() },
  },
  errors: { blocked: z.object({ by: z.string() }), tooFar: When, full: null },
})

const client = createClient(game, { url: "wss://game.example/ws", token: "t", validateReplies: true })
const server = createServer(game, { authenticate: (token: string) => ({ id: token }) })

export async function calls(signal: AbortSignal): Promise<void> {
  const online: string[] = await client.query("online")
  const nothing: undefined = await client.command("ping")
  await client.command("ping", undefined, { signal })
  await client.command("say", "hello", { signal })
  await client.command("nudge")
  await client.command("nudge", "ann")
  for await (const { at } of client.stream("log", undefined, { window: 8 })) console.log(at.getTime())
  client.stream("log")
  // @ts-expect-error 2345: "online"
  await client.query("onlin")
  // @ts-expect-error 2345: the call has no input
  await client.query("online", {})
  // @ts-expect-error 2345: options are the third argument
  await client.query("online", { signal })
  // @ts-expect-error 2554: the input is missing
  await client.command("say")
  // @ts-expect-error 2345: the input is text
  await client.command("say", 5)
  // @ts-expect-error 2345: the stream has no input
  client.stream("log", {})
  // @ts-expect-error 2322: there is no output
  const output: string = await client.command("say", "hello")
  console.log(online, nothing, output)
}

export function handlers(): void {
  server.command("ping", ({ input }) => {
    const none: undefined = input
    console.log(none)
  })
  // The result of a call without output is discarded.
  server.command("say", async ({ input }) => input.length)
  server.command("nudge", ({ input }) => {
    // @ts-expect-error 18048: there may be no input
    console.log(input.length)
  })
  server.query("online", () => ["ann"])
  server.query("when", () => ({ at: "now" }))
  server.query("when", () => encodeOnce(When, { at: "now" }))
  server.command("trade", () => ({ at: new Date() }))
  server.stream("log", () => [{ at: "now" }])
  server.stream("rawLog", () => [{ at: new Date() }])
  // @ts-expect-error 2322: before validation it is text
  server.query("when", () => ({ at: new Date() }))
  // @ts-expect-error 2322: without validation it is the Date
  server.command("trade", () => ({ at: "now" }))
  // @ts-expect-error 2322: without validation it is the Date
  server.stream("rawLog", () => [{ at: "now" }])
  server.broadcast("moved", { at: "now" })
  server.broadcast("pushed", { at: new Date() })
  server.broadcast("tick", undefined)
  // @ts-expect-error 2322: before validation it is text
  server.broadcast("moved", { at: new Date() })
  // @ts-expect-error 2322: without validation it is the Date
  server.broadcast("pushed", { at: "now" })
}

export function trusting(): void {
  const trusted = createServer(game, { authenticate: (token: string) => ({ id: token }), trustOutput: true })
  trusted.query("when", () => ({ at: new Date() }))
  trusted.broadcast("moved", { at: new Date() })
  trusted.onSession(({ session }) => session.send("moved", { at: new Date() }))
  // @ts-expect-error 2322: without validation it is the Date
  trusted.query("when", () => ({ at: "now" }))
  // @ts-expect-error 2322: without validation it is the Date
  trusted.broadcast("moved", { at: "now" })
}

export function errors(caught: unknown): string {
  if (game.isError(caught, "blocked")) return caught.details.by
  if (game.isError(caught, "tooFar")) return String(caught.details.at.getTime())
  // @ts-expect-error 2345: "full"
  if (game.isError(caught, "fulll")) return ""
  // @ts-expect-error 2345: "blocked", "tooFar" or "full"
  if (game.isError(caught, "forbidden")) return ""
  if (game.isError(caught, "full")) {
    const none: undefined = caught.details
    // @ts-expect-error 2367: its code is "full"
    return caught.code === "blocked" ? "" : String(none)
  }
  const known = [
    game.error("full"),
    game.error("full", { message: "the room is full", retryAfterMs: 5 }),
    game.error("blocked", { by: "ann" }, { message: "ann stands there" }),
    game.error("tooFar", { at: "now" }),
  ]
  // @ts-expect-error 2345: "blocked"
  game.error("blockd", { by: "ann" })
  // @ts-expect-error 2554: the details are missing
  known.push(game.error("blocked"))
  // @ts-expect-error 2322: "by" is text
  known.push(game.error("blocked", { by: 5 }))
  // @ts-expect-error 2353: an error without details has none
  known.push(game.error("full", { by: "ann" }))
  // @ts-expect-error 2561: "message"
  known.push(game.error("blocked", { by: "ann" }, { mesage: "ann stands there" }))
  return String(known.length)
}

const chat = defineContract({
  name: "chat",
  commands: { write: { input: z.string() } },
  events: { written: { payload: When } },
  errors: { muted: null },
})
const both = mergeContracts(game, chat)

export async function merged(): Promise<void> {
  const joint = createClient(both, { url: "wss://game.example/ws", token: "t" })
  await joint.command("write", "hello")
  await joint.command("say", "hello")
  joint.on("written", ({ at }) => console.log(at.getTime()))
  console.log(both.error("muted"), both.error("blocked", { by: "ann" }))
  // @ts-expect-error 2345: "write"
  await joint.command("wrte", "hello")
  // @ts-expect-error 2345: "muted"
  both.error("mutd")
  const other = defineContract({ name: "other", events: { say: { payload: z.string() } } })
  // @ts-expect-error 2345: "say" is a command of the first
  mergeContracts(game, other)
}
