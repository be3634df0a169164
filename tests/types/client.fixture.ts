// What a client must not compile: names, inputs, replies, payloads and options that the contract and the types lack.
import { createClient, exponential } from "@hawser/client"
import type { ClientStatus, Store } from "@hawser/client"
import { profile20 } from "@hawser/client/profile20"
import { contract } from "./contract.fixture.ts"

const url = "wss://game.example/ws"
const client = createClient(contract, { url, token: "t" })

export function stores(): void {
  const status: Store<ClientStatus> = client.stores.status
  const state: "waiting" | "throttled" | "sent" | undefined = client.stores.pending.snapshot()[0]?.state
  void [status, state]
  // @ts-expect-error 2339: a store has no value of its own
  void client.stores.session.value
  // @ts-expect-error 2540: a snapshot is not writable
  client.stores.session.snapshot().id = "other"
}

export async function commands(): Promise<void> {
  const moved = await client.command("move", { direction: "UP" }, { timeoutMs: 5000 })
  const x: number = moved.x
  const booked = await client.command("book", {})
  const at: Date = booked.at
  // @ts-expect-error 2345: "move"
  await client.command("mvoe", { direction: "UP" })
  // @ts-expect-error 2345: a query is not a command
  await client.command("look", {})
  // @ts-expect-error 2345: a command is not a query
  await client.query("move", { direction: "UP" })
  // @ts-expect-error 2345: "look"
  await client.query("lok", {})
  // @ts-expect-error 2561: "direction"
  await client.command("move", { directoin: "UP" })
  // @ts-expect-error 2322: "UP" or "DOWN"
  await client.command("move", { direction: "SIDEWAYS" })
  // @ts-expect-error 2741: the direction is missing
  await client.command("move", {})
  // @ts-expect-error 2554: the input is missing
  await client.command("move")
  // @ts-expect-error 2322: the reply is an object
  const reply: number = await client.command("move", { direction: "UP" })
  // @ts-expect-error 2322: the reply's x is a number
  const text: string = moved.x
  // @ts-expect-error 2339: the reply has no y
  const y: number = moved.y
  // @ts-expect-error 2322: after validation it is a Date
  const written: string = booked.at
  // @ts-expect-error 2561: "timeoutMs"
  await client.command("move", { direction: "UP" }, { timoutMs: 5000 })
  // @ts-expect-error 2379: left out, or a number; never undefined
  await client.command("move", { direction: "UP" }, { timeoutMs: undefined })
  console.log(x, at, reply, text, y, written)
}

