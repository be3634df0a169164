// What a server must not compile: handlers, payloads and options that do not fit the contract and the types.
import { createServer, encodeOnce } from "@hawser/server"
import type { Middleware, Session } from "@hawser/server"
import { z } from "zod"
import { callHandler } from "@hawser/server/testing"
import { contract } from "./contract.fixture.ts"

type PlayerSession = Session<Player, typeof contract>

interface Player {
  readonly id: string
  readonly level: number
}

const authenticate = (token: string): Player => ({ id: token, level: 1 })
const server = createServer(contract, { authenticate })
const weather = { kind: "rain", windMetresPerSecond: 3 }

export function handlers(): void {
  server.command("move", ({ input, session, signal, afterReply }) => {
    const direction: "UP" | "DOWN" = input.direction
    const level: number = session.user.level
    afterReply(() => signal.throwIfAborted())
    return { x: direction === "UP" ? level : 0 }
  })
  // After validation the default is there; the server makes a Date of the returned text, and sends it.
  server.command("book", async ({ input }) => ({ at: String(input.seats.toFixed()) }))
  server.command("move", { order: "none" }, ({ input }) => ({ x: input.direction.length }))
  server.use(({ kind, name, session }, next) => (kind === "join" || session.user.level > 0 ? next() : name))
  const levelled: Middleware<PlayerSession> = ({ session }, next) => (session.user.level > 1 ? next() : null)
  server.command("move", { use: [levelled, ({ input }, next) => input.direction && next()] }, () => ({ x: 1 }))
  // @ts-expect-error 2551: "direction"
  server.command("move", { use: [({ input }) => input.directon] }, () => ({ x: 1 }))
  // @ts-expect-error 2367: no kind of call
  server.use(({ kind }, next) => (kind === "event" ? 1 : next()))
  // @ts-expect-error 2820: "session" or "none"
  server.command("move", { order: "non" }, () => ({ x: 1 }))
  // @ts-expect-error 2345: "move"
  server.command("mvoe", () => ({ x: 1 }))
  // @ts-expect-error 2345: a query is not a command
  server.command("look", () => ({ names: [] }))
  // @ts-expect-error 2345: a command is not a query
  server.query("move", () => ({ x: 1 }))
  // @ts-expect-error 2322: x is a number
  server.command("move", () => ({ x: "1" }))
  // @ts-expect-error 2322: the same in an async handler
  server.command("move", async () => ({ x: "1" }))
  // @ts-expect-error 2322: the names are missing
  server.query("look", () => ({}))
  // @ts-expect-error 2345: nothing is returned
  server.query("look", () => {})
  // @ts-expect-error 2551: "direction"
  server.command("move", ({ input }) => ({ x: input.directon.length }))
  // @ts-expect-error 2551: "level"
  server.command("move", ({ session }) => ({ x: session.user.levle }))
  // @ts-expect-error 2339: a handler is given a signal, no client
  server.command("move", ({ client }) => ({ x: client }))
}

export function atomically(): void {
  server.command("move", { atomic: false }, ({ input }) => ({ x: input.direction.length }))
  const size: number = server.atomic(() => server.stats().sessions)
  server.atomic(() => {})
  server.broadcast("weather", { ...weather, windMetresPerSecond: size })
  // @ts-expect-error 2345: no promise
  void server.atomic(async () => server.stats().sessions)
  // @ts-expect-error 2322: true or false
  server.command("move", { atomic: "no" }, () => ({ x: 1 }))
}

export async function units(): Promise<void> {
  const user: Player = { id: "ann", level: 1 }
  const { x }: { x: number } = await callHandler(server, "move", { user, input: { direction: "UP" } })
  const { names } = await callHandler(server, "look", { user, input: {} })
  names.concat(String(x))
  const pong: undefined = await callHandler(server, "ping", { user })
  await callHandler(server, "ping", { user, input: pong })
  // @ts-expect-error 2322: a call without input
  await callHandler(server, "ping", { user, input: {} })
  // @ts-expect-error 2345: the input is missing
  await callHandler(server, "look", { user })
  // @ts-expect-error 2345: "move"
  await callHandler(server, "mvoe", { user, input: { direction: "UP" } })
  // @ts-expect-error 2322: "UP" or "DOWN"
  await callHandler(server, "move", { user, input: { direction: "UPP" } })
  // @ts-expect-error 2741: the level is missing
  await callHandler(server, "look", { user: { id: "ann" }, input: {} })
}

