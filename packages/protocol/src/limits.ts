// Bounds of a server and of both ends, each with its default, unit, reason and effect. Bounds of a client: client-limits.ts.
import { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
import type { MessageLimits } from "./wire/message-limits.ts"
import { defaultDeliveryLimits } from "./session/delivery-host.ts"
import type { DeliveryLimits } from "./session/delivery-host.ts"
import type { StateWindowLimits } from "./session/state-window.ts"

const kib = 1024
const mib = 1024 * kib

/**
 * Items that the reader of a stream may have ahead of it: a larger window is a RangeError at the client, more credit is
 * cut at the server. A constant of both ends, because a reader cannot know of credit that was cut.
 */
export const streamWindowMax = 1_024

/**
 * Requests that one VOID names, and that a server keeps of it, in requests: as many as the default send buffer of a
 * client holds. A client names its oldest; a request beyond is executed when it arrives. A constant of both ends.
 */
export const voidMaxCount = 1_024

/** Bounds of one server. Every one is an option of `createServer`. */
export interface ServerLimits extends DeliveryLimits, StateWindowLimits {
  /** Inbound messages after authentication. */
  readonly message: MessageLimits
  /**
   * Limits of the clients' readers, by which everything that the server sends is judged; default `clientMessageLimits`.
   * Beyond: the sending call throws. A client whose HELLO names smaller ones is refused: `unsupported_limits`, 4400.
   */
  readonly clientMessage: MessageLimits
  /** WebSocket fragments of one message, empty ones included. Beyond: close 1008. */
  readonly messageMaxFragments: number
  /** Pieces in which one WebSocket frame may trickle in from the network. Beyond: close 1008. */
  readonly messageMaxChunks: number
  /**
   * Pings and pongs of the WebSocket from one connection in a second; default 100. Libraries answer pings past every
   * bucket, so a flood would cost all others their turn. Beyond: close 1008.
   */
  readonly controlFramesPerSecond: number
  /** Bytes of the first message (a token). Beyond: `message_too_large`, 4413; in `2.0` 1008. */
  readonly helloMaxBytes: number
  /**
   * Time from the accepted socket to a verified token, in milliseconds; default 20,000: on a slow link with losses TCP
   * repeats the upgrade's answer and HELLO after seconds. Beyond: `auth_timeout`, 4401. How many sockets may be in this
   * state is bounded by `unauthenticatedPerAddress` and `unauthenticatedTotal`.
   */
  readonly authTimeoutMs: number
  /** Messages that a `2.0` client may send between its token and `event_welcome`. Beyond: `auth_required`, 1008. */
  readonly earlyMaxCount: number
  /** The bytes of these messages. Beyond: the same. */
  readonly earlyMaxBytes: number
  /**
   * Sockets of one address. Beyond: HTTP 429 before the upgrade. Loopback is exempt unless `trustProxy`. Each session that
   * can be resumed gives its client's address one more place, up to this number, and 3 more dials at once, 12 a minute; a
   * place is one more here and in the two limits of unauthenticated sockets.
   */
  readonly connectionsPerAddress: number
  /** Sockets of one address that have not authenticated yet. Beyond: HTTP 429. Loopback is exempt unless `trustProxy`. */
  readonly unauthenticatedPerAddress: number
  /** New sockets of one address, and how many may come at once. Beyond: HTTP 429. Loopback is exempt unless `trustProxy`. */
  readonly dialsPerAddressPerSecond: number
  readonly dialBurstPerAddress: number
  /** Sockets of all addresses that have not authenticated yet. Beyond: HTTP 503. */
  readonly unauthenticatedTotal: number
  /** Sessions of one user. Beyond: `sessionPolicy` decides who wins. */
  readonly sessionsPerUser: number
  /** How long a session waits for its client to come back. Beyond: it ends with `session_expired`. 0: not at all. */
  readonly resumeWindowMs: number
  /**
   * Resume window of a session whose page was left (close code 1001 without a reason: a closed tab, a reload, a quit), in
   * milliseconds; default 5,000, and never longer than `resumeWindowMs`. Beyond: `session_expired`. 0: the session ends
   * with its page.
   */
  readonly leaveWindowMs: number
  /**
   * Time that a session may be without a connection, summed over the lives of the server process since its client last came
   * back, in milliseconds; default 600,000. Beyond: `session_expired`. A server that restarts again and again renews nothing.
   */
  readonly detachedMaxMs: number
  /** Time for the session store to answer, in milliseconds; default 5,000. Beyond: `sys_service_unavailable`. */
  readonly claimTimeoutMs: number
  /**
   * Bytes that all sessions together keep for their clients, a broadcast counted once. Beyond: no new session opens
   * (`sys_service_unavailable`), and those whose client is away end, the largest first (`session_overflow`).
   */
  readonly replayMaxBytes: number
  /** Changes of replicas are told together after this time; `server.flush` tells them at once. */
  readonly replicaTickMs: number
  /**
   * Memory in bytes for the last changes of one cell of a replica, their objects included; default 4 KiB. A viewer that missed
   * a few ticks, or comes back, is sent these instead of the whole cell. Beyond: the oldest are dropped.
   */
  readonly replicaDeltaMaxBytes: number
  /** Age of such a change, in milliseconds; default 30,000. Beyond: it is dropped. A cell without viewers keeps none. */
  readonly replicaDeltaMaxMs: number
  /** Topics that one session, and all sessions of one user, may have joined. Beyond: `rate_limited`. */
  readonly topicsPerSession: number
  readonly topicsPerUser: number
  /**
   * Recipients of what one user publishes to topics, all sessions together; what the server publishes is free. A full
   * bucket lets one publication of any reach through and is in debt then. Beyond: `rate_limited` with `retryAfterMs`.
   */
  readonly userDeliveriesPerSecond: number
  readonly userDeliveryBurst: number
  /** Bytes of all histories of topics. Beyond: the oldest publication of any topic is forgotten. */
  readonly topicHistoryMaxBytes: number
  /** Publications, and their bytes, that one reply to a join brings. Beyond: the client asks again for the rest. */
  readonly topicPageMaxCount: number
  readonly topicPageMaxBytes: number
  /** Topics with a history that nobody is in. Beyond: the one that was left first is forgotten. */
  readonly idleTopicsMax: number
  /** Bytes of what a member shows of itself. Beyond: `invalid_input`. */
  readonly presenceStateMaxBytes: number
  /** Members of a topic that are listed, the first to come. Beyond: they are only counted. */
  readonly presenceListMaxCount: number
  /** Changes of who is in a topic are told together after this time. */
  readonly presenceTickMs: number
  /** Connections that may take a session from a live one within `takeoverWindowMs`. Beyond: `session_thrash`. */
  readonly takeoversMax: number
  readonly takeoverWindowMs: number
  /** How long it is remembered why a session ended, and of how many sessions. Beyond: `session_unknown`. */
  readonly tombstoneMs: number
  readonly tombstonesMax: number
  /** How long the outcome of a request with an idempotency key is remembered, and of how many per user. Beyond: executed again. */
  readonly idempotencyMs: number
  readonly idempotencyMaxCount: number
  /**
   * Memory in bytes for these outcomes, for one user (default 1 MiB) and for all users (default 64 MiB). Beyond: the oldest
   * outcome of the user, or of one of the largest users, is evicted, and a repetition is executed again. An outcome that is
   * larger than the bound of a user is not remembered.
   */
  readonly idempotencyUserMaxBytes: number
  readonly idempotencyMaxBytes: number
  /**
   * Time in which a client that is heard settles nothing of what it was sent, in milliseconds; default 90,000. After half
   * of it the client is asked by a PING. Beyond: `slow_consumer`, 4408; it may resume. Browsers run the timers of a
   * hidden page once a minute, and an acknowledgement may wait for one: 60 s, and half as much again for the network.
   * Time in which nothing at all is heard does not count: `pongTimeoutMs` decides then.
   */
  readonly ackProgressMs: number
  /** Bytes waiting on one connection of `2.0`, whose login burst is about 820 KB. Beyond: `slow_consumer`, 4408. */
  readonly outboundMaxBytes20: number
  /** A client is asked for a fresh token this long before its token expires. */
  readonly tokenRefreshBeforeMs: number
  /** An expired token keeps its connection for this long. Beyond: `auth_token_expired`, 4401; it may resume. */
  readonly tokenGraceMs: number
  /**
   * Fresh tokens of one session on its connection that nobody asked for: one in `tokenEveryMs`, default 10,000, and
   * `tokenBurst` at once, default 3. Beyond: the newest one waits and is checked then.
   */
  readonly tokenEveryMs: number
  readonly tokenBurst: number
  /** Requests of one session that run at once; they start in order. */
  readonly concurrency: number
  /** Waiting requests of one session. Beyond: reading pauses until there is room; nothing is refused or lost. */
  readonly inboxHighWater: number
  /** Streams of one session whose handlers have not ended. Beyond: END with `rate_limited`. */
  readonly streamsPerSession: number
  /**
   * Messages of one `hawser.1` session, and their bytes, that wait for room or for the user's bucket while its socket is
   * still read. A client that keeps to its own bounds never has more under way. Beyond: reading pauses, nothing is lost.
   */
  readonly heldMaxCount: number
  readonly heldMaxBytes: number
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
  /** Silence after which a connection is probed by a WebSocket ping, in milliseconds; default 20,000. */
  readonly pingAfterMs: number
  /**
   * Time for the answer to that ping, in milliseconds; default 20,000: with `pingAfterMs` longer than the seventh
   * repetition of a lost segment takes. For a client whose measured round trip is long or uneven, and after a missed
   * answer, it is longer, up to `pongTimeoutMaxMs`, default 60,000. Beyond: the socket is dropped, and the session waits
   * for its client.
   */
  readonly pongTimeoutMs: number
  readonly pongTimeoutMaxMs: number
  /**
   * Time from an accepted TCP connection to the headers of its first HTTP request, in milliseconds; default 5,000. For a
   * further request it begins after the HTTP server's `keepAliveTimeout`. On a port of `listen()` a request may take twice
   * as long in all. Beyond: the socket is dropped, or HTTP 408.
   */
  readonly httpTimeoutMs: number
  /**
   * TCP connections of one address that have sent no request yet; default 1,024, because Node accepts up to 511 at once
   * before it reads any. Loopback and proxies are not exempt. Beyond: a new one is dropped at accept.
   */
  readonly requestlessPerAddress: number
  /**
   * On an HTTP server whose upgrades others listen to, too: time in which one of them may take an upgrade for a path of
   * theirs, in milliseconds; default 5,000. Beyond: HTTP 404.
   */
  readonly upgradeUntakenMs: number
  /** `close()` ends within this time, and so does the end of any one connection, whatever the peers do. */
  readonly shutdownMs: number
  /** From the last byte that left a closing connection to the peer's answer. Beyond: the socket is dropped. */
  readonly closeTimeoutMs: number
}

/** Characters of an idempotency key. Beyond: `invalid_input`. */
export const idempotencyKeyMaxLength = 128

/** The least of `pingAfterMs` and `pongTimeoutMs`: below it a healthy connection's hiccups would count as its death. */
export const leastHeartbeatMs = 100

export const defaultServerLimits: ServerLimits = {
  message: serverMessageLimits,
  clientMessage: clientMessageLimits,
  messageMaxFragments: 256,
  messageMaxChunks: 4_096,
  controlFramesPerSecond: 100,
  helloMaxBytes: 8 * kib,
  authTimeoutMs: 20_000,
  earlyMaxCount: 32,
  earlyMaxBytes: 64 * kib,
  connectionsPerAddress: 64,
  unauthenticatedPerAddress: 16,
  dialsPerAddressPerSecond: 10,
  dialBurstPerAddress: 128,
  unauthenticatedTotal: 1_000,
  sessionsPerUser: 16,
  ...defaultDeliveryLimits,
  stateWindowMs: 750,
  stateStartBytes: 16 * kib,
  resumeWindowMs: 120_000,
  leaveWindowMs: 5_000,
  detachedMaxMs: 600_000,
  claimTimeoutMs: 5_000,
  replayMaxBytes: 256 * mib,
  replicaTickMs: 50,
  replicaDeltaMaxBytes: 4 * kib,
  replicaDeltaMaxMs: 30_000,
  topicsPerSession: 256,
  topicsPerUser: 1_024,
  userDeliveriesPerSecond: 1_000,
  userDeliveryBurst: 1_000,
  topicHistoryMaxBytes: 64 * mib,
  topicPageMaxCount: 128,
  topicPageMaxBytes: 128 * kib,
  idleTopicsMax: 10_000,
  presenceStateMaxBytes: 512,
  presenceListMaxCount: 256,
  presenceTickMs: 50,
  takeoversMax: 10,
  takeoverWindowMs: 10_000,
  tombstoneMs: 600_000,
  tombstonesMax: 100_000,
  idempotencyMs: 600_000,
  idempotencyMaxCount: 256,
  idempotencyUserMaxBytes: 1 * mib,
  idempotencyMaxBytes: 64 * mib,
  ackProgressMs: 90_000,
  outboundMaxBytes20: 4 * mib,
  tokenRefreshBeforeMs: 60_000,
  tokenGraceMs: 30_000,
  tokenEveryMs: 10_000,
  tokenBurst: 3,
  concurrency: 1,
  inboxHighWater: 64,
  heldMaxCount: 1_024,
  heldMaxBytes: 1 * mib,
  streamsPerSession: 16,
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
  pongTimeoutMs: 20_000,
  pongTimeoutMaxMs: 60_000,
  httpTimeoutMs: 5_000,
  requestlessPerAddress: 1_024,
  upgradeUntakenMs: 5_000,
  shutdownMs: 10_000,
  closeTimeoutMs: 1_000,
}
