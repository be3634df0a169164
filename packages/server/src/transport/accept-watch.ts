// Deadlines for requests on TCP connections: from accept to the first request, and from the end of a response to the next
// request. At the deadline the socket is dropped. Node's `headersTimeout` misses some of these sockets if there are thousands.
// Must not know the content of requests.
//
// Invariants:
//  1. A socket waits at most once. Its wait ends with its request or with the socket.
//  2. `#firsts` counts the sockets that wait for their first request, by address.
import type { ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import { Server as TlsServer } from "node:tls"
import type { SocketDrop } from "../base/health.ts"
import { addressKey } from "./peer-address.ts"

export interface AcceptWatchOptions {
  readonly limits: Pick<ServerLimits, "httpTimeoutMs" | "requestlessPerAddress">
  readonly timers: TimerQueue
  readonly onDropped: (reason: SocketDrop) => void
}

/** Events of Node's HTTP server for requests, beside `request` and `upgrade`. Node emits them if they have a listener. */
const otherRequests = ["connect", "checkContinue", "checkExpectation"]
const tooLate = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

interface Waiting {
  /** Undefined if the socket waits for a later request. */
  readonly address: string | undefined
  readonly cancel: () => void
}

export class AcceptWatch {
  readonly #httpServer: HttpServer
  readonly #options: AcceptWatchOptions
  /** Waiting sockets, by `#identity`. */
  readonly #waiting = new Map<unknown, Waiting>()
  readonly #firsts = new Map<string, number>()
  /** Number of requests of a socket without a complete response; above 1 with pipelining. */
  readonly #answering = new WeakMap<object, number>()
  readonly #afterAnswers = new WeakMap<object, () => void>()
  #isStopped = false

  constructor(httpServer: HttpServer, options: AcceptWatchOptions) {
    this.#httpServer = httpServer
    this.#options = options
    httpServer.on("connection", this.#onConnection)
    httpServer.prependListener("request", this.#onRequest)
  }

  /** Number of waiting sockets. */
  get size(): number {
    return this.#waiting.size
  }

  /** Called when the header of a request has arrived. Ends the wait. */
  requested(socket: object): void {
    this.#forget(this.#identity(socket))
  }

  /** Calls `then` when all responses on this socket have ended; synchronously if none is pending. */
  whenAnswered(socket: object, then: () => void): void {
    if ((this.#answering.get(socket) ?? 0) > 0) this.#afterAnswers.set(socket, then)
    else then()
  }

  /** Removes the listeners and ends all waits. */
  stop(): void {
    this.#isStopped = true
    this.#httpServer.off("connection", this.#onConnection)
    this.#httpServer.off("request", this.#onRequest)
    for (const key of [...this.#waiting.keys()]) this.#forget(key)
  }

  readonly #onConnection = (socket: Socket): void => {
    const { limits, onDropped } = this.#options
    const address = addressKey(socket.remoteAddress ?? "unknown")
    const firsts = this.#firsts.get(address) ?? 0
    // Peers on a Unix socket have no address and are not limited: they are connections of a proxy.
    if (socket.remoteAddress !== undefined && firsts >= limits.requestlessPerAddress) {
      onDropped("crowded")
      socket.destroy()
      return
    }
    this.#firsts.set(address, firsts + 1)
    this.#await(socket, limits.httpTimeoutMs, address)
  }

  readonly #onRequest = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    this.requested(socket)
    this.#answering.set(socket, (this.#answering.get(socket) ?? 0) + 1)
    response.once("close", () => this.#answered(socket))
  }

  /** The HTTP server ends a socket that is idle for `keepAliveTimeout`. At 0 the idle time is unlimited. */
  #answered(socket: Socket): void {
    const left = (this.#answering.get(socket) ?? 1) - 1
    this.#answering.set(socket, left)
    if (left > 0) return
    const then = this.#afterAnswers.get(socket)
    if (then !== undefined) {
      this.#afterAnswers.delete(socket)
      then()
      return
    }
    const { keepAliveTimeout } = this.#httpServer
    if (this.#isStopped || socket.destroyed || keepAliveTimeout === 0) return
    this.#await(socket, keepAliveTimeout + this.#options.limits.httpTimeoutMs, undefined)
  }

  #await(socket: Socket, ms: number, address: string | undefined): void {
    const key = this.#identity(socket)
    this.#forget(key)
    const onClose = (): void => this.#forget(key)
    const cancelTimer = this.#options.timers.after(ms, () => {
      if (this.#mayBeTaken(socket)) {
        this.#forget(key)
        return
      }
      this.#options.onDropped("silent")
      this.#forget(key)
      // The same response as Node's. On the TCP socket below TLS no response can be written.
      if (socket.writable && !(this.#httpServer instanceof TlsServer)) socket.write(tooLate)
      socket.destroy()
    })
    const cancel = (): void => {
      cancelTimer()
      socket.off("close", onClose)
    }
    socket.once("close", onClose)
    this.#waiting.set(key, { address, cancel })
  }

  /**
   * Returns true if the application may have taken a request through another event. This class must not listen to these events:
   * with a listener, Node no longer closes a CONNECT request by itself.
   */
  #mayBeTaken({ bytesRead }: Socket): boolean {
    return bytesRead > 0 && otherRequests.some((name) => this.#httpServer.listenerCount(name) > 0)
  }

  #forget(key: unknown): void {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    this.#waiting.delete(key)
    waiting.cancel()
    const { address } = waiting
    if (address === undefined) return
    const firsts = (this.#firsts.get(address) ?? 0) - 1
    if (firsts > 0) this.#firsts.set(address, firsts)
    else this.#firsts.delete(address)
  }

  /** Returns the key of a socket. With TLS, the sockets at accept and of a request are two objects with the same addresses. */
  #identity(socket: object): unknown {
    if (!(this.#httpServer instanceof TlsServer) || !(socket instanceof Socket)) return socket
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    return remoteAddress === undefined
      ? socket
      : [remoteAddress, remotePort, localAddress, localPort].join(" ")
  }
}
