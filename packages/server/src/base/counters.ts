// Counters of a server. Plain numbers: a count costs nanoseconds, and `stats()` copies them.
import type { DeliveryCounters } from "@hawser/protocol/core"

/** Counters of a server since it was created. They never decrease and have no bound. */
export class ServerCounters implements DeliveryCounters {
  /** Number of messages of all kinds that were written to connections, replays included. */
  messagesSent = 0
  /** Bytes of these messages, without WebSocket headers. */
  bytesSent = 0
  /** Reliable messages sent again after a resume. */
  messagesReplayed = 0
  /** Bytes of these messages. */
  bytesReplayed = 0
  /** ACK frames sent. */
  acksSent = 0
  /** Volatile messages without a key that were dropped: the connection was slow or the session detached. */
  volatileDropped = 0
  /** Queued volatile values that were replaced by a later value of their key, or evicted above `volatileSlots`. */
  volatileConflated = 0
  /** Accepted connections, with or without a session. */
  connectionsAccepted = 0
  /** Closed ones of these connections. */
  connectionsClosed = 0
  /** Number of log-ins that got a session: WELCOME was sent. */
  handshakesAccepted = 0
  /** Number of log-ins that an error refused. */
  handshakesRefused = 0
  /** Connections that the peer closed before the outcome of its log-in. */
  handshakesAbandoned = 0
  /** Opened sessions. */
  sessionsOpened = 0
  /** Ended sessions. */
  sessionsEnded = 0
  /** Resume claims; the ones that did not resume a session were refused. */
  resumesAsked = 0
  /** Claims that resumed a session. */
  sessionsResumed = 0
  /** Resumes of a session that was still attached to another connection. */
  takeovers = 0
  /** Lost connections of sessions that wait for a resume. */
  sessionsDetached = 0
  /** Messages received by sessions. */
  messagesReceived = 0
  /** Bytes of these messages, without WebSocket headers. */
  bytesReceived = 0
  /** Encodings of events, broadcasts and topic publications: one for each profile of the recipients. */
  publicationsEncoded = 0
  /** Requests that were settled, with a result or an error. */
  requestsSettled = 0
  /** Requests that were settled with an error. */
  requestsFailed = 0
  /** Requests that waited or ran at the end of their session. */
  requestsAbandoned = 0
  /** Requests that were cancelled before they arrived, and settled without a start. */
  requestsVoided = 0
  /** Messages that break the protocol. */
  badMessages = 0
  /** Connections closed with `slow_consumer`: no acknowledgement within `ackProgressMs`, or in `2.0` more than `outboundMaxBytes20`. */
  slowConsumersClosed = 0
  /** Topics that clients joined. */
  topicJoins = 0
  /** Joins of clients that were refused. */
  topicJoinsRefused = 0
  /** Members that the server removed: by `unsubscribe`, or by `canJoin` after a resume or a renewed token. */
  topicMembersPutOut = 0
  /** Publications of clients to topics. */
  topicPublishes = 0
  /** Publications of clients that were refused. */
  topicPublishesRefused = 0
  /** Publications that were replayed from a history to a joining client. */
  topicReplays = 0
  /** Joins with a gap: the history no longer had all publications after the client's position. */
  topicGaps = 0
  /** Number of `$presence` events, one for each topic and batch. */
  presenceUpdates = 0
  /** Changed cells of replicas that were encoded, each once for all viewers. */
  replicaCellsPacked = 0
  /** Replica frames sent. */
  replicaFramesSent = 0
  /** Bytes of these frames. */
  replicaBytesSent = 0
  /** Sessions whose views fell behind, because their socket or link was at its high-water mark. */
  viewersConflated = 0
  /** Ticks that such a session did not receive; a later snapshot contains their changes. */
  replicaUpdatesConflated = 0
  /** Connections closed because a ping had no answer. They are not counted as slow consumers. */
  silentConnectionsClosed = 0
  /** Pauses of a session's input because its user exceeded a message or byte rate. */
  throttledPauses = 0
  /** Calls of `drain`. */
  drains = 0
  /** Connections that `drain` closed because their client had not moved in time. */
  drainOverdue = 0
}
