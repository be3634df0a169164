// Who opens a TCP connection owes a whole request soon: from accept to the first one, and from the end of an answer to the
// next one. Node's own `headersTimeout` misses a share of such sockets when there are thousands of them. Knows no requests.
//
// Invariants:
//  1. A socket waits at most once, and is forgotten with its request or its end.
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

/** Events of Node's HTTP server by which requests come besides `request` and `upgrade`, once somebody listens. */
const otherRequests = ["connect", "checkContinue", "checkExpectation"]
const tooLate = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

interface Waiting {
  /** Undefined when it waits for a further request. */
  readonly address: string | undefined
  readonly cancel: () => void
}

export class AcceptWatch {
  readonly #httpServer: HttpServer
  readonly #options: AcceptWatchOptions
  /** By `#identity`. */
  readonly #waiting = new Map<unknown, Waiting>()
  readonly #firsts = new Map<string, number>()
  /** Requests of a socket that are being answered; pipelined ones are several. */
  readonly #answering = new WeakMap<object, number>()
  readonly #afterAnswers = new WeakMap<object, () => void>()
  #isStopped = false

  constructor(httpServer: HttpServer, options: AcceptWatchOptions) {
    this.#httpServer = httpServer
    this.#options = options
    httpServer.on("connection", this.#onConnection)
    httpServer.prependListener("request", this.#onRequest)
  }

  /** Sockets that wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** A request of this socket is there, whole but for its body. */
  requested(socket: object): void {
    this.#forget(this.#identity(socket))
  }

  /** Calls back when all answers to requests of this socket have ended; at once if none is under way. */
  whenAnswered(socket: object, then: () => void): void {
    if ((this.#answering.get(socket) ?? 0) > 0) this.#afterAnswers.set(socket, then)
    else then()
  }

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
    // Peers on a Unix socket have no address; they are a proxy's.
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

  /** The server itself ends a socket that is idle for `keepAliveTimeout`; at 0 it may be idle for ever. */
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
      // As Node answers those that it finds itself. Below TLS nothing can be said.
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
   * The application may take a request by other events than these. A listener of ours would take a CONNECT from Node, which
   * closes it by itself.
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

  /** With TLS the socket at accept and the socket of a request are two objects with the same two ends. */
  #identity(socket: object): unknown {
    if (!(this.#httpServer instanceof TlsServer) || !(socket instanceof Socket)) return socket
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    return remoteAddress === undefined
      ? socket
      : [remoteAddress, remotePort, localAddress, localPort].join(" ")
  }
}
