// The transport port on a browser's WebSocket, or on that of the package `ws`. Must not know frames or sessions.
import { HawserError } from "@hawser/protocol"
import { closeReason } from "@hawser/protocol/core"
import type { Connection, Dial, DialEvents, DialFailure } from "@hawser/protocol/core"
import { describeCause } from "../base/report.ts"
import { refusedDial } from "../port/dial-error.ts"
import { socketUrl } from "../port/socket-url.ts"

/** The part of the WebSocket standard that the client uses. */
export interface WebSocketLike {
  /** Type of binary messages. The client sets `arraybuffer`. */
  binaryType: string
  /** State as a number of the WebSocket standard: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Bytes that the socket has taken and not sent. */
  readonly bufferedAmount: number
  /** Subprotocol that the server chose; empty: none. */
  readonly protocol: string
  /** Sends a binary message. The type names its memory apart, because `Uint8Array` is not generic before TypeScript 5.7. */
  send(
    bytes: Uint8Array & {
      /** Memory of the message; not shared. */
      readonly buffer: ArrayBuffer
    },
  ): void
  /** Closes the socket with a close code and a reason. */
  close(code?: number, reason?: string): void
  /** Closes the socket at once, without a handshake. Only `ws` has it. */
  terminate?(): void
  /** Adds a listener for the open socket. */
  addEventListener(type: "open", listener: () => void): void
  /** Adds a listener for errors. The event of `ws` has the member `error`; that of a browser has none. */
  addEventListener(type: "error", listener: (event: object) => void): void
  /** Adds a listener for messages. */
  addEventListener(
    type: "message",
    listener: (event: {
      /** Payload: an ArrayBuffer of a binary message, a string of a text message. */
      readonly data: unknown
    }) => void,
  ): void
  /** Adds a listener for the closed socket. */
  addEventListener(
    type: "close",
    listener: (event: {
      /** Close code (RFC 6455); 1006 if the connection ended without a close frame. */
      readonly code: number
      /** Close reason; empty: none. */
      readonly reason: string
    }) => void,
  ): void
  /** Adds a listener for an HTTP answer other than 101. Only `ws` has it. */
  on?(
    type: "unexpected-response",
    listener: (
      request: unknown,
      response: {
        /** HTTP status code of the answer; undefined: unknown. */
        readonly statusCode?: number | undefined
      },
    ) => void,
  ): unknown
}

/** A WebSocket class. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

const open = 1
const closed = 3

/** Returns a dial on WebSockets. @param find called for each dial: a runtime may get its WebSocket after `createClient`. */
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

/** Returns the global WebSocket. @throws TypeError if the runtime has none. */
export function globalWebSocket(): WebSocketConstructor {
  // The type declares it always present, but Node 20 lacks it.
  const found: WebSocketConstructor | undefined = globalThis.WebSocket
  if (typeof found !== "function") {
    throw new TypeError(
      "this runtime has no global WebSocket: pass `webSocket`, for example the one of the package ws",
    )
  }
  return found
}

/** Creates a socket. @throws HawserError `connection_failed`; final if another attempt would fail as well. */
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
  // For an address that the page's policy forbids, Chromium throws nothing, emits `error` and never `close`.
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

/** Returns the code of an error or of its cause. */
function codeOf(error: unknown, depth: number): string | undefined {
  if (typeof error !== "object" || error === null || depth === 0) return undefined
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code
  return "cause" in error ? codeOf(error.cause, depth - 1) : undefined
}

/** Events of a dial, until the socket has closed or was terminated. */
class Listening {
  events: DialEvents | undefined
  #hasFailed = false

  constructor(events: DialEvents) {
    this.events = events
  }

  /** Reports the first failure. Later ones are its consequences. */
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
        // The owner drops the connection and sends the message on the next one.
        return false
      }
    },
    close: (code, reason) => socket.close(code, closeReason(reason)),
    terminate() {
      listening.end(1006, "")
      // A browser's socket closes in the background.
      if (socket.terminate === undefined) socket.close()
      else socket.terminate()
    },
    // A browser cannot stop reading. The bounds of the client's queues apply instead.
    pause() {},
    resume() {},
  }
}
