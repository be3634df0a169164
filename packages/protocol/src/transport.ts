// Declares the port between the session core and a transport: `ws`, a browser's WebSocket, an in-memory network.
// Must not know the meaning of the bytes.

import type { Profile } from "./wire/version.ts"

/** One outbound message. All recipients of a broadcast share the object, so that its bytes exist once. */
export interface OutboundMessage {
  /** The encoded frame. */
  readonly bytes: Uint8Array
  /** True if the message has many recipients: the transport should cache `framed`. Default false. */
  readonly isShared?: boolean
  /** Cache of the transport, for example the WebSocket frame: a broadcast is framed once. No other code reads it. */
  framed?: unknown
  /** `hashMessage` of the bytes, as a signed number. Computed when the first send buffer takes the message. */
  hash?: number | undefined
  /** Number of send buffers that hold the message. */
  keepers?: number
}

/**
 * Creates an outbound message with all its members. Members that are added later would give the engine objects of several
 * hidden classes.
 */
export function outbound(bytes: Uint8Array, isShared = false): OutboundMessage {
  return { bytes, isShared, framed: undefined, hash: undefined, keepers: 0 }
}

/** One socket. */
export interface Connection {
  /** Bytes that `send` accepted and that have not left this process. */
  readonly bufferedBytes: number
  /** Requests one `events.drained` for the next time the buffer is empty. Absent: the transport reports every time. */
  awaitDrain?(): void
  /** Sends one message. Returns false if the connection is not open; the message is then not taken. */
  send(message: OutboundMessage): boolean
  /**
   * Starts the closing handshake. Idempotent.
   * @param code any code that RFC 6455 lets an endpoint send; in browsers 1000 and 3000–4999.
   * @param reason at most 123 bytes of UTF-8.
   */
  close(code: number, reason: string): void
  /** Drops the socket at once, without a closing handshake. Idempotent. */
  terminate(): void
  /** Stops reading the socket until `resume` (backpressure). Nothing is lost. */
  pause(): void
  /** Reads the socket again. */
  resume(): void
  /**
   * Sends a message that tells of no state ahead of output that may wait for the server's journal. Returns false, and sends nothing,
   * without a journal, and if the socket is behind. Absent: output never waits.
   */
  sendAhead?(message: () => OutboundMessage): boolean
  /** Sends a ping of the transport; `events.pong` follows. Absent: the transport has none (browsers). */
  ping?(): void
}

/** Events of a connection for its owner. `closed` is the last one. */
export interface ConnectionEvents {
  /** A binary message has arrived. */
  message(bytes: Uint8Array): void
  /** A text message has arrived. No profile uses text messages. */
  text(): void
  /** The outbound buffer has become empty. Called at least after `awaitDrain`. */
  drained(): void
  /** The answer to `ping` has arrived. */
  pong(): void
  /** The socket is closed. Called exactly once. Code 1006: without a closing handshake. */
  closed(code: number, reason: string): void
}

/** Reason why a socket did not open, as far as the transport knows it. A browser reports none. */
export interface DialFailure {
  /** HTTP status of the response to the upgrade, unless it was 101. */
  readonly httpStatus?: number
  /** Error code of the operating system or of TLS, such as `ECONNREFUSED`. */
  readonly networkCode?: string
  /** Error of the transport. */
  readonly cause?: unknown
}

/** Events of a client's transport. */
export interface DialEvents extends ConnectionEvents {
  /** The socket is open. `protocol`: the subprotocol that the server chose, or "". */
  open(protocol: string): void
  /** The socket will not open, for this reason; `closed` follows. Called at most once, and only if the reason is known. */
  failed?(failure: DialFailure): void
}

/** Opens a socket. A failure of the network is reported by `events.closed`, never thrown. */
export type Dial = (url: string, protocols: readonly string[], events: DialEvents) => Connection

/** A socket at the server. */
export interface ServerConnection extends Connection {
  /** False from `close`, `terminate` or the end of the socket on: `send` returns false. */
  readonly isOpen: boolean
}

/** Header fields of an HTTP request, read-only. */
export interface UpgradeHeaders {
  /** Returns the value of a field, or undefined without one. Case is ignored. Repeated fields are one text, as in `Headers`. */
  get(name: string): string | undefined
}

/** A socket that the server's transport has accepted, before its first message. */
export interface AcceptedConnection {
  /** The open socket. */
  readonly connection: ServerConnection
  /** Wire profile, chosen from the subprotocols that the client offered. */
  readonly profile: Profile
  /** The peer's address. The limits per address count by it. */
  readonly address: string
  /** True if the limits per address apply to this peer. Default false, as for loopback without a proxy. */
  readonly isCapped?: boolean
  /** Header fields of the upgrade request, for the application's `authenticate`. Default: none. Released after the log-in. */
  readonly headers?: UpgradeHeaders
}

/** Adds a socket to the server. The transport calls the returned events. */
export type Accept = (accepted: AcceptedConnection) => ConnectionEvents

/** Cuts a close reason to the 123 bytes of UTF-8 that RFC 6455 allows, at a character boundary. */
export function closeReason(text: string): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (bytes > 123) break
    end += character.length
  }
  return text.slice(0, end)
}
