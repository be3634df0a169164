// Hawser with all features: contract with validators, rate limits, sessions that can be resumed, acknowledgements.
import { createServer, defineContract, defineTopic, jwt } from "@hawser/server"
import type { JwtUser, Server, ServerOptions } from "@hawser/server"
import { z } from "zod"
import type { ServerSettings } from "./control.ts"
import { fillerText } from "./filler-text.ts"

const numbered = z.object({ n: z.int() })
// Charged for every request, and never reached.
const generous = { everyMs: 0.001, burst: 1_000_000 }

export const benchContract = defineContract({
  name: "bench",
  commands: {
    move: {
      input: z.object({ n: z.int(), direction: z.enum(["UP", "DOWN", "LEFT", "RIGHT"]) }),
      output: z.object({ n: z.int(), x: z.int(), y: z.int() }),
      limit: generous,
    },
    publish: {
      input: z.object({ n: z.int(), count: z.int(), textBytes: z.int() }),
      output: numbered,
      limit: generous,
    },
  },
  events: { said: { payload: z.object({ n: z.int(), text: z.string() }) } },
  topics: { all: defineTopic({ events: ["said"] }) },
})

/** The defaults, except the bounds that a load from one address would reach. */
export const benchLimits = {
  unauthenticatedTotal: 100_000,
  authTimeoutMs: 60_000,
  userMessagesPerSecond: 1_000_000,
  userMessageBurst: 1_000_000,
  userBytesPerSecond: 1_000_000_000,
  userByteBurst: 1_000_000_000,
}

export function createBenchServer(
  { secret }: ServerSettings,
  options: Pick<ServerOptions<typeof benchContract, JwtUser, boolean>, "trustOutput" | "journal"> = {},
): Server<typeof benchContract, JwtUser> {
  const server = createServer(benchContract, {
    authenticate: jwt({ secret }),
    limits: benchLimits,
    ...options,
  })
  const all = server.topic("all")
  server.onSession(({ session }) => all.subscribe(session))
  server.command("move", ({ input: { n, direction } }) => ({ n, x: direction === "LEFT" ? 3 : 4, y: 7 }))
  server.command("publish", ({ input: { n, count, textBytes } }) => {
    const text = fillerText(textBytes)
    for (let i = 0; i < count; i += 1) all.publish("said", { n: n + i, text })
    return { n }
  })
  return server
}
