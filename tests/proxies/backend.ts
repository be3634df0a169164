// The server behind the proxies: two Hawser servers on one HTTP server, of which one trusts the proxy.
import { defineContract } from "@hawser/protocol"
import type { ServerLimits } from "@hawser/protocol"
import { createServer } from "@hawser/server"
import type { CloseOptions, Server, ServerOptions, ServerWarning } from "@hawser/server"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { networkInterfaces } from "node:os"
import { z } from "zod"

const number = z.object({ n: z.int() })

export const contract = defineContract({
  name: "proxies",
  commands: { say: { input: number, output: number } },
  queries: {},
  events: { news: { payload: number } },
})

interface User {
  readonly id: string
  readonly address: string
}

export interface Backend {
  readonly server: Server<typeof contract, User>
  /** Numbers of the commands, in the order of their handling. */
  readonly received: number[]
  readonly warnings: ServerWarning[]
  readonly path: string
}

export interface Backends {
  /** `HOST:PORT`, not of the loopback interface. */
  readonly address: string
  /** Server with `trustProxy`, at `/ws`. */
  readonly trusting: Backend
  /** Server without it, at `/unaware`. */
  readonly unaware: Backend
  close(how?: CloseOptions): Promise<void>
}

/** An address of this machine that is not on the loopback interface; undefined where there is none. */
export function outsideAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all.find(({ internal, family }) => !internal && family === "IPv4")?.address
}

function createBackend(path: string, options: Partial<ServerOptions<typeof contract, User>>): Backend {
  const warnings: ServerWarning[] = []
  const received: number[] = []
  const server = createServer(contract, {
    authenticate: (token, { address }): User => ({ id: token, address }),
    path,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  })
  server.command("say", ({ input, session }) => {
    received.push(input.n)
    session.send("news", input)
    return input
  })
  return { server, received, warnings, path }
}

export interface BackendOptions {
  readonly host: string
  /** Port. Default any free one. */
  readonly port?: number
  readonly limits?: Partial<ServerLimits>
}

export async function startBackends({ host, port = 0, limits = {} }: BackendOptions): Promise<Backends> {
  const http = createHttpServer((_request, response) => response.end("hello\n"))
  const trusting = createBackend("/ws", { trustProxy: true, limits })
  const unaware = createBackend("/unaware", { limits })
  for (const { server } of [trusting, unaware]) server.attach(http)
  await once(http.listen(port, host), "listening")
  const address = http.address()
  if (address === null || typeof address === "string") throw new Error("the server has no port")
  return {
    address: `${host}:${address.port}`,
    trusting,
    unaware,
    async close(how) {
      await Promise.all([trusting.server.close(how), unaware.server.close(how)])
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
