// Runs under Bun: creates servers on Bun's native server, and executes the calls of the tests' process. Started by
// bun-transport.ts. Must not know the test runner.
import type { Listening } from "@hawser/server"
import { mountOnBun, serveWithBun } from "@hawser/server/bun"
import type { BunEntrance, BunWebSocketHandlers } from "@hawser/server/bun"
import { z } from "zod"
import { createProgram } from "./server-program.ts"
import type { IdleServer, Place, ServerSpec } from "./server-program.ts"

declare const Bun: {
  serve(options: {
    readonly port: number
    readonly hostname: string
    readonly routes: Readonly<Record<string, BunEntrance["upgrade"]>>
    readonly fetch: () => Response
    readonly websocket: BunWebSocketHandlers
  }): { readonly port: number }
}

/** An application that has a server of its own. */
async function mount(server: IdleServer, { port, host }: Place): Promise<Listening> {
  const hawser = mountOnBun(server)
  const own = Bun.serve({
    port,
    hostname: host,
    routes: { "/ws": hawser.upgrade },
    fetch: () => new Response("mine"),
    websocket: hawser.websocket,
  })
  return { port: own.port, url: `ws://${host}:${own.port}/ws` }
}

const request = z.object({
  id: z.number(),
  /** Number of the server: counted up by "create". */
  server: z.number(),
  method: z.string(),
  args: z.array(z.unknown()),
})

const servers: object[] = []

async function perform({ server, method, args }: z.infer<typeof request>): Promise<unknown> {
  if (method === "create") {
    const spec = z.custom<ServerSpec>().parse(args[0])
    const listen = spec.mounted === true ? mount : serveWithBun
    return servers.push(createProgram(spec, (created, place) => listen(created, place))) - 1
  }
  const found: unknown = Reflect.get(servers[server] ?? {}, method)
  if (typeof found !== "function") throw new TypeError(`no method "${method}"`)
  return Reflect.apply(found, undefined, args)
}

process.on("message", (content) => {
  const asked = request.parse(content)
  perform(asked).then(
    (value) => process.send?.({ id: asked.id, value }),
    (error: unknown) => {
      const { message, code } = z
        .object({ message: z.string(), code: z.string().optional() })
        .parse({ message: String(error), ...(error instanceof Error ? errorShape(error) : {}) })
      process.send?.({ id: asked.id, error: { message, code } })
    },
  )
})
process.on("disconnect", () => process.exit())
process.send?.({ id: -1 })

function errorShape(error: Error): object {
  return { message: error.message, ...("code" in error ? { code: error.code } : {}) }
}
