// Both ends of an application as the README shows them, in one file. It must compile without an error.
import { createClient } from "@hawser/client"
import { defineReplica, defineTopic, integer, text } from "@hawser/protocol"
import { createServer, defineContract, HawserError, jwt } from "@hawser/server"
import { z } from "zod"

// contract.ts, shared by both ends
const Direction = z.enum(["UP", "DOWN", "LEFT", "RIGHT"])
const Position = z.object({ x: z.number(), y: z.number() })
const players = defineReplica({
  fields: { x: integer({ min: 0, max: 4095 }), y: integer({ min: 0, max: 4095 }), name: text() },
  area: { x: "x", y: "y", cellSize: 8, range: 2 },
})
const chat = defineTopic({ events: ["chatMessage"], presence: z.object({ mood: z.string() }) })
export const world = defineContract({
  name: "world",
  commands: {
    move: { input: z.object({ direction: Direction }), output: Position, limit: { everyMs: 200, burst: 2 } },
  },
  queries: { chunk: { input: Position, output: z.object({ tiles: z.array(z.number()) }) } },
  events: {
    chatMessage: { payload: z.object({ from: z.string(), text: z.string() }) },
    moved: { payload: Position.extend({ who: z.string() }), delivery: "volatile", key: ({ who }) => who },
  },
  replicas: { players },
  topics: { chat, map: defineTopic({ events: ["moved"] }) },
})

// server.ts
export async function serve(secret: string): Promise<string> {
  const authenticate = jwt({ secret, issuer: "world" })
  const server = createServer(world, { authenticate, limits: { sessionsPerUser: 1 } })
  server.command("move", async ({ input, session, signal }) => {
    if (signal.aborted) throw new HawserError("cancelled")
    const at = { x: input.direction === "LEFT" ? -1 : 1, y: 0 }
    server.topic("map:docks").publish("moved", { who: session.user.id, ...at }, { except: session })
    return at
  })
  server.query("chunk", ({ input }) => ({ tiles: [input.x, input.y] }))
  server.onSession(({ session }) => server.topic("map:docks").subscribe(session))
  const shown = server.replica("players")
  server.onSession(({ session }) => {
    shown.set(session.user.id, { x: 3, y: 4, name: session.user.id })
    shown.view(session, { follow: session.user.id })
  })
  shown.patch("ann", { x: 4 })
  server.topicKind("chat", { canJoin: () => true, canPublish: ({ isMember }) => isMember, history: {} })
  return (await server.listen({ port: 8080 })).url
}

// client.ts
export async function play(url: string, token: () => Promise<string>, signal: AbortSignal): Promise<number> {
  const client = createClient(world, { url, token })
  const unsubscribe = client.on("chatMessage", ({ from, text }) => show(`${from}: ${text}`))
  const at = await client.command("move", { direction: "UP" }, { signal, timeoutMs: 5000 })
  const { tiles } = await client.query("chunk", at)
  for await (const status of client.status()) {
    if (status.state === "reconnecting") show(`attempt ${status.attempt} in ${status.delayMs} ms`)
    if (status.state === "closed") break
  }
  unsubscribe()
  return tiles.length
}

export async function talk(url: string, token: string): Promise<void> {
  const client = createClient(world, { url, token })
  for (const [id, { x, y }] of client.replica("players")) show(`${id} is at ${x},${y}`)
  client.replica("players").on("enter", ({ id, record }) => show(`${id} is ${record.name}`))
  const room = client.topic("chat:docks")
  room.onGap(({ from, to }) => show(`messages ${from} to ${to ?? "…"} are missing`))
  await room.join({ state: { mood: "curious" }, recent: 20 })
  await room.publish("chatMessage", { from: "ann", text: "ahoy" })
  for await (const item of room) if (item.kind === "message") show(item.payload.text)
}

function show(line: string): void {
  document.title = line
}
