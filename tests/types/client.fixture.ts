// What a client must not compile: names, inputs, replies, payloads and options that the contract and the types lack.
import { createClient, exponential } from "@hawser/client"
import { contract } from "./contract.fixture.ts"

const url = "wss://game.example/ws"
const client = createClient(contract, { url, token: "t" })

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
  createClient(contract, { url, token: ({ refused }) => refused?.code ?? "t", profile: "2.0" }),
  // @ts-expect-error 2561: "reconnect"
  createClient(contract, { url, token: "t", reconect: false }),
  // @ts-expect-error 2741: the token is missing
  createClient(contract, { url }),
  // @ts-expect-error 2322: "2.0"
  createClient(contract, { url, token: "t", profile: "2.1" }),
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
