// One WebSocket of a test client that knows only MessagePack: it keeps every frame in order, with its bytes, and lets a
// case wait for one. Must not know the meaning of any message, except that replies begin with `resp_`.
import { randomUUID } from "node:crypto"
import { encode } from "@msgpack/msgpack"
import { WebSocket } from "ws"
import { Mismatch, show } from "./case.ts"
import { frameOf, isReply, type Frame } from "./frame.ts"
import { CLOSE_MS, MAX_FRAMES_COUNT, WAIT_MS } from "./limits.ts"
import type { PlainMap } from "./shape.ts"

export interface Close {
  readonly code: number
  readonly reason: string
}

export interface OpenOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly perMessageDeflate?: boolean
}

export interface WaitOptions {
  /** Index of the first frame to check; default 0, so that received frames are not missed. */
  readonly from?: number
  readonly timeoutMs?: number
}

interface Waiter {
  readonly what: string
  readonly matches: (frame: Frame) => boolean
  readonly settle: (frame: Frame) => void
  readonly reject: (error: Error) => void
}

export class RawClient {
  readonly #socket: WebSocket
  readonly #frames: Frame[] = []
  readonly #waiters = new Set<Waiter>()
  #close: Close | undefined
  /** Resolves when the socket is closed, by either side; never rejects. */
  readonly closed: Promise<Close>

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on("message", (content, isBinary) => this.#receive(frameOf(content, isBinary)))
    // An error of the socket is always followed by its close, which the cases check.
    socket.on("error", () => undefined)
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        const close = { code, reason: reason.toString("utf8") }
        this.#close = close
        for (const waiter of this.#waiters)
          waiter.reject(this.#unmet(waiter.what, `closed (${describeClose(close)})`))
        resolve(close)
      })
    })
  }

  /** Every frame received so far, oldest first. */
  get frames(): readonly Frame[] {
    return this.#frames
  }

  send(message: PlainMap): void {
    this.sendBytes(encode(message))
  }

  sendBytes(bytes: Uint8Array): void {
    this.#assertOpen()
    this.#socket.send(bytes, { binary: true })
  }

  sendText(content: string): void {
    this.#assertOpen()
    this.#socket.send(content, { binary: false })
  }

  /** Sends a request and waits for the reply with its id. */
  request(type: string, payload: unknown, id: string = randomUUID()): Promise<Frame> {
    const from = this.#frames.length
    this.send({ id, type, payload })
    return this.waitFor(`the reply to ${type}`, (frame) => isReply(frame) && frame.id === id, { from })
  }

  waitFor(what: string, matches: (frame: Frame) => boolean, options: WaitOptions = {}): Promise<Frame> {
    const { from = 0, timeoutMs = WAIT_MS } = options
    const already = this.#frames.find((frame, index) => index >= from && matches(frame))
    if (already !== undefined) return Promise.resolve(already)
    if (this.#close !== undefined)
      return Promise.reject(this.#unmet(what, `closed before (${describeClose(this.#close)})`))
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        what,
        matches,
        settle: (frame) => {
          finish()
          resolve(frame)
        },
        reject: (error) => {
          finish()
          reject(error)
        },
      }
      const timer = setTimeout(
        () => waiter.reject(this.#unmet(what, `nothing within ${timeoutMs} ms`)),
        timeoutMs,
      )
      this.#waiters.add(waiter)
    })
  }

  /** Waits for the server to close the socket. */
  async waitForClose(what: string, timeoutMs: number = WAIT_MS): Promise<Close> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#unmet(what, `still open after ${timeoutMs} ms`)), timeoutMs)
    })
    return await Promise.race([this.closed, late]).finally(() => clearTimeout(timer))
  }

  /** Closes from this side and waits for the end. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_MS)
    this.#socket.resume()
    this.#socket.close(1000)
    await this.closed
    clearTimeout(timer)
  }

  /** Drops the TCP connection without a close frame, as a crashed client does. */
  terminate(): void {
    this.#socket.terminate()
  }

  /** Stops reading from the socket, as a stalled client does. */
  pause(): void {
    this.#socket.pause()
  }

  #receive(frame: Frame): void {
    this.#frames.push(frame)
    if (this.#frames.length >= MAX_FRAMES_COUNT) this.#socket.terminate()
    for (const waiter of this.#waiters) this.#offer(waiter, frame)
  }

  #offer(waiter: Waiter, frame: Frame): void {
    try {
      if (waiter.matches(frame)) waiter.settle(frame)
    } catch (error) {
      // A predicate that throws has found a fault in a frame: the case fails, not the socket.
      waiter.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #assertOpen(): void {
    if (this.#socket.readyState === WebSocket.OPEN) return
    throw new Mismatch(
      "an open connection to send on",
      this.#close === undefined ? "closing" : describeClose(this.#close),
    )
  }

  #unmet(what: string, why: string): Mismatch {
    const last = this.#frames.slice(-5).map((frame) => frame.type)
    return new Mismatch(what, `${why}; last frames: ${last.length === 0 ? "none" : last.join(", ")}`)
  }
}

function describeClose({ code, reason }: Close): string {
  return `code ${code}, reason ${show(reason)}`
}

/** Opens a WebSocket without a subprotocol; rejects when the upgrade is refused. */
export function openRawClient(url: string, options: OpenOptions = {}): Promise<RawClient> {
  const { headers = {}, perMessageDeflate = false } = options
  const socket = new WebSocket(url, { headers, perMessageDeflate, handshakeTimeout: WAIT_MS })
  // The client listens before the socket opens, so that frames in the upgrade's last packet are not lost.
  const client = new RawClient(socket)
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(client))
    socket.once("error", (error) => reject(new Mismatch(`an open WebSocket at ${url}`, error.message)))
  })
}
