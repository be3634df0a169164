// Every bound of the protocol with its default, unit and reason. What happens at a bound stands beside it.

import { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
import type { MessageLimits } from "./wire/message-limits.ts"
import type { DeliveryLimits } from "./session/delivery-host.ts"
import type { StateWindowLimits } from "./session/state-window.ts"

const kib = 1024
const mib = 1024 * kib

/** The same at both ends; each applies them to what it sends and receives. */
const deliveryLimits: DeliveryLimits = {
  sendBufferMaxCount: 1_024,
  sendBufferMaxBytes: 1 * mib,
  socketHighWaterBytes: 256 * kib,
  volatileHighWaterBytes: 64 * kib,
  volatileSlots: 256,
  volatileSlotsMaxBytes: 256 * kib,
  ackEveryCount: 128,
  ackEveryBytes: 64 * kib,
  ackDelayMs: 500,
  syncEveryCount: 256,
  syncEveryMs: 10_000,
}

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
  ...deliveryLimits,
  stateWindowMs: 750,
  stateStartBytes: 16 * kib,
  resumeWindowMs: 120_000,
  leaveWindowMs: 5_000,
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

/** Bounds of one client. Every one is an option of `createClient`. */
export interface ClientLimits extends DeliveryLimits {
  /** Inbound messages. Beyond: the session is reset (`sys_invalid_message`); in `2.0` the message is reported. */
  readonly message: MessageLimits
  /**
   * Limits of the server's reader, by which payloads are judged before the first WELCOME tells the real ones, and in `2.0`,
   * which does not tell them; default `serverMessageLimits`. Beyond: the call rejects.
   */
  readonly serverMessage: MessageLimits
  /**
   * Dial budget: the dials that a rested client may make at once; default 3. It bounds every strategy and every reason to
   * dial but the application's own `connect()`. Beyond: the status is `reconnecting` with the delay, at `dialsPerMinute`.
   */
  readonly dialBurst: number
  /** Refill of the dial budget, in dials per minute; default 12. A call of the token function costs one dial, with it. */
  readonly dialsPerMinute: number
  /**
   * Least time limit for a socket to open, in milliseconds; default 8,000. A long measured round trip raises it, and each
   * failed dial before doubles it, up to `dialTimeoutMaxMs`. Beyond: `connection_timeout`, then the strategy.
   */
  readonly dialTimeoutMs: number
  /** The same from HELLO to WELCOME. */
  readonly welcomeTimeoutMs: number
  /** The same for the `token` function's answer. */
  readonly tokenTimeoutMs: number
  /** The most to which the three limits above grow, in milliseconds; default 60,000. Below one of them: no growth of it. */
  readonly dialTimeoutMaxMs: number
  /** Messages held that arrive before WELCOME. Beyond: the attempt fails. */
  readonly earlyMaxCount: number
  /** Requests that wait for a session, or behind such; their bytes: `sendBufferMaxBytes`. Beyond: `buffer_full` at the call. */
  readonly sendQueueMaxCount: number
  /** How often the socket is asked whether it takes more, while messages wait for it: browsers do not tell. */
  readonly socketPollMs: number
  /** Items that a stream may be ahead of its reader when the caller names no `window`; `streamWindowMax` at most. */
  readonly streamWindow: number
  /** A request's time when the caller names none. */
  readonly requestTimeoutMs: number
  /** Silence after which the connection is probed, in milliseconds; default 30,000. */
  readonly probeAfterMs: number
  /**
   * Time for the answer to that probe, in milliseconds; default 10,000. On a link whose measured round trip is long or
   * uneven it is longer, up to `probeTimeoutMaxMs`. Beyond: the connection is abandoned, then reconnection. Nobody waits
   * for an idle connection, so it may take a few losses of the same segment.
   */
  readonly probeTimeoutMs: number
  /**
   * Upper bound of the time for the answer to any probe, in milliseconds; default 60,000. TCP repeats a segment for the
   * eighth time after 51 s, and on a link that loses a fifth one probe in 4,000 needs that.
   */
  readonly probeTimeoutMaxMs: number
  /** The least such time after a sleep, a change of network, a page shown again or `unansweredMs`; default 2,000. */
  readonly wakeProbeMs: number
  /**
   * Time from a reliable message to any sign of life of the server, in milliseconds; default 5,000. Beyond: the
   * connection is probed with `wakeProbeMs`. The status stays `open` until the probe's time has passed.
   */
  readonly unansweredMs: number
  /** Time without a connection after which the application is told that this takes long. */
  readonly prolongedOutageMs: number
  /** A pause of the process's timers by this much counts as a sleep. */
  readonly sleepMs: number
  /**
   * Age, in milliseconds, at which a new session that was not resumed resets the count of attempts; default 10,000. A
   * resume resets it at once. A session that ends younger is a failure among failures: the strategy's delays grow.
   */
  readonly stableAfterMs: number
  /** The most that a server's `retryAfter` can make a client wait, plus the tenth that spreads returns; a larger one is cut. */
  readonly retryAfterMaxMs: number
}

export const defaultClientLimits: ClientLimits = {
  message: clientMessageLimits,
  serverMessage: serverMessageLimits,
  dialBurst: 3,
  dialsPerMinute: 12,
  dialTimeoutMs: 8_000,
  welcomeTimeoutMs: 8_000,
  tokenTimeoutMs: 8_000,
  dialTimeoutMaxMs: 60_000,
  earlyMaxCount: 1_024,
  sendQueueMaxCount: 1_024,
  ...deliveryLimits,
  socketPollMs: 50,
  streamWindow: 32,
  requestTimeoutMs: 10_000,
  probeAfterMs: 30_000,
  probeTimeoutMs: 10_000,
  probeTimeoutMaxMs: 60_000,
  wakeProbeMs: 2_000,
  unansweredMs: 5_000,
  prolongedOutageMs: 15_000,
  sleepMs: 5_000,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 300_000,
}
