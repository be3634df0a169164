// Every bound of the protocol with its default, unit and reason. What happens at a bound stands beside it.

const kib = 1024
const mib = 1024 * kib

/** Bounds on what one end accepts as a single message. Beyond them the message is refused before it is decoded. */
export interface MessageLimits {
  /** Bytes of one message. Beyond: close 1009 on a WebSocket, which reads no further. */
  readonly maxBytes: number
  /** Nesting of arrays and maps. Beyond: `sys_invalid_message`. */
  readonly maxDepth: number
  /** Array items, and map entries twice, of the whole message. Beyond: `sys_invalid_message`. */
  readonly maxElements: number
  /** Bytes of one map key. Beyond: `sys_invalid_message`. */
  readonly maxKeyBytes: number
}

/** A server reads small requests of strangers. */
export const serverMessageLimits: MessageLimits = {
  maxBytes: 64 * kib,
  maxDepth: 32,
  maxElements: 10_000,
  maxKeyBytes: 128,
}

/** A client reads snapshots of a server that it chose; 1 MiB is also what `2.0` clients accept at most. */
export const clientMessageLimits: MessageLimits = {
  maxBytes: 1 * mib,
  maxDepth: 32,
  maxElements: 200_000,
  maxKeyBytes: 128,
}

/** Bounds of one server. Every one is an option of `createServer`. */
export interface ServerLimits {
  /** Inbound messages after authentication. */
  readonly message: MessageLimits
  /** WebSocket fragments of one message, empty ones included. Beyond: close 1008. */
  readonly messageMaxFragments: number
  /** Pieces in which one WebSocket frame may trickle in from the network. Beyond: close 1008. */
  readonly messageMaxChunks: number
  /** Bytes of the first message (a token). Beyond: `message_too_large`, 4413; in `2.0` 1008. */
  readonly helloMaxBytes: number
  /** From the accepted socket to a verified token. Beyond: `auth_timeout`, 4401. */
  readonly authTimeoutMs: number
  /** Messages that a `2.0` client may send between its token and `event_welcome`. Beyond: `auth_required`, 1008. */
  readonly earlyMaxCount: number
  /** The bytes of these messages. Beyond: the same. */
  readonly earlyMaxBytes: number
  /** Sockets of one address. Beyond: HTTP 429 before the upgrade. Loopback is exempt unless `trustProxy`. */
  readonly connectionsPerAddress: number
  /** Sockets of one address that have not authenticated yet. Beyond: HTTP 429. Loopback is exempt unless `trustProxy`. */
  readonly unauthenticatedPerAddress: number
  /** Sockets of all addresses that have not authenticated yet. Beyond: HTTP 503. */
  readonly unauthenticatedTotal: number
  /** Sessions of one user. Beyond: `sessionPolicy` decides who wins. */
  readonly sessionsPerUser: number
  /** Bytes waiting on one connection of `hawser.1`. Beyond: `slow_consumer`, 4408. */
  readonly outboundMaxBytes: number
  /** The same for `2.0`, whose login burst is about 820 KB. */
  readonly outboundMaxBytes20: number
  /** Above this many waiting bytes volatile messages are dropped, and keyed ones conflated to their latest value. */
  readonly volatileHighWaterBytes: number
  /** Keyed volatile values waiting on one connection. Beyond: the oldest key is dropped and counted. */
  readonly volatileSlots: number
  /** Requests of one session that run at once; they start in order. */
  readonly concurrency: number
  /** Waiting requests of one session. Beyond: reading pauses until there is room; nothing is refused or lost. */
  readonly inboxHighWater: number
  /** Messages of one user, all connections together. Beyond: reading pauses, nothing is lost. */
  readonly userMessagesPerSecond: number
  readonly userMessageBurst: number
  /** Bytes of one user, likewise. */
  readonly userBytesPerSecond: number
  readonly userByteBurst: number
  /** Messages of one `2.0` connection that were answered with `sys_invalid_message`. Beyond: close 1002. */
  readonly badMessagesMax: number
  /** A user whose messages had to wait for this long without a pause is closed: `rate_limited`, 4429. */
  readonly throttledMaxMs: number
  /** A handler's time when the caller names none, and the most that a caller may ask for. */
  readonly requestTimeoutMs: number
  readonly requestTimeoutMaxMs: number
  /** A handler that ignores its aborted signal for this long is settled as `timeout`; its late result is discarded. */
  readonly handlerGraceMs: number
  /** Silence after which a connection is probed by a WebSocket ping, and the time for the answer. Beyond: dropped. */
  readonly pingAfterMs: number
  readonly pongTimeoutMs: number
  /** Time for the headers of an HTTP request on a port of `listen()`; for all of it twice as long. Beyond: HTTP 408. */
  readonly httpTimeoutMs: number
  /** `close()` ends within this time, and so does the end of any one connection, whatever the peers do. */
  readonly shutdownMs: number
  /** From the last byte that left a closing connection to the peer's answer. Beyond: the socket is dropped. */
  readonly closeTimeoutMs: number
}

