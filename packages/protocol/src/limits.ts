// Declares the bounds of a server and the bounds of both ends: unit, default, reason, effect at the bound. The bounds of a
// client are in client-limits.ts.
import { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
import type { MessageLimits } from "./wire/message-limits.ts"
import { defaultDeliveryLimits } from "./session/delivery-host.ts"
import type { DeliveryLimits } from "./session/delivery-host.ts"
import type { StateWindowLimits } from "./session/state-window.ts"

const kib = 1024
const mib = 1024 * kib

/** Bounds of one server. Each is an option of `createServer`. */
export interface ServerLimits extends DeliveryLimits, StateWindowLimits {
  /** Bounds of one inbound message after authentication; default `serverMessageLimits`. */
  readonly message: MessageLimits
  /**
   * Bounds of the clients' readers, which everything that the server sends must meet; default `clientMessageLimits`. For a
   * payload outside them the sending call throws. A client whose HELLO has smaller ones is refused with
   * `unsupported_limits`, 4400.
   */
  readonly clientMessage: MessageLimits
  /** WebSocket fragments of one message, empty ones included; default 256. One more: close 1008. */
  readonly messageMaxFragments: number
  /** Network chunks in which one WebSocket frame may arrive; default 4,096. One more: close 1008. */
  readonly messageMaxChunks: number
  /**
   * WebSocket pings and pongs of one connection in a second; default 100. One more: close 1008. WebSocket libraries answer
   * pings outside all rate limits, so a flood would take CPU time from the other clients.
   */
  readonly controlFramesPerSecond: number
  /** Bytes of the first message, which carries the token; default 8 KiB. More: `message_too_large`, 4413; in `2.0` 1008. */
  readonly helloMaxBytes: number
  /**
   * Time from the accepted socket to a verified token, in milliseconds; default 20,000, because on a lossy link TCP
   * retransmits the upgrade's response and HELLO after seconds. Later: `auth_timeout`, 4401. `unauthenticatedPerAddress` and
   * `unauthenticatedTotal` bound the sockets in this state.
   */
  readonly authTimeoutMs: number
  /** Messages that a `2.0` client may send between its token and `event_welcome`; default 32. One more: `auth_required`, 1008. */
  readonly earlyMaxCount: number
  /** Bytes of these messages; default 64 KiB. More: `auth_required`, 1008. */
  readonly earlyMaxBytes: number
  /**
   * Sockets of one address; default 64. At the bound a new one gets HTTP 429 before the upgrade. Loopback is exempt unless
   * `trustProxy`. Each resumable session adds to its client's address, up to this number: one socket more here and in the two
   * limits of unauthenticated sockets, and 3 dials more at once, 12 more a minute.
   */
  readonly connectionsPerAddress: number
  /**
   * Unauthenticated sockets of one address; default 16. At the bound a new one gets HTTP 429. Loopback is exempt unless
   * `trustProxy`.
   */
  readonly unauthenticatedPerAddress: number
  /**
   * Refill of one address's dial bucket, in new sockets per second; default 10. With an empty bucket a new socket gets HTTP
   * 429. Loopback is exempt unless `trustProxy`.
   */
  readonly dialsPerAddressPerSecond: number
  /** Capacity of one address's dial bucket, in sockets at once; default 128. */
  readonly dialBurstPerAddress: number
  /** Unauthenticated sockets of all addresses; default 1,000. At the bound a new one gets HTTP 503. */
  readonly unauthenticatedTotal: number
  /** Sessions of one user; default 16. At the bound `sessionPolicy` decides which session ends. */
  readonly sessionsPerUser: number
  /**
   * Resume window: how long a detached session waits for a resume, in milliseconds; default 120,000. Then it ends with
   * `session_expired`. 0: it ends with its connection.
   */
  readonly resumeWindowMs: number
  /**
   * Resume window of a session whose page was left (close code 1001 without a reason: a closed tab, a reload, a quit), in
   * milliseconds; default 5,000, at most `resumeWindowMs`. Then it ends with `session_expired`. 0: it ends with its page.
   */
  readonly leaveWindowMs: number
  /**
   * Detached time of one session since its last resume, summed over all server processes that held it, in milliseconds;
   * default 600,000. Then it ends with `session_expired`. Repeated restarts of a server do not extend it.
   */
  readonly detachedMaxMs: number
  /** Time limit of the session store's answer, in milliseconds; default 5,000. Later: `sys_service_unavailable`. */
  readonly claimTimeoutMs: number
  /**
   * Bytes in the send buffers of all sessions, a broadcast counted once; default 256 MiB. At capacity no new session opens
   * (`sys_service_unavailable`), and detached sessions end, the largest first (`session_overflow`).
   */
  readonly replayMaxBytes: number
  /** Batching delay of replica changes, in milliseconds; default 50. `server.flush` sends them at once. */
  readonly replicaTickMs: number
  /**
   * Memory for the last deltas of one replica cell, in bytes, objects included; default 4 KiB. A viewer that missed a few
   * ticks, or resumes, receives these deltas instead of a snapshot. At capacity the oldest is evicted.
   */
  readonly replicaDeltaMaxBytes: number
  /** Age of such a delta, in milliseconds; default 30,000. Then it is evicted. A cell without viewers keeps none. */
  readonly replicaDeltaMaxMs: number
  /** Topics that one session has joined; default 256. At the bound a join gets `rate_limited`. */
  readonly topicsPerSession: number
  /** Topics that all sessions of one user have joined; default 1,024. At the bound a join gets `rate_limited`. */
  readonly topicsPerUser: number
  /**
   * Refill of one user's fan-out bucket, all sessions together, in recipients per second; default 1,000. A publication costs
   * one permit for each recipient. The server's own publications are free. A full bucket pays for one publication of any
   * fan-out and is then in debt. Without permits: `rate_limited` with `retryAfterMs`.
   */
  readonly userDeliveriesPerSecond: number
  /** Capacity of that bucket, in recipients; default 1,000. */
  readonly userDeliveryBurst: number
  /** Bytes of all topic histories; default 64 MiB. At capacity the oldest publication of any topic is evicted. */
  readonly topicHistoryMaxBytes: number
  /** Publications that one reply to a join replays; default 128. The client requests the next page. */
  readonly topicPageMaxCount: number
  /** Bytes of these publications; default 128 KiB. The client requests the next page. */
  readonly topicPageMaxBytes: number
  /**
   * Topics with a history and without subscribers; default 10,000. At capacity the one that was left first is evicted. As many
   * topics without sessions keep the records of their replicas; at capacity the oldest topic loses them.
   */
  readonly idleTopicsMax: number
  /** Records of one replica of a topic; default 10,000. At the bound `set` of a new record throws a RangeError. */
  readonly topicReplicaMaxCount: number
  /** Records of one durable replica; default 1,000,000. At the bound `set` of a new record throws a RangeError. */
  readonly durableReplicaMaxCount: number
  /**
   * Bytes of the records of one durable replica, counted as 8 for each field and 1 for each character of ids and texts; default
   * 256 MiB. Beyond it `set` and `patch` throw a RangeError.
   */
  readonly durableReplicaMaxBytes: number
  /** Bytes of a member's presence state; default 512. More: `invalid_input`. */
  readonly presenceStateMaxBytes: number
  /** Length of a topic's member list; default 256, the members that joined first. Later members are counted, not listed. */
  readonly presenceListMaxCount: number
  /** Batching delay of presence changes, in milliseconds; default 50. All changes within it go out as one `$presence` event. */
  readonly presenceTickMs: number
  /** Resumes that replace a live connection of one session within `takeoverWindowMs`; default 10. More: `session_thrash`. */
  readonly takeoversMax: number
  /** Length of that window, in milliseconds; default 10,000. */
  readonly takeoverWindowMs: number
  /** Age of the record of why a session ended, in milliseconds; default 600,000. Then a claim gets `session_unknown`. */
  readonly tombstoneMs: number
  /** Number of these records; default 100,000. At capacity the oldest is evicted, and a claim gets `session_unknown`. */
  readonly tombstonesMax: number
  /** Age of the stored outcome of a request with an idempotency key, in milliseconds; default 600,000. Then a repetition runs. */
  readonly idempotencyMs: number
  /** Stored outcomes of one user; default 256. At capacity the oldest is evicted, and its repetition runs. */
  readonly idempotencyMaxCount: number
  /**
   * Memory for the stored outcomes of one user, in bytes; default 1 MiB. At capacity the oldest is evicted, and its
   * repetition runs. An outcome that is larger than the bound is not stored.
   */
  readonly idempotencyUserMaxBytes: number
  /**
   * Memory for the stored outcomes of all users, in bytes; default 64 MiB. At capacity the oldest outcome of one of the
   * largest users is evicted, and its repetition runs.
   */
  readonly idempotencyMaxBytes: number
  /**
   * Time in which a client that still sends acknowledges nothing, in milliseconds; default 90,000. After half of it the
   * server sends a PING. Then: `slow_consumer`, 4408; the client may resume. Browsers run the timers of a hidden page once a
   * minute, and an acknowledgement may wait for one: 60 s, and half as much again for the network. Complete silence does not
   * count: `pongTimeoutMs` bounds it.
   */
  readonly ackProgressMs: number
  /** Buffered bytes of one `2.0` connection, whose login burst is about 820 KB; default 4 MiB. More: `slow_consumer`, 4408. */
  readonly outboundMaxBytes20: number
  /** Time before a token's expiry at which the server requests a fresh one, in milliseconds; default 60,000. */
  readonly tokenRefreshBeforeMs: number
  /**
   * Grace period of a connection after its token's expiry, in milliseconds; default 30,000. Then: `auth_token_expired`, 4401;
   * the client may resume.
   */
  readonly tokenGraceMs: number
  /**
   * Interval between fresh tokens of one connection that the server did not request, in milliseconds; default 10,000. A token
   * that arrives sooner waits and is then checked; a newer one replaces it.
   */
  readonly tokenEveryMs: number
  /** Number of such tokens that are checked at once; default 3. */
  readonly tokenBurst: number
  /**
   * Queries, opening streams and commands of `order: "none"` of one session that run at once; default 8. Further ones wait, and
   * delay no other command. Ordered commands run one at a time, and are not counted.
   */
  readonly queriesAtOnce: number
  /**
   * High-water mark of a session's request queue, in requests; default 64. At the mark the server stops reading the socket
   * (backpressure). No request is rejected or lost.
   */
  readonly inboxHighWater: number
  /** Streams of one session whose handlers run; default 16. At the bound a new one gets END with `rate_limited`. */
  readonly streamsPerSession: number
  /**
   * Messages of one `hawser.1` session that wait for its request queue or the user's bucket while the server still reads the
   * socket; default 1,024. At the bound reading stops (backpressure); nothing is lost. A client within its own bounds never
   * has more in flight.
   */
  readonly heldMaxCount: number
  /** Bytes of these messages; default 1 MiB. At the bound reading stops. */
  readonly heldMaxBytes: number
  /**
   * Refill of one user's message bucket, all connections together, in messages per second; default 100. With an empty bucket
   * reading stops (backpressure); nothing is lost.
   */
  readonly userMessagesPerSecond: number
  /** Capacity of that bucket, in messages; default 200. */
  readonly userMessageBurst: number
  /** Refill of one user's byte bucket, all connections together, in bytes per second; default 256 KiB. Empty: reading stops. */
  readonly userBytesPerSecond: number
  /** Capacity of that bucket, in bytes; default 1 MiB. */
  readonly userByteBurst: number
  /** Messages of one `2.0` connection that were answered with `sys_invalid_message`; default 64. One more: close 1002. */
  readonly badMessagesMax: number
  /**
   * Time in which a user's messages waited for the bucket without a pause, in milliseconds; default 10,000. Then:
   * `rate_limited`, 4429.
   */
  readonly throttledMaxMs: number
  /** Time limit of a handler if the caller sends none, in milliseconds; default 10,000. Then: `timeout`. */
  readonly requestTimeoutMs: number
  /** Upper bound of the time limit that a caller may send, in milliseconds; default 60,000. A longer one is cut. */
  readonly requestTimeoutMaxMs: number
  /**
   * Grace period of a handler after its signal was aborted, in milliseconds; default 5,000. Then its request is settled as
   * `timeout`, and a late result is discarded.
   */
  readonly handlerGraceMs: number
  /** Silence after which a WebSocket ping probes the connection, in milliseconds; default 20,000. */
  readonly pingAfterMs: number
  /**
   * Time for the answer to that ping, in milliseconds; default 20,000: together with `pingAfterMs` longer than the seventh
   * retransmission of a lost segment takes. A long or uneven measured round trip, and a missed answer, raise it up to
   * `pongTimeoutMaxMs`. Then the socket is dropped, and the session is detached.
   */
  readonly pongTimeoutMs: number
  /** Upper bound of that time, in milliseconds; default 60,000. */
  readonly pongTimeoutMaxMs: number
  /**
   * Time from an accepted TCP connection to the headers of its first HTTP request, in milliseconds; default 5,000. For a
   * further request it begins after the HTTP server's `keepAliveTimeout`. On a port of `listen()` a whole request may take
   * twice as long. Later: the socket is dropped, or HTTP 408.
   */
  readonly httpTimeoutMs: number
  /**
   * TCP connections of one address that have sent no request yet; default 1,024, because Node accepts up to 511 at once
   * before it reads any. Loopback and proxies are not exempt. At the bound a new one is dropped at accept.
   */
  readonly requestlessPerAddress: number
  /**
   * On an HTTP server with other `upgrade` listeners: time in which one of them may take an upgrade for its path, in
   * milliseconds; default 5,000. Later: HTTP 404.
   */
  readonly upgradeUntakenMs: number
  /** Time limit of `close()` and of the close of any one connection, in milliseconds; default 10,000. Peers cannot extend it. */
  readonly shutdownMs: number
  /**
   * Time from the last byte sent on a closing connection to the peer's close frame, in milliseconds; default 1,000. Later:
   * the socket is dropped.
   */
  readonly closeTimeoutMs: number
}

/**
 * Lower bound of `pingAfterMs` and `pongTimeoutMs`, in milliseconds. Below it, ordinary delays would drop a live connection.
 */
export const leastHeartbeatMs = 100

/** Defaults of all server limits; each is described in `ServerLimits`. */
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
  topicReplicaMaxCount: 10_000,
  durableReplicaMaxCount: 1_000_000,
  durableReplicaMaxBytes: 256 * 1024 * 1024,
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
  queriesAtOnce: 8,
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
