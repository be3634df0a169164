// Serves a server's WebSocket with `Bun.serve`. Requires Bun 1.4.4 or later; no other entry point does.
import { assertOptions } from "@hawser/protocol/core"
import { addressOptions } from "./transport/listening.ts"
import type { ListenAddress, Listening } from "./transport/listening.ts"
import type { BunRuntime } from "./transport/bun-api.ts"
import { createBunEntrance } from "./transport/bun-entrance.ts"
import type { BunEntrance } from "./transport/bun-entrance.ts"
import { listeningOn } from "./transport/entrances.ts"
import type { EntranceHost } from "./transport/entrances.ts"

export type { BunServer, BunSocket, BunWebSocketHandlers } from "./transport/bun-api.ts"
export type { BunEntrance } from "./transport/bun-entrance.ts"

/** Part of a `Server` that this entry point uses. */
export interface ServerWithEntrances {
  /** The server's services for other HTTP servers. */
  readonly entrances: EntranceHost
}

declare const Bun: BunRuntime

/** First version of Bun whose sockets can be paused. */
const leastVersion = [1, 4, 4]

/** Largest `idleTimeout` of Bun, in seconds. */
const idleTimeoutMax = 255

/**
 * Opens a `Bun.serve` for the server, with the WebSocket, and 200 on `/healthz`. Corresponds to `server.listen` on Node:
 * options of `createServer` apply, and `server.close()` frees the port. Rejects like `listen`, and with a TypeError without Bun
 * or with a version before 1.4.4.
 */
export async function serveWithBun(
  server: ServerWithEntrances,
  options: ListenAddress = {},
): Promise<Listening> {
  assertOptions("serveWithBun", options, addressOptions)
  const { port = 0, host } = options
  const { entrances } = server
  const { limits, path, onError } = entrances
  const bun = bunRuntime()
  await entrances.recover()
  const { fetch, websocket } = createBunEntrance(entrances)
  const opened = bun.serve({
    port,
    ...(host === undefined ? {} : { hostname: host }),
    idleTimeout: Math.min(idleTimeoutMax, Math.ceil(limits.httpTimeoutMs / 1_000)),
    maxRequestBodySize: 0,
    development: false,
    fetch,
    websocket,
    error(error) {
      onError(error)
      return new Response(null, { status: 500 })
    },
  })
  try {
    entrances.open(() => opened.stop(true))
  } catch (error) {
    await opened.stop(true)
    throw error
  }
  return listeningOn({ port: opened.port ?? port, host, path })
}

/**
 * Returns handlers for a `Bun.serve` of the application, which `server.close()` leaves open. A `Bun.serve` has one set of
 * WebSocket handlers, so this one serves no other WebSockets. Throws a TypeError without Bun or with a version before 1.4.4, and
 * errors like `server.attach`. A server with a journal awaits `server.recover()` first.
 *
 *     const hawser = mountOnBun(server)
 *     Bun.serve({ routes: { "/ws": hawser.upgrade }, fetch: () => new Response("mine"), websocket: hawser.websocket })
 */
export function mountOnBun({ entrances }: ServerWithEntrances): BunEntrance {
  bunRuntime()
  entrances.open(() => Promise.resolve())
  return createBunEntrance(entrances)
}

function bunRuntime(): BunRuntime {
  if (typeof Bun === "undefined") throw new TypeError("this is not Bun; on Node a server has `listen`")
  const version = Bun.version.split(/[.-]/).map(Number)
  const differing = leastVersion.findIndex((least, index) => version[index] !== least)
  if (differing !== -1 && (version[differing] ?? 0) < (leastVersion[differing] ?? 0))
    throw new TypeError(`Bun ${leastVersion.join(".")} or later is needed; this is ${Bun.version}`)
  return Bun
}
