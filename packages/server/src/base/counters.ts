// Counters of a server. Plain numbers: a count costs nanoseconds, and `stats()` copies them.
import type { DeliveryCounters } from "@hawser/protocol/core"

/** Counters of a server since it was created. They never decrease and have no bound. */
export interface ServerCounters extends DeliveryCounters {
  /** Number of messages of all kinds that were written to connections, replays included. */
  messagesSent: number
  /** Bytes of these messages, without WebSocket headers. */
  bytesSent: number
  /** Reliable messages sent again after a resume. */
  messagesReplayed: number
  /** Bytes of these messages. */
  bytesReplayed: number
  /** ACK frames sent. */
  acksSent: number
  /** Volatile messages without a key that were dropped: the connection was slow or the session detached. */
  volatileDropped: number
  /** Queued volatile values that were replaced by a later value of their key, or evicted above `volatileSlots`. */
  volatileConflated: number
  /** Accepted connections, with or without a session. */
  connectionsAccepted: number
  /** Closed ones of these connections. */
  connectionsClosed: number
  /** Number of log-ins that got a session: WELCOME was sent. */
  handshakesAccepted: number
  /** Number of log-ins that an error refused. */
  handshakesRefused: number
  /** Connections that the peer closed before the outcome of its log-in. */
  handshakesAbandoned: number
  /** Opened sessions. */
  sessionsOpened: number
  /** Ended sessions. */
  sessionsEnded: number
  /** Resume claims; the ones that did not resume a session were refused. */
  resumesAsked: number
  /** Claims that resumed a session. */
  sessionsResumed: number
  /** Resumes of a session that was still attached to another connection. */
  takeovers: number
  /** Lost connections of sessions that wait for a resume. */
  sessionsDetached: number
  /** Messages received by sessions. */
  messagesReceived: number
  /** Bytes of these messages, without WebSocket headers. */
  bytesReceived: number
  /** Encodings of events, broadcasts and topic publications: one for each profile of the recipients. */
  publicationsEncoded: number
  /** Requests that were settled, with a result or an error. */
  requestsSettled: number
  /** Requests that were settled with an error. */
  requestsFailed: number
  /** Requests that waited or ran at the end of their session. */
  requestsAbandoned: number
  /** Requests that were cancelled before they arrived, and settled without a start. */
  requestsVoided: number
  /** Messages that break the protocol. */
  badMessages: number
  /** Connections closed with `slow_consumer`: no acknowledgement within `ackProgressMs`, or in `2.0` more than `outboundMaxBytes20`. */
  slowConsumersClosed: number
  /** Topics that clients joined. */
  topicJoins: number
  /** Joins of clients that were refused. */
  topicJoinsRefused: number
  /** Members that the server removed: by `unsubscribe`, or by `canJoin` after a resume or a renewed token. */
  topicMembersPutOut: number
  /** Publications of clients to topics. */
  topicPublishes: number
  /** Publications of clients that were refused. */
  topicPublishesRefused: number
  /** Publications that were replayed from a history to a joining client. */
  topicReplays: number
  /** Joins with a gap: the history no longer had all publications after the client's position. */
  topicGaps: number
  /** Number of `$presence` events, one for each topic and batch. */
  presenceUpdates: number
  /** Changed cells of replicas that were encoded, each once for all viewers. */
  replicaCellsPacked: number
  /** Replica frames sent. */
  replicaFramesSent: number
  /** Bytes of these frames. */
  replicaBytesSent: number
  /** Sessions whose views fell behind, because their socket or link was at its high-water mark. */
  viewersConflated: number
  /** Ticks that such a session did not receive; a later snapshot contains their changes. */
  replicaUpdatesConflated: number
  /** Connections closed because a ping had no answer. They are not counted as slow consumers. */
  silentConnectionsClosed: number
  /** Pauses of a session's input because its user exceeded a message or byte rate. */
  throttledPauses: number
  /** Calls of `drain`. */
  drains: number
  /** Connections that `drain` closed because their client had not moved in time. */
  drainOverdue: number
}

export function createCounters(): ServerCounters {
  return {
    connectionsAccepted: 0,
    connectionsClosed: 0,
    handshakesAccepted: 0,
    handshakesRefused: 0,
    handshakesAbandoned: 0,
    sessionsOpened: 0,
    sessionsEnded: 0,
    resumesAsked: 0,
    sessionsResumed: 0,
    takeovers: 0,
    sessionsDetached: 0,
    messagesReplayed: 0,
    bytesReplayed: 0,
    acksSent: 0,
    messagesReceived: 0,
    bytesReceived: 0,
    messagesSent: 0,
    bytesSent: 0,
    publicationsEncoded: 0,
    requestsSettled: 0,
    requestsFailed: 0,
    requestsAbandoned: 0,
    requestsVoided: 0,
    badMessages: 0,
    volatileDropped: 0,
    volatileConflated: 0,
    slowConsumersClosed: 0,
    topicJoins: 0,
    topicJoinsRefused: 0,
    topicMembersPutOut: 0,
    topicPublishes: 0,
    topicPublishesRefused: 0,
    topicReplays: 0,
    topicGaps: 0,
    presenceUpdates: 0,
    replicaCellsPacked: 0,
    replicaFramesSent: 0,
    replicaBytesSent: 0,
    viewersConflated: 0,
    replicaUpdatesConflated: 0,
    silentConnectionsClosed: 0,
    throttledPauses: 0,
    drains: 0,
    drainOverdue: 0,
  }
}
