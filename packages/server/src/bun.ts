// A server on Bun's native WebSocket server. Needs Bun 1.4.4 or later, which the server itself does without.
import type { Listening } from "./transport/listening.ts"
import type { BunRuntime } from "./transport/bun-api.ts"
import { createBunEntrance } from "./transport/bun-entrance.ts"
import type { BunEntrance } from "./transport/bun-entrance.ts"
import { listeningOn } from "./transport/entrances.ts"
import type { EntranceHost } from "./transport/entrances.ts"

export type { BunServer, BunSocket, BunWebSocketHandlers } from "./transport/bun-api.ts"
export type { BunEntrance } from "./transport/bun-entrance.ts"

/** The part of a server that is used. */
export interface ServerWithEntrances {
  readonly entrances: EntranceHost
}

export interface BunListenOptions {
  /** Default 0: any free one. */
  readonly port?: number
  /** Address to listen on. Default: every interface. */
  readonly host?: string
}

declare const Bun: BunRuntime

/** Sockets can be paused since then. */
const leastVersion = [1, 4, 4]

/** Bun's own bound, in seconds. */
const idleTimeoutMax = 255

/**
 * Opens a `Bun.serve` for the server: the WebSocket, and 200 on `/healthz`. What `server.listen` is on Node: path,
 * origins, limits and caps are those of `createServer`, and `server.close()` frees the port. Rejects as `listen` does;
 * with TypeError where there is no Bun, or one before 1.4.4.
 */
export async function serveWithBun(
  server: ServerWithEntrances,
  { port = 0, host }: BunListenOptions = {},
): Promise<Listening> {
  const { entrances } = server
  const { limits, path, onError } = entrances
  const { fetch, websocket } = createBunEntrance(entrances)
  const opened = bunRuntime().serve({
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
 * The handlers for a `Bun.serve` of the application's own, which `server.close()` leaves open. Its WebSocket handlers
 * serve nothing else, because a `Bun.serve` has only one set of them. Throws as `serveWithBun` rejects.
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
