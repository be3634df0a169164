// A WebSocket of the library `ws` with one owner instead of listeners. Five listeners take a hash table of 256 bytes per socket,
// a twentieth of the memory of an idle client. Pongs and close frames of the library also pass through the owner, so that they
// leave with its turn. Must not know messages.
import { WebSocket } from "ws"

/** Close frame to be sent. Without a code its body is empty. */
export interface CloseFrame {
  readonly code: number | undefined
  readonly reason: string | Buffer
}

export interface SocketOwner {
  /** Called for each message. */
  received(content: unknown, isBinary: boolean): void
  /** Called for each ping, after `answerPing`. */
  pinged(): void
  /** Called for each pong. */
  ponged(): void
  /** Called when the socket has ended. */
  ended(code: number, reason: string): void
  /** Called with an error of the socket. `ended` always follows. */
  failed(error: unknown): void
  /** Sends a pong with the payload of the peer's ping. */
  answerPing(payload: Uint8Array): void
  /** Sends a close frame: the reply to the peer's close frame, or the library's reaction to an invalid frame. */
  closeWith(frame: CloseFrame): void
}

export class OwnedWebSocket extends WebSocket {
  owner: SocketOwner | undefined

  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this
    if (owner === undefined) return super.emit(event, first, second)
    if (event === "message") owner.received(first, second === true)
    else if (event === "ping") owner.pinged()
    else if (event === "pong") owner.ponged()
    else if (event === "close") owner.ended(Number(first), String(second))
    else if (event === "error") owner.failed(first)
    return true
  }

  /** Called by the library for each ping of the peer. */
  override pong(payload?: unknown): void {
    if (this.owner !== undefined && payload instanceof Uint8Array) this.owner.answerPing(payload)
    else super.pong(payload)
  }

  /** Called by the library. After the close frame, the call only ends the TCP connection. */
  override close(code?: number, reason: string | Buffer = ""): void {
    if (this.owner === undefined || this.readyState !== WebSocket.OPEN) super.close(code, reason)
    else this.owner.closeWith({ code, reason })
  }

  /** Writes the close frame to the socket. */
  writeClose({ code, reason }: CloseFrame): void {
    super.close(code, reason)
  }
}
