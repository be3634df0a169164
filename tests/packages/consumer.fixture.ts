// An application of the packed packages: each entry point once. The compilers of `packages.test.ts` check it and all
// declarations that it reaches.
import { createClient, queryOptions, defineContract, defineReplica, defineTopic, integer } from "@hawser/client"
import type { Client, ClientStatus, QueryOptions, Store } from "@hawser/client"
import { createClient as createCoreClient, topics } from "@hawser/client/core"
import { profile20 as clientProfile20 } from "@hawser/client/profile20"
import { HawserError } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { createHooks } from "@hawser/react"
import type { Hooks } from "@hawser/react"
import { createServer } from "@hawser/server"
import { mountOnBun } from "@hawser/server/bun"
import { registerMetrics } from "@hawser/server/metrics"
import { profile20 } from "@hawser/server/profile20"
import { Registry } from "prom-client"
import * as z from "zod"

const game = defineContract({
  name: "game",
  commands: { move: { input: z.object({ by: z.number() }), output: z.object({ x: z.number() }) } },
  queries: { look: { output: z.number() } },
  events: { said: { payload: z.object({ text: z.string() }) } },
  topics: { chat: defineTopic({ events: ["said"] }) },
  replicas: { scores: defineReplica({ fields: { points: integer() } }) },
})

export const server = createServer(game, { authenticate: (id) => ({ id }), profile20: profile20() })
server.command("move", ({ input }) => ({ x: input.by }))
registerMetrics(server, { registry: new Registry() })

const options = { url: "wss://game.example/ws", token: "t", autoConnect: false }
export const client: Client<typeof game> = createClient(game, options)
export const chatting = createCoreClient(game, { ...options, profile: clientProfile20(), use: [topics()] })

export const hooks: Hooks<typeof game> = createHooks(game)

/** A component. */
export function Points(): number | undefined {
  const { log } = hooks.useTopic("chat:docks", { recent: 5 })
  hooks.useEvent("said", ({ text }) => void text)
  const { data } = useQueryLike(queryOptions(hooks.useClient(), "look"))
  void [log, data, hooks.Provider({ client })]
  return hooks.useRecord("scores", "ann", ({ points }) => points)
}
function useQueryLike<T>(options: QueryOptions<T>): { readonly data?: Awaited<ReturnType<typeof options.queryFn>> } {
  return {}
}

export async function run(): Promise<number> {
  const { x } = await client.command("move", { by: 1 })
  const status: Store<ClientStatus> = chatting.stores.status
  await chatting.topic("chat:docks").join()
  const points: number | undefined = client.replica("scores").record("ann").snapshot()?.points
  void [status, points, mountOnBun, new SimulatedClock(), new HawserError("forbidden")]
  return x
}
