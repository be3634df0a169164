// Closes connections whose request does not end, and those that do not take their answer. Node's `requestTimeout`
// misses a share of slow bodies when there are thousands of them, and no timeout of Node detects a peer that sends but
// does not read. Must not know routes or WebSockets: an upgrade is no request here.
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"

export interface RequestBounds {
  /** From the head of a request to the end of its body, in milliseconds; default 10,000. Beyond: 408 and a closed connection. */
  readonly bodyMs: number
  /**
   * Maximum time in which a peer takes no byte of a waiting answer, in milliseconds; default 10,000. A large answer is
   * written in pieces, and the peer must take each piece within this time. Beyond: a closed connection.
   */
  readonly stalledMs: number
  /** From the head of a request to the end of its answer, in milliseconds; default 60,000. Beyond: a closed connection. */
  readonly answerMs: number
}

export const defaultRequestBounds: RequestBounds = { bodyMs: 10_000, stalledMs: 10_000, answerMs: 60_000 }

/** Bound that closed a connection: `body` is `bodyMs`; `answer` is `stalledMs` or `answerMs`. */
export type RequestDrop = "body" | "answer"

export interface RequestWatchOptions {
  readonly bounds: RequestBounds
  readonly onDropped: (reason: RequestDrop) => void
}

/** Interval of the check of all requests, in milliseconds; at most a tenth of the shortest bound. */
const sweepMs = 1_000

const tooLate = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"

interface UnderWay {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly sinceMs: number
}

/** Bytes of a socket's answers that the kernel has accepted, and the time of the last change. */
interface Progress {
  takenBytes: number
  atMs: number
}

export function watchRequests(server: Server, options: RequestWatchOptions): RequestWatch {
  const { bounds } = options
  const watch = new RequestWatch(options)
  server.prependListener("request", (request, response) => watch.begin(request, response))
  const shortestMs = Math.min(bounds.bodyMs, bounds.stalledMs, bounds.answerMs)
  const timer = setInterval(() => watch.sweep(performance.now()), Math.min(sweepMs, shortestMs / 10))
  server.once("close", () => clearInterval(timer))
  return watch
}

export class RequestWatch {
  readonly #options: RequestWatchOptions
  readonly #underWay = new Set<UnderWay>()
  readonly #progress = new WeakMap<Socket, Progress>()

  constructor(options: RequestWatchOptions) {
    this.#options = options
  }

  /** Requests whose answers are not complete. */
  get size(): number {
    return this.#underWay.size
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    const one = { request, response, sinceMs: performance.now() }
    this.#underWay.add(one)
    response.once("close", () => this.#underWay.delete(one))
  }

  sweep(nowMs: number): void {
    for (const one of this.#underWay) {
      const { request, response } = one
      const { socket } = request
      // A pipelined answer whose turn never came emits no `close`.
      if (socket.destroyed) this.#underWay.delete(one)
      const reason = socket.destroyed ? undefined : this.#dropOf(one, nowMs)
      if (reason === undefined) continue
      this.#options.onDropped(reason)
      const isUnanswered = !response.headersSent && response.socket === socket && socket.writable
      if (reason === "body" && isUnanswered) socket.write(tooLate)
      socket.destroy()
    }
  }

  #dropOf({ request, sinceMs }: UnderWay, nowMs: number): RequestDrop | undefined {
    const { bodyMs, stalledMs, answerMs } = this.#options.bounds
    if (!request.complete && nowMs - sinceMs > bodyMs) return "body"
    const isStalled = nowMs - this.#progressOf(request.socket, nowMs) > stalledMs
    return isStalled || nowMs - sinceMs > answerMs ? "answer" : undefined
  }

  /** Returns the time at which the peer last took bytes, or had none to take. */
  #progressOf(socket: Socket, nowMs: number): number {
    const waitingBytes = socket.writableLength
    const takenBytes = socket.bytesWritten - waitingBytes
    const last = this.#progress.get(socket)
    if (last !== undefined && waitingBytes > 0 && takenBytes === last.takenBytes) return last.atMs
    this.#progress.set(socket, { takenBytes, atMs: nowMs })
    return nowMs
  }
}
