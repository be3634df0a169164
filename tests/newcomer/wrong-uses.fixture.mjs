// Wrong uses of a newcomer in plain JavaScript, one after the other, on real sockets. Prints `== NAME` before each.
// A packed project runs this file; `wrong-uses.test.ts` has the sentences.
import {
  HawserError,
  createClient,
  defineContract,
  defineReplica,
  defineTopic,
  integer,
} from "@hawser/client"
import { createServer } from "@hawser/server"
import { WebSocket } from "ws"
import * as z from "zod"

// One stream, so that the lines of the default hooks stay among those of their use.
console.error = console.log
console.warn = console.log

const spec = {
  name: "game",
  commands: { move: { input: z.object({ text: z.string() }), output: z.string() } },
  events: { said: { payload: z.object({ text: z.string() }) } },
  replicas: { scores: defineReplica({ fields: { points: integer() } }) },
}
const game = defineContract(spec)
const authenticate = (token) => ({ id: token })
const plain = { authenticate, onWarning: () => {} }

async function serve(options = {}, contract = game) {
  const server = createServer(contract, { ...plain, ...options })
  server.command("move", ({ input }) => input.text)
  const { url } = await server.listen({ host: "127.0.0.1" })
  return { server, url }
}

function connect(url, options = {}, contract = game) {
  return createClient(contract, { url, token: "ann", webSocket: WebSocket, reconnect: false, ...options })
}

const shown = (error) => console.log(error.name, error.code ?? "", error.message)
const attempt = (work) => {
  try {
    work()
    console.log("nothing was thrown")
  } catch (error) {
    shown(error)
  }
}

const uses = {
  async "no onError"() {
    const server = createServer(game, plain)
    server.command("move", () => {
      throw new Error("no such table")
    })
    const { url } = await server.listen({ host: "127.0.0.1" })
    const client = connect(url)
    await client.command("move", { text: "" }).catch(shown)
    client.close()
    await server.close()
  },
  async "a refused log-in"() {
    const { server, url } = await serve({
      authenticate() {
        throw new HawserError("auth_token_invalid", { cause: new Error("the signature is wrong") })
      },
    })
    await connect(url).connect().catch(shown)
    await server.close()
  },
  "no authenticate"() {
    attempt(() => createServer(game, {}))
  },
  async "authenticate without an id"() {
    const { server, url } = await serve({ authenticate: () => ({ name: "ann" }) })
    await connect(url).connect().catch(shown)
    await server.close()
  },
  async "unknown options"() {
    attempt(() => createServer(game, { authenticate, onEror: () => {} }))
    attempt(() => createServer(game, { authenticate, limits: { message: { maxByte: 5 } } }))
    attempt(() => createClient(game, { url: "ws://localhost/ws", tokn: "ann" }))
    attempt(() => defineContract({ name: "game", command: {} }))
    attempt(() => defineTopic({ event: ["said"] }))
    const { server, url } = await serve()
    const client = connect(url)
    await client.command("move", { text: "" }, { timeout: 5 }).catch(shown)
    attempt(() => client.on("said", () => {}, { sginal: undefined }))
    client.close()
    await server.close()
  },
  async "partial limits"() {
    const { server, url } = await serve({ limits: { message: { maxBytes: 1_000 } } })
    const client = connect(url)
    await client.connect()
    await client.command("move", { text: "x".repeat(2_000) }).catch(shown)
    console.log(await client.command("move", { text: "a short one" }))
    client.close()
    await server.close()
  },
  async "a forgotten topicKind"() {
    const contract = defineContract({ ...spec, topics: { chat: defineTopic({ events: ["said"] }) } })
    const { server } = await serve({ onWarning: undefined }, contract)
    await server.close()
  },
  async "a throttled call"() {
    const { server, url } = await serve({ limits: { userMessagesPerSecond: 1, userMessageBurst: 1 } })
    const client = connect(url)
    await client.connect()
    for (let sent = 0; sent < 4; sent += 1) client.command("move", { text: "" }).catch(() => {})
    await client.command("move", { text: "" }, { timeoutMs: 1_500 }).catch(shown)
    client.close()
    await server.close()
  },
  async "another contract"() {
    const { server, url } = await serve()
    await connect(url, {}, defineContract({ ...spec, name: "chess" }))
      .connect()
      .catch(shown)
    await server.close()
  },
  async "an unknown event"() {
    const { server, url } = await serve(
      {},
      defineContract({ ...spec, events: { ...spec.events, newer: { payload: z.null() } } }),
    )
    const client = connect(url)
    await client.connect()
    server.broadcast("newer", null)
    await client.command("move", { text: "" })
    console.log(`${client.stats().eventsUnknown} unknown event`)
    client.close()
    await server.close()
  },
  async "a stale replica"() {
    const { server, url } = await serve()
    server.onSession(({ session }) => server.replica("scores").view(session))
    const client = connect(url, { reconnect: undefined })
    const scores = client.replica("scores")
    const changes = new Promise((resolve) => {
      scores.onStale(({ kind, heardAtMs }) => {
        console.log(kind, kind === "stale" && Math.abs(Date.now() - heardAtMs) < 60_000)
        if (kind === "fresh") client.cut()
        else resolve(undefined)
      })
    })
    server.replica("scores").set("ann", { points: 1 })
    await changes
    console.log(scores.get("ann"), scores.snapshot().stale)
    client.close()
    await server.close()
  },
}

for (const [name, use] of Object.entries(uses)) {
  console.log(`== ${name}`)
  await use()
}
console.log("== end")