export function streams(): void {
  server.stream("history", async function* ({ input, session, signal }) {
    const days: number = input.days
    if (!signal.aborted && session.user.level > 0) yield { at: String(days) }
    yield encodeOnce(contract.streams.history.item, { at: "now" })
  })
  server.stream("history", ({ input }) => [{ at: String(input.days) }])
  server.stream("history", async () => new Set([{ at: "now" }]))
  server.stream("history", function* () {
    yield { at: "now" }
  })
  // @ts-expect-error 2345: "history"
  server.stream("histroy", () => [])
  // @ts-expect-error 2345: a query is no stream
  server.stream("look", () => [])
  // @ts-expect-error 2345: a stream is no query
  server.query("history", () => [])
  // @ts-expect-error 2322: what is yielded is the text, before the server makes a Date of it
  server.stream("history", () => [{ at: new Date() }])
  // @ts-expect-error 2345: the same in an async generator
  server.stream("history", async function* () {
    yield { at: 5 }
  })
  // @ts-expect-error 2322: one item is not a stream
  server.stream("history", () => ({ at: "now" }))
  // @ts-expect-error 2551: "days"
  server.stream("history", ({ input }) => [{ at: String(input.day) }])
  // @ts-expect-error 2339: nothing follows a stream's reply
  server.stream("history", ({ afterReply }) => afterReply)
}

export function sending(session: PlayerSession, others: readonly PlayerSession[]): void {
  server.broadcast("weather", weather)
  server.topic("chat:a").publish("weather", encodeOnce(contract.events.weather.payload, weather), { except: session })
  server.multicast(others, "chatMessage", { text: "hello", sentAtMs: 5 })
  const outcome: "sent" | "buffered" | "conflated" | "dropped" | "ended" | "held" = session.send("weather", weather)
  // @ts-expect-error 2345: "weather"
  server.broadcast("wether", weather)
  // @ts-expect-error 2345: a command is not an event
  server.broadcast("move", { x: 1 })
  // @ts-expect-error 2322: the kind is a string
  server.broadcast("weather", { kind: 1, windMetresPerSecond: 3 })
  // @ts-expect-error 2345: the wind is missing
  server.broadcast("weather", { kind: "rain" })
  // @ts-expect-error 2345: "weather"
  server.topic("chat:a").publish("wether", weather)
  // @ts-expect-error 2353: the payload has no temperature
  server.topic("chat:a").publish("weather", { ...weather, temperature: 20 })
  // @ts-expect-error 2345: the shared encoding is of something else
  server.topic("chat:a").publish("weather", encodeOnce(z.object({ kind: z.string() }), { kind: "rain" }))
  // @ts-expect-error 2741: the wind is missing
  encodeOnce(contract.events.weather.payload, { kind: "rain" })
  // @ts-expect-error 2561: "except"
  server.topic("chat:a").publish("weather", weather, { exept: session })
  // @ts-expect-error 2379: left out, or a session; never undefined
  server.broadcast("weather", weather, { except: undefined })
  // @ts-expect-error 2322: what is sent is the number, before the server makes a Date of it
  server.multicast(others, "chatMessage", { text: "hello", sentAtMs: new Date() })
  // @ts-expect-error 2345: "chatMessage"
  session.send("chatMesage", { text: "hello", sentAtMs: 5 })
  // @ts-expect-error 2322: the text is a string
  session.send("chatMessage", { text: 1, sentAtMs: 5 })
  // @ts-expect-error 2367: "ended"
  console.log(outcome === "closed")
  // @ts-expect-error 2540: a session's user is given once
  session.user = { id: "bob", level: 2 }
}

