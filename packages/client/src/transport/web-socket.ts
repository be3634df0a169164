// The browser's WebSocket (or the one of `ws`, whose interface is the same) behind the transport port.
import { closeReason } from "@hawser/protocol"
import type { Connection, Dial, DialEvents } from "@hawser/protocol"

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
  addEventListener(type: "open" | "error", listener: () => void): void
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void
}

export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

const open = 1

export function webSocketDial(WebSocketClass: WebSocketConstructor): Dial {
  return (url, protocols, events) => {
    const socket = new WebSocketClass(url, [...protocols])
    socket.binaryType = "arraybuffer"
    const listening = new Listening(events)
    socket.addEventListener("open", () => listening.events?.open(socket.protocol))
    socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) listening.events?.message(new Uint8Array(data))
      else listening.events?.text()
    })
    // Browsers tell nothing in `error`; `close` always follows.
    socket.addEventListener("error", () => {})
    socket.addEventListener("close", ({ code, reason }) => listening.end(code, reason))
    return connection(socket, listening)
  }
}

/** The owner, until the socket has closed or was terminated. */
class Listening {
  events: DialEvents | undefined

  constructor(events: DialEvents) {
    this.events = events
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
      socket.send(new Uint8Array(bytes))
      return true
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