/** The least of `pingAfterMs` and `pongTimeoutMs`: below it a healthy connection's hiccups would count as its death. */
export const leastHeartbeatMs = 100

export const defaultServerLimits: ServerLimits = {
  message: serverMessageLimits,
  messageMaxFragments: 256,
  messageMaxChunks: 4_096,
  helloMaxBytes: 8 * kib,
  authTimeoutMs: 5_000,
  earlyMaxCount: 32,
  earlyMaxBytes: 64 * kib,
  connectionsPerAddress: 64,
  unauthenticatedPerAddress: 16,
  unauthenticatedTotal: 1_000,
  sessionsPerUser: 16,
  outboundMaxBytes: 1 * mib,
  outboundMaxBytes20: 4 * mib,
  volatileHighWaterBytes: 256 * kib,
  volatileSlots: 256,
  concurrency: 1,
  inboxHighWater: 64,
  userMessagesPerSecond: 100,
  userMessageBurst: 200,
  userBytesPerSecond: 256 * kib,
  userByteBurst: 1 * mib,
  throttledMaxMs: 10_000,
  badMessagesMax: 64,
  requestTimeoutMs: 10_000,
  requestTimeoutMaxMs: 60_000,
  handlerGraceMs: 5_000,
  pingAfterMs: 20_000,
  pongTimeoutMs: 10_000,
  httpTimeoutMs: 5_000,
  shutdownMs: 10_000,
  closeTimeoutMs: 1_000,
}

/** Bounds of one client. Every one is an option of `createClient`. */
export interface ClientLimits {
  readonly message: MessageLimits
  /** Time for a socket to open. Beyond: `connection_timeout`, then the reconnection strategy. */
  readonly dialTimeoutMs: number
  /** Time from the sent token to WELCOME. Beyond: as above. */
  readonly welcomeTimeoutMs: number
  /** Time for the `token` function to answer. Beyond: as above. */
  readonly tokenTimeoutMs: number
  /** Messages held that arrive before WELCOME. Beyond: the attempt fails. */
  readonly earlyMaxCount: number
  /** Messages that wait for the session to open. Beyond: `buffer_full`. */
  readonly sendQueueMaxCount: number
  /** Bytes handed to the socket that have not left. Beyond: `buffer_full` for new requests. */
  readonly sendBufferMaxBytes: number
  /** A request's time when the caller names none. */
  readonly requestTimeoutMs: number
  /** Silence after which the connection is probed, and the time for the answer. Beyond: abandoned, then reconnection. */
  readonly probeAfterMs: number
  readonly probeTimeoutMs: number
  /** A session that held this long resets the count of attempts. */
  readonly stableAfterMs: number
  /** The most that a server's `retryAfter` can make a client wait, plus the tenth that spreads returns; a larger one is cut. */
  readonly retryAfterMaxMs: number
}

export const defaultClientLimits: ClientLimits = {
  message: clientMessageLimits,
  dialTimeoutMs: 8_000,
  welcomeTimeoutMs: 8_000,
  tokenTimeoutMs: 8_000,
  earlyMaxCount: 1_024,
  sendQueueMaxCount: 1_024,
  sendBufferMaxBytes: 1 * mib,
  requestTimeoutMs: 10_000,
  probeAfterMs: 30_000,
  probeTimeoutMs: 5_000,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 300_000,
}
