// The way into a server from `Bun.serve`: its requests, its WebSocket handlers. Knows no frames.
import { subprotocol } from "@hawser/protocol/core"
import type { BunServer, BunWebSocketHandlers } from "./bun-api.ts"
import { BunConnection } from "./bun-connection.ts"
import { ControlFrames } from "./control-frames.ts"
import type { EntranceHost } from "./entrances.ts"
import { plainAnswer, plainText } from "./http-server.ts"
import { isWebSocketOffer, proxyHeaders } from "./judge-upgrade.ts"
import type { UpgradeAccepted } from "./judge-upgrade.ts"
import { requestTarget } from "./request-target.ts"

/** Both handlers of a `Bun.serve`, for one that is the application's. */
export interface BunEntrance {
  /**
   * Takes in the WebSocket and answers undefined, or says why not: 400, 403, 404, 405, 429, 503. For a route of the
   * application's own, such as `"/ws": hawser.upgrade`.
   */
  readonly upgrade: (request: Request, bun: BunServer) => Response | undefined
  /** The same for any request: 200 on `/healthz`, and 426 for whatever is no upgrade. */
  readonly fetch: (request: Request, bun: BunServer) => Response | undefined
  readonly websocket: BunWebSocketHandlers
}

export function createBunEntrance(host: EntranceHost): BunEntrance {
  const upgrade = (request: Request, bun: BunServer): Response | undefined => {
    const { headers } = request
    const target = requestTarget(request.url)
    const verdict = host.judge({
      path: target.path,
      remoteAddress: bun.requestIP(request)?.address,
      host: headers.get("host") ?? undefined,
      origin: headers.get("origin") ?? undefined,
      protocols: headers.get("sec-websocket-protocol") ?? undefined,
      forwardedFor: headers.get("x-forwarded-for") ?? undefined,
      isForwarded: proxyHeaders.some((name) => headers.has(name)),
      // Bun itself answers 431.
      headersComplete: true,
    })
    if (verdict.kind === "refused") return refusal(verdict)
    if (request.method !== "GET") return refusal({ status: 405, message: "a WebSocket begins with GET" })
    const { profile } = verdict
    const named: Record<string, string> =
      profile === subprotocol ? { "Sec-WebSocket-Protocol": subprotocol } : {}
    // `open` is called in between.
    return bun.upgrade(request, { data: new PendingUpgrade(verdict), headers: named })
      ? undefined
      : refusal({ status: 400, message: "this is no upgrade to a WebSocket" })
  }

  return {
    upgrade,
    fetch(request, bun) {
      if (isUpgrade(request)) return upgrade(request, bun)
      const { status, body } = plainAnswer(requestTarget(request.url).path)
      return new Response(body, { status, headers: { "Content-Type": plainText } })
    },
    websocket: handlers(host),
  }
}

/** A socket that has been let in and is not open yet. */
class PendingUpgrade {
  readonly verdict: UpgradeAccepted

  constructor(verdict: UpgradeAccepted) {
    this.verdict = verdict
  }
}

function handlers(host: EntranceHost): BunWebSocketHandlers {
  const { limits, accept, turn, onError } = host
  const shared = { turn, controlFrames: new ControlFrames(host), onError }
  return {
    maxPayloadLength: limits.message.maxBytes,
    // None: the session bounds what waits, and says so to its client.
    backpressureLimit: 0,
    // None: the sweep for silent connections is the server's own.
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    open(socket) {
      const { data } = socket
      if (!(data instanceof PendingUpgrade)) return
      // Bun's own views make their buffer when they are first looked at in part, which costs as much as the decoding.
      socket.binaryType = "arraybuffer"
      const connection = new BunConnection(socket, shared)
      socket.data = connection
      const { profile, address, isCapped } = data.verdict
      connection.bind(accept({ connection, profile, address, isCapped }))
    },
    message({ data }, content) {
      if (data instanceof BunConnection) data.received(content)
    },
    drain({ data }) {
      if (data instanceof BunConnection) data.drained()
    },
    ping({ data }) {
      if (data instanceof BunConnection) data.pinged()
    },
    pong({ data }) {
      if (data instanceof BunConnection) data.pong()
    },
    close({ data }, code, reason) {
      if (!(data instanceof BunConnection)) return
      // With this code the reason is Bun's own: how the peer broke the WebSocket protocol.
      if (code === 1006 && reason !== "") onError(new Error(reason))
      data.ended(code, reason)
    },
    error: (error) => onError(error),
  }
}

/** An offer of another protocol, such as h2c, may be passed over: it is an ordinary request. */
function isUpgrade({ headers }: Request): boolean {
  return (
    isWebSocketOffer(headers.get("upgrade") ?? "") && /\bupgrade\b/i.test(headers.get("connection") ?? "")
  )
}

interface Refusal {
  readonly status: number
  readonly message: string
  readonly retryAfterSeconds?: number
}

function refusal({ status, message, retryAfterSeconds }: Refusal): Response {
  const headers: Record<string, string> = { "Content-Type": plainText, Connection: "close" }
  if (retryAfterSeconds !== undefined) headers["Retry-After"] = `${retryAfterSeconds}`
  return new Response(`${message}\n`, { status, headers })
}
