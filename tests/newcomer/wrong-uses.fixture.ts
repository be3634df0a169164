// Wrong uses of a newcomer that TypeScript refuses, with the published declarations.
import { createClient, defineContract, defineTopic } from "@hawser/client"
import { createServer } from "@hawser/server"
import * as z from "zod"

const said = { payload: z.object({ text: z.string() }) }
const game = defineContract({
  name: "game",
  commands: { move: { input: z.object({ x: z.number() }), output: z.number() } },
  events: { said },
  topics: { chat: defineTopic({ events: ["said"] }) },
})
const authenticate = (token: string): { readonly id: string } => ({ id: token })

// @ts-expect-error -- no authenticate
createServer(game, {})
// @ts-expect-error -- no id
createServer(game, { authenticate: () => ({ name: "ann" }) })
// @ts-expect-error -- no such option
createServer(game, { authenticate, onEror: () => {} })
// @ts-expect-error -- no such limit
createServer(game, { authenticate, limits: { message: { maxByte: 5 } } })
// Groups of limits may be partial.
const server = createServer(game, { authenticate, limits: { message: { maxBytes: 5_000 } } })
// @ts-expect-error -- no such rule
server.topicKind("chat", { canjoin: () => true })
// @ts-expect-error -- no such command
server.command("mvoe", () => 1)

// @ts-expect-error -- no such option
createClient(game, { url: "ws://localhost/ws", tokn: "ann" })
const client = createClient(game, { url: "ws://localhost/ws", token: "ann", autoConnect: false })
// @ts-expect-error -- no such option
await client.command("move", { x: 1 }, { timeout: 5 })
// @ts-expect-error -- no such event
client.on("sayd", () => {})
// @ts-expect-error -- no such part of a contract
defineContract({ name: "game", command: {} })
// @ts-expect-error -- no such member
defineContract({ name: "game", events: { said: { paylod: z.null() } } })