export async function streams(signal: AbortSignal): Promise<void> {
  for await (const { at } of client.stream("history", { days: 2 }, { signal, window: 8 })) {
    const after: Date = at
    // @ts-expect-error 2322: after validation it is a Date
    const before: string = at
    console.log(after, before)
  }
  const items = client.stream("history", {})
  const read = await items.next()
  // @ts-expect-error 18048: the stream may be over
  console.log(read.value.at)
  if (read.done !== true) console.log(read.value.at.getTime())
  // @ts-expect-error 2345: "history"
  client.stream("histroy", {})
  // @ts-expect-error 2345: a query is no stream
  client.stream("look", {})
  // @ts-expect-error 2345: a stream is no query
  await client.query("history", {})
  // @ts-expect-error 2322: days are a number
  client.stream("history", { days: "2" })
  // @ts-expect-error 2554: the input is missing
  client.stream("history")
  // @ts-expect-error 2561: "window"
  client.stream("history", {}, { windw: 8 })
  // @ts-expect-error 2353: a stream takes as long as it wants
  client.stream("history", {}, { timeoutMs: 5000 })
  // @ts-expect-error 2322: an item is an object with a date
  const texts: string[] = await all(items)
  console.log(texts)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export function events(): void {
  const stop: () => void = client.on("chatMessage", ({ text, sentAtMs }, { topic, offset }) => {
    const inferred: [string, Date, string | undefined, number | undefined] = [text, sentAtMs, topic, offset]
    // @ts-expect-error 2322: the text is a string
    const wrong: number = text
    console.log(inferred, wrong)
  })
  // @ts-expect-error 2345: "chatMessage"
  client.on("chatMesage", () => {})
  // @ts-expect-error 2345: "weather"
  client.once("wether", () => {})
  // @ts-expect-error 2345: a command is not an event
  client.on("move", () => {})
  // @ts-expect-error 2339: the payload has no message
  client.on("chatMessage", ({ message }) => message)
  client.once("weather", ({ kind, windMetresPerSecond }) => {
    // @ts-expect-error 2362: the kind is a string
    console.log(kind * windMetresPerSecond)
  })
  // @ts-expect-error 2353: there is a signal, but no `once`
  client.on("weather", () => {}, { once: true })
  stop()
}

export async function topics(signal: AbortSignal): Promise<void> {
  const room = client.topic("chat:global")
  await room.join({ state: { since: 5 }, recent: 20, signal })
  await client.topic("lobby").join()
  const { offset } = await room.publish("chatMessage", { text: "hello", sentAtMs: 5 }, { echo: false })
  const number: number | undefined = offset
  const stop: () => void = room.on("chatMessage", ({ sentAtMs }, meta) => {
    const inferred: [Date, string | undefined] = [sentAtMs, meta.topic]
    console.log(inferred)
  })
  for (const { user, state, away } of room.presence) {
    const inferred: [string, Date, boolean] = [user, state.since, away]
    console.log(inferred)
  }
  for await (const item of room) {
    if (item.kind === "gap") console.log(item.gap.from, item.gap.reason === "restarted")
    else if (item.event === "weather") console.log(item.payload.windMetresPerSecond)
    // @ts-expect-error 2339: weather has no text
    if (item.kind === "message" && item.event === "weather") console.log(item.payload.text)
    // @ts-expect-error 2339: a gap has no payload
    if (item.kind === "gap") console.log(item.payload)
  }
  room.onGap(({ from, to }) => console.log(from, to))
  const cursors = client.topic("board:7").replica("cursors")
  const x: number | undefined = cursors.get("ann")?.x
  const shown: ReadonlyMap<string, { readonly x: number; readonly name: string }> = cursors.snapshot().records
  console.log(x, shown)
  // @ts-expect-error 2345: "cursors"
  client.topic("board:7").replica("cursor")
  // @ts-expect-error 2345: a lobby has no replicas
  client.topic("lobby").replica("cursors")
  // @ts-expect-error 2345: the replica belongs to a topic
  client.replica("cursors")
  // @ts-expect-error 2339: a cursor has no y
  console.log(cursors.get("ann")?.y)
  // @ts-expect-error 2339: the server sets the records
  cursors.set("ann", { x: 1, name: "ann" })
  // @ts-expect-error 2345: "chat"
  client.topic("chatter:global")
  // @ts-expect-error 2345: an event is no topic
  client.topic("weather")
  // @ts-expect-error 2554: members of a chat show a state
  await room.join()
  // @ts-expect-error 2345: the state is missing
  await room.join({ recent: 20 })
  // @ts-expect-error 2322: what is passed is the number, before others get a Date of it
  await room.join({ state: { since: new Date() } })
  // @ts-expect-error 2345: the chat's events, not those of the lobby
  await client.topic("lobby:a").publish("weather", { kind: "rain", windMetresPerSecond: 1 })
  // @ts-expect-error 2345: "chatMessage"
  room.on("chatMesage", () => {})
  // @ts-expect-error 2322: the text is a string
  await room.publish("chatMessage", { text: 1, sentAtMs: 5 })
  // @ts-expect-error 2353: "echo"
  await room.publish("chatMessage", { text: "", sentAtMs: 5 }, { ehco: false })
  // @ts-expect-error 2339: members have no name
  console.log(room.presence.self?.name)
  // @ts-expect-error 2367: "in"
  console.log(number, room.state === "inside")
  stop()
}

export async function session(): Promise<void> {
  const stop: () => void = client.onSession((event) => {
    // @ts-expect-error 2339: only `reset` has a cause
    console.log(event.cause)
    if (event.kind === "reset") console.log(event.cause, event.unacknowledged[0]?.name)
    if (event.kind === "resumed" || event.kind === "prolonged") console.log(event.outageMs)
    // @ts-expect-error 2367: "resumed"
    if (event.kind === "resume") console.log("never")
  })
  await client.command("move", { direction: "UP" }, { whenOffline: "queue", key: "move 1" })
  // @ts-expect-error 2322: "queue", "fail" or "drop"
  await client.command("move", { direction: "UP" }, { whenOffline: "wait" })
  // @ts-expect-error 2322: a key is a text
  await client.command("move", { direction: "UP" }, { key: 1 })
  const [first] = client.pending()
  // @ts-expect-error 18048: there may be none
  console.log(first.name)
  // @ts-expect-error 2367: "sent" or "waiting"
  if (first?.state === "open") console.log("never")
  // @ts-expect-error 2322: without a session there is none
  const id: string = client.sessionId
  console.log(id)
  client.cut()
  client.wake()
  stop()
}

export async function status(): Promise<void> {
  // @ts-expect-error 2339: only `reconnecting` has a delay
  console.log(client.current.delayMs)
  // @ts-expect-error 2367: "closed"
  if (client.current.state === "close") console.log("never")
  for await (const now of client.status()) {
    if (now.state === "closed") console.log(now.error.code, now.error.retry)
    // @ts-expect-error 2339: an open client has no error
    if (now.state === "open") console.log(now.error)
  }
}

export const options = [
  createClient(contract, { url, token: "t", reconnect: exponential({ baseMs: 1000, jitter: "none" }) }),
  createClient(contract, { url, token: ({ refused }) => refused?.code ?? "t", profile: profile20() }),
  // @ts-expect-error 2561: "reconnect"
  createClient(contract, { url, token: "t", reconect: false }),
  // @ts-expect-error 2741: the token is missing
  createClient(contract, { url }),
  // @ts-expect-error 2322: Dialect
  createClient(contract, { url, token: "t", profile: "2.0" }),
  // @ts-expect-error 2322: `false`, or a strategy
  createClient(contract, { url, token: "t", reconnect: true }),
  // @ts-expect-error 2322: a token is text
  createClient(contract, { url, token: () => 7 }),
  // @ts-expect-error 2561: "requestTimeoutMs"
  createClient(contract, { url, token: "t", limits: { requestTimeout: 5000 } }),
  // @ts-expect-error 2379: left out, or a boolean; never undefined
  createClient(contract, { url, token: "t", autoConnect: undefined }),
  // @ts-expect-error 2820: "full"
  exponential({ jitter: "ful" }),
  // @ts-expect-error 2353: "baseMs"
  exponential({ base: 1000 }),
]
