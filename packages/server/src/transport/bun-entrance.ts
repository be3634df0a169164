// Entrance of a server on `Bun.serve`: the handlers of its requests and of its WebSockets. Must not know frames.
import { subprotocol } from "@hawser/protocol/core"
import type { UpgradeHeaders } from "@hawser/protocol/core"
import type { BunServer, BunWebSocketHandlers } from "./bun-api.ts"
import { BunConnection } from "./bun-connection.ts"
import { ControlFrames } from "./control-frames.ts"
import type { EntranceHost } from "./entrances.ts"
import { plainAnswer, plainText } from "./http-server.ts"
import { isWebSocketOffer, proxyHeaders } from "./judge-upgrade.ts"
import type { RefusalResponse, UpgradeAccepted } from "./judge-upgrade.ts"
import { requestTarget } from "./request-target.ts"

/** Handlers for a `Bun.serve` of the application. */
export interface BunEntrance {
  /**
   * Upgrades the request and returns undefined, or returns the response of a refusal: 400, 403, 404, 405, 429 or 503. For a
   * route of the application, for example `"/ws": hawser.upgrade`.
   */
  readonly upgrade: (request: Request, bun: BunServer) => Response | undefined
  /** As `upgrade`, for any request: returns 200 on `/healthz`, and 426 for requests that are not an upgrade. */
  readonly fetch: (request: Request, bun: BunServer) => Response | undefined
  /** Handlers for the option `websocket`. */
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
      // Bun answers 431 by itself.
      headersComplete: true,
    })
    if (verdict.kind === "refused") return refusal(verdict)
    if (request.method !== "GET") return refusal({ status: 405, message: "a WebSocket begins with GET" })
    const { profile } = verdict
    const named: Record<string, string> =
      profile === subprotocol ? { "Sec-WebSocket-Protocol": subprotocol } : {}
    // Bun calls `open` within `upgrade`.
    return bun.upgrade(request, { data: new PendingUpgrade(verdict, headers), headers: named })
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

/** An accepted upgrade whose socket is not open yet. */
class PendingUpgrade {
  readonly verdict: UpgradeAccepted
  readonly headers: UpgradeHeaders

  constructor(verdict: UpgradeAccepted, headers: Headers) {
    this.verdict = verdict
    this.headers = { get: (name) => headers.get(name) ?? undefined }
  }
}

function handlers(host: EntranceHost): BunWebSocketHandlers {
  const { limits, accept, turn, onError } = host
  const shared = { turn, controlFrames: new ControlFrames(host), onError }
  return {
    maxPayloadLength: limits.message.maxBytes,
    // No limit: the session bounds its send buffer and notifies its client.
    backpressureLimit: 0,
    // No timeout: the server detects silent connections.
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    open(socket) {
      const { data } = socket
      if (!(data instanceof PendingUpgrade)) return
      // Bun's views create their buffer at the first partial access, which takes as long as the decoding.
      socket.binaryType = "arraybuffer"
      const connection = new BunConnection(socket, shared)
      socket.data = connection
      const { verdict, headers } = data
      const { profile, address, isCapped } = verdict
      connection.bind(accept({ connection, profile, address, isCapped, headers }))
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
      // With code 1006 the reason is Bun's description of the peer's protocol error.
      if (code === 1006 && reason !== "") onError(new Error(reason))
      data.ended(code, reason)
    },
    error: (error) => onError(error),
  }
}

/** Returns true for an offer of WebSocket. An offer of another protocol, such as h2c, is ignored: the request is ordinary. */
function isUpgrade({ headers }: Request): boolean {
  return (
    isWebSocketOffer(headers.get("upgrade") ?? "") && /\bupgrade\b/i.test(headers.get("connection") ?? "")
  )
}

function refusal({ status, message, retryAfterSeconds }: RefusalResponse): Response {
  const headers: Record<string, string> = { "Content-Type": plainText, Connection: "close" }
  if (retryAfterSeconds !== undefined) headers["Retry-After"] = `${retryAfterSeconds}`
  return new Response(`${message}\n`, { status, headers })
}
