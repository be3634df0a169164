// The port between the session core and whatever carries bytes: `ws`, a browser's WebSocket, an in-memory pair.
// It knows messages and sockets, nothing of what the bytes mean.

import type { Profile } from "./wire/version.ts"

/**
 * One message on its way out, the same object for every recipient. `framed` belongs to the transport: it keeps there
 * what it made of the bytes (for example the WebSocket frame), so that a broadcast is framed once.
 */
export interface OutboundMessage {
  readonly bytes: Uint8Array
  /** True where it has many recipients: only then it is worth keeping what the transport made of it. */
  readonly isShared?: boolean
  framed?: unknown
  /** What `hashMessage` makes of the bytes, as a signed number; computed at the first session that keeps the message. */
  hash?: number | undefined
  /** How many sessions keep the message until it is acknowledged: its bytes exist once for all of them. */
  keepers?: number
}

/**
 * A message with room for all that it will ever hold: what is added later would be kept apart, and every reader would
 * meet messages of many shapes.
 */
export function outbound(bytes: Uint8Array, isShared = false): OutboundMessage {
  return { bytes, isShared, framed: undefined, hash: undefined, keepers: 0 }
}

/** One open socket as the core sees it. */
export interface Connection {
  /** Bytes accepted by `send` that have not left this process yet. */
  readonly bufferedBytes: number
  /** Asks for `events.drained` as soon as nothing waits here any more; where it is absent, every time is told. */
  awaitDrain?(): void
  /** Hands over one message. `false`: the connection is no longer open and nothing was taken. */
  send(message: OutboundMessage): boolean
  /** Closes in an orderly way. Any code that RFC 6455 lets an endpoint send (browsers: 1000 and 3000–4999), reason ≤ 123 bytes of UTF-8. Idempotent. */
  close(code: number, reason: string): void
  /** Drops the socket at once, without a closing handshake. Idempotent. */
  terminate(): void
  /** Stops reading until `resume`; the peer feels back-pressure, nothing is lost. */
  pause(): void
  resume(): void
  /** A liveness probe of the transport itself, answered by `events.pong`. Absent where there is none (browsers). */
  ping?(): void
}

/** What a connection tells its owner. After `closed` nothing follows. */
export interface ConnectionEvents {
  message(bytes: Uint8Array): void
  /** A text message came; no profile uses them. */
  text(): void
  /** The outbound buffer ran empty after it had held something. Told at least when `awaitDrain` asked for it. */
  drained(): void
  pong(): void
  /** Exactly once. Code 1006 when the socket ended without a closing handshake. */
  closed(code: number, reason: string): void
}

/** Why a socket did not open, as far as the transport knows. In a browser it knows nothing. */
export interface DialFailure {
  /** HTTP status of the answer to the upgrade, if it was another than 101. */
  readonly httpStatus?: number
  /** Code of the operating system or of TLS, such as `ECONNREFUSED`. */
  readonly networkCode?: string
  /** The transport's own error. */
  readonly cause?: unknown
}

/** Events of a client's transport. */
export interface DialEvents extends ConnectionEvents {
  /** The socket is open, with the subprotocol that the server chose, or "". */
  open(protocol: string): void
  /** The reason why the socket will not open; `closed` follows. Called at most once, and only where it is known. */
  failed?(failure: DialFailure): void
}

/** Opens a socket. Never throws for a network's fault: that is `events.closed`. */
export type Dial = (url: string, protocols: readonly string[], events: DialEvents) => Connection

/** What a server learns of a socket before its first message. */
export interface AcceptedConnection {
  readonly connection: Connection
  readonly profile: Profile
  /** The peer's address as the caps per address count it. */
  readonly address: string
  /** True where the caps per address hold for this peer. Absent: they do not, as for loopback without a proxy. */
  readonly isCapped?: boolean
}

/** Takes a socket into the server; the transport reports to what is returned. */
export type Accept = (accepted: AcceptedConnection) => ConnectionEvents

/** Shortens a close reason to the 123 bytes of UTF-8 that RFC 6455 allows, on a character's edge. */
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