export async function topics(): Promise<void> {
  const chat = server.topic("chat:a")
  const since: Date | undefined = (await chat.members())[0]?.state?.since
  const size: number = server.local.topic("lobby").size
  console.log(since, size, server.local.sessions("ann")[0]?.user.level)
  await server.endSessions({ user: "ann", code: "forbidden" })
  const cursors = server.topic("board:7").replica("cursors")
  cursors.set("ann", { x: 1, name: "ann" })
  cursors.patch("ann", { x: 2 })
  const x: number | undefined = cursors.get("ann")?.x
  console.log(x)
  server.topicKind("board", {
    onLeave: ({ topic, member }) => server.topic(topic).replica("cursors").remove(member.user),
    // @ts-expect-error 2345: a board has no such replica
    onJoin: ({ topic }) => server.topic(topic).replica("pieces").remove("a"),
  })
  // @ts-expect-error 2345: "cursors"
  server.topic("board:7").replica("cursor")
  // @ts-expect-error 2345: a lobby has no replicas
  server.topic("lobby").replica("cursors")
  // @ts-expect-error 2345: the replica belongs to a topic
  server.replica("cursors")
  // @ts-expect-error 2741: the name is missing
  cursors.set("ann", { x: 1 })
  // @ts-expect-error 2322: x is a number
  cursors.patch("ann", { x: "1" })
  // @ts-expect-error 2345: "chat:a"
  server.topic("chatter:a")
  // @ts-expect-error 2345: weather is no event of a lobby
  server.topic("lobby").publish("weather", weather)
  // @ts-expect-error 2345: "lobby"
  server.local.topic("loby")
  // @ts-expect-error 2339: members are asked for
  console.log(chat.size)
  // @ts-expect-error 2322: a publication returns nothing
  const count: number = server.broadcast("weather", weather)
  // @ts-expect-error 2741: of which user?
  await server.endSessions({ code: "forbidden" })
  console.log(count)
  server.topicKind("chat", {
    canJoin: async ({ session, topic }) => session.user.level > 1 && topic !== "chat:admins",
    canPublish({ event, payload, isMember }) {
      // @ts-expect-error 2339: which event it is must be asked first
      console.log(payload.text)
      return isMember && (event === "weather" ? payload.windMetresPerSecond < 9 : payload.sentAtMs < new Date())
    },
    onPublish({ event, payload, member }) {
      if (event === "chatMessage" && member?.state?.since.getTime() === 0) return { text: "calm", sentAtMs: 5 }
      // @ts-expect-error 2339: which event it is must be asked first
      console.log(payload.text)
      return undefined
    },
    onJoin({ member, session }) {
      const since: Date | undefined = member.state?.since
      console.log(since, session.user.level)
      // @ts-expect-error 2540: the server sets the state of a member
      member.state = { since: new Date() }
    },
    onLeave({ member, cause }) {
      // @ts-expect-error 2367: "left"
      console.log(member.user, cause === "leave")
    },
    history: { maxCount: 50 },
  })
  // @ts-expect-error 2322: the text is a string
  server.topicKind("chat", { onPublish: () => ({ text: 5, sentAtMs: 5 }) })
  // @ts-expect-error 2345: "chat"
  server.topicKind("chatter", {})
  // @ts-expect-error 2322: true, or false
  server.topicKind("lobby", { canJoin: () => "yes" })
  // @ts-expect-error 2561: "history"
  server.topicKind("lobby", { histroy: {} })
  // @ts-expect-error 2561: "maxAgeMs"
  server.topicKind("lobby", { history: { maxAge: 5 } })
  // @ts-expect-error 2551: "level"
  server.topicKind("lobby", { canJoin: ({ session }) => session.user.levle > 1 })
}

export const options = [
  createServer(contract, { authenticate, origins: ["https://game.example"], limits: { sessionsPerUser: 1 } }),
  // @ts-expect-error 2741: `authenticate` is missing
  createServer(contract, {}),
  // @ts-expect-error 2322: a user has an id
  createServer(contract, { authenticate: (token: string) => ({ name: token }) }),
  // @ts-expect-error 2561: "origins"
  createServer(contract, { authenticate, origin: ["https://game.example"] }),
  // @ts-expect-error 2561: "sessionsPerUser"
  createServer(contract, { authenticate, limits: { sessionPerUser: 1 } }),
  // @ts-expect-error 2322: "newestWins" or "oldestWins"
  createServer(contract, { authenticate, sessionPolicy: "newest" }),
  // @ts-expect-error 2379: left out, or a path; never undefined
  createServer(contract, { authenticate, path: undefined }),
]

export function hooks(): void {
  server.onSessionEnd(({ session, cause, successor }) => {
    const ended: [Player, string] = [session.user, cause]
    // @ts-expect-error 18048: there may be no successor
    console.log(ended, successor.id)
  })
  // @ts-expect-error 2339: "replaces"
  server.onSession(({ replace }) => replace)
}
