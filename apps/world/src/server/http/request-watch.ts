// Closes connections whose request does not end, and those that do not take their answer. Node's own `requestTimeout`
// misses a share of slow bodies when there are thousands of them, and knows no bound for an answer. Must not know what is
// asked or answered, nor WebSockets: an upgrade is no request here.
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"

export interface RequestBounds {
  /** From the head of a request to the end of its body, in milliseconds; default 10,000. Beyond: 408 and a closed connection. */
  readonly bodyMs: number
  /**
   * Longest time without a byte in either direction while an answer is under way, in milliseconds; default 10,000. Beyond:
   * a closed connection.
   */
  readonly stalledMs: number
  /**
   * From the head of a request to the end of its answer, in milliseconds; default 60,000: a peer that sends and does not
   * read is never without a byte. The largest file takes 5 KB/s. Beyond: a closed connection.
   */
  readonly answerMs: number
}

export const defaultRequestBounds: RequestBounds = { bodyMs: 10_000, stalledMs: 10_000, answerMs: 60_000 }

/** Bound that closed a connection: `body` is `bodyMs`; `answer` is `stalledMs` or `answerMs`. */
export type RequestDrop = "body" | "answer"

export interface RequestWatchOptions {
  readonly bounds: RequestBounds
  readonly onDropped: (reason: RequestDrop) => void
}

/** Connections are looked through so often, in milliseconds, or ten times within the shortest bound. */
const sweepMs = 1_000

const tooLate = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

interface UnderWay {
  readonly request: IncomingMessage
  readonly socket: Socket
  readonly sinceMs: number
}

export function watchRequests(server: Server, { bounds, onDropped }: RequestWatchOptions): void {
  const { bodyMs, stalledMs, answerMs } = bounds
  const underWay = new Map<ServerResponse, UnderWay>()

  server.prependListener("request", (request, response) => {
    const { socket } = request
    underWay.set(response, { request, socket, sinceMs: performance.now() })
    response.once("close", () => underWay.delete(response))
    // Node replaces it by `keepAliveTimeout` after the answer, and by none at the next request or upgrade.
    socket.setTimeout(stalledMs)
  })
  server.on("timeout", (socket: Socket) => {
    if ([...underWay.values()].some((one) => one.socket === socket)) onDropped("answer")
    socket.destroy()
  })

  function sweep(): void {
    const nowMs = performance.now()
    for (const [response, { request, socket, sinceMs }] of underWay) {
      const passedMs = nowMs - sinceMs
      if (socket.destroyed) continue
      if (!request.complete && passedMs > bodyMs) {
        onDropped("body")
        if (!response.headersSent && response.socket === socket && socket.writable) socket.write(tooLate)
        socket.destroy()
      } else if (passedMs > answerMs) {
        onDropped("answer")
        socket.destroy()
      }
    }
  }

  const timer = setInterval(sweep, Math.min(sweepMs, Math.min(bodyMs, answerMs) / 10))
  server.once("close", () => clearInterval(timer))
}
