// The browser's WebSocket (or the one of `ws`, whose interface is the same) behind the transport port.
import { HawserError } from "@hawser/protocol"
import { closeReason } from "@hawser/protocol/core"
import type { Connection, Dial, DialEvents, DialFailure } from "@hawser/protocol/core"
import { describeCause } from "../base/report.ts"
import { refusedDial } from "../port/dial-error.ts"
import { socketUrl } from "../port/socket-url.ts"

/** The part of the WebSocket standard that is used. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  readonly protocol: string
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  /** Of `ws`, not of browsers: drops the socket at once. */
  terminate?(): void
  addEventListener(type: "open", listener: () => void): void
  /** The event of `ws` has `error`; that of a browser has nothing. */
  addEventListener(type: "error", listener: (event: object) => void): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void
  /** Of `ws`, not of browsers: the upgrade was answered with another status than 101. */
  on?(
    type: "unexpected-response",
    listener: (request: unknown, response: { readonly statusCode?: number | undefined }) => void,
  ): unknown
}

export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

const open = 1
const closed = 3

/** @param find is called for each dial: a runtime may get its WebSocket after the client was created. */
export function webSocketDial(find: () => WebSocketConstructor): Dial {
  return (address, protocols, events) => {
    const socket = makeSocket(find, address, protocols)
    socket.binaryType = "arraybuffer"
    const listening = new Listening(events)
    socket.addEventListener("open", () => listening.events?.open(socket.protocol))
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) listening.events?.message(new Uint8Array(data))
      else listening.events?.text()
    })
    // `close` always follows.
    socket.addEventListener("error", (event) => listening.fail(failureOf(event)))
    // Bun has `on`, warns of this event, and never emits it.
    if (!("Bun" in globalThis)) {
      socket.on?.("unexpected-response", (_request, { statusCode }) => {
        listening.fail(statusCode === undefined ? undefined : { httpStatus: statusCode })
        socket.terminate?.()
      })
    }
    socket.addEventListener("close", ({ code, reason }) => listening.end(code, reason))
    return connection(socket, listening)
  }
}

/** The global WebSocket. @throws TypeError where the runtime has none. */
export function globalWebSocket(): WebSocketConstructor {
  // The type says that it always exists; in Node 20 it does not.
  const found: WebSocketConstructor | undefined = globalThis.WebSocket
  if (typeof found !== "function") {
    throw new TypeError(
      "this runtime has no global WebSocket: pass `webSocket`, for example the one of the package ws",
    )
  }
  return found
}

/** @throws HawserError `connection_failed`, final where another attempt cannot help. */
function makeSocket(
  find: () => WebSocketConstructor,
  address: string,
  protocols: readonly string[],
): WebSocketLike {
  let url: string
  let WebSocketClass: WebSocketConstructor
  try {
    url = socketUrl(address)
    WebSocketClass = find()
  } catch (cause) {
    throw new HawserError("connection_failed", { message: describeCause(cause), retry: "never", cause })
  }
  let socket: WebSocketLike
  try {
    socket = new WebSocketClass(url, [...protocols])
  } catch (cause) {
    throw refusedDial(url, cause)
  }
  // Chromium throws nothing where the page's policy forbids the address. It emits `error` and never `close`.
  if (socket.readyState === closed) throw refusedDial(url, { name: "SecurityError" })
  return socket
}

function failureOf(event: object): DialFailure | undefined {
  const error = "error" in event ? event.error : undefined
  const message = "message" in event ? event.message : undefined
  const networkCode = codeOf(error, 4)
  const cause = error ?? (message === "" ? undefined : message)
  if (cause === undefined || cause === null) return undefined
  return networkCode === undefined ? { cause } : { cause, networkCode }
}

/** The code of an error, or of the one that caused it. */
function codeOf(error: unknown, depth: number): string | undefined {
  if (typeof error !== "object" || error === null || depth === 0) return undefined
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code
  return "cause" in error ? codeOf(error.cause, depth - 1) : undefined
}

/** The owner, until the socket has closed or was terminated. */
class Listening {
  events: DialEvents | undefined
  #hasFailed = false

  constructor(events: DialEvents) {
    this.events = events
  }

  /** The first failure is the cause; later ones follow from it. */
  fail(failure: DialFailure | undefined): void {
    if (failure === undefined || this.#hasFailed) return
    this.#hasFailed = true
    this.events?.failed?.(failure)
  }

  end(code: number, reason: string): void {
    const { events } = this
    this.events = undefined
    events?.closed(code, reason)
  }
}

function connection(socket: WebSocketLike, listening: Listening): Connection {
  return {
    get bufferedBytes() {
      return socket.bufferedAmount
    },
    send({ bytes }) {
      if (socket.readyState !== open) return false
      try {
        socket.send(new Uint8Array(bytes))
        return true
      } catch {
        // The owner drops a connection that takes nothing, and the message goes out on the next one.
        return false
      }
    },
    close: (code, reason) => socket.close(code, closeReason(reason)),
    terminate() {
      listening.end(1006, "")
      // A browser's socket goes on closing by itself; nobody waits for it.
      if (socket.terminate === undefined) socket.close()
      else socket.terminate()
    },
    // A browser cannot stop reading; the client's bounds hold on its queues instead.
    pause() {},
    resume() {},
  }
}
