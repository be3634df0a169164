// What the server counts, in one place. Plain numbers: a count costs nanoseconds, a reader samples them.

import type { DeliveryCounters } from "@hawser/protocol/core"

export interface ServerCounters extends DeliveryCounters {
  connectionsAccepted: number
  connectionsClosed: number
  /** Logins on a connection: WELCOME was sent, an error was sent, or the peer left before either. */
  handshakesAccepted: number
  handshakesRefused: number
  handshakesAbandoned: number
  sessionsOpened: number
  sessionsEnded: number
  /** Resumes: asked for, gone on with; the rest of the asked ones were refused. */
  resumesAsked: number
  sessionsResumed: number
  /** Resumes that took the session from a connection that was still bound. */
  takeovers: number
  sessionsDetached: number
  messagesReceived: number
  bytesReceived: number
  /** Broadcasts and topic publications: how often one was encoded, per profile. */
  publicationsEncoded: number
  requestsSettled: number
  requestsFailed: number
  /** Requests that waited or ran when their session ended. */
  requestsAbandoned: number
  /** Requests that were cancelled before they arrived: settled without a start. */
  requestsVoided: number
  badMessages: number
  /** Connections closed because their client acknowledged nothing, or because too much waited for an uncounted client. */
  slowConsumersClosed: number
  /** Joins of clients, those that were refused, and members that were put out. */
  topicJoins: number
  topicJoinsRefused: number
  topicMembersPutOut: number
  /** Publications of clients to topics, and those that were refused. */
  topicPublishes: number
  topicPublishesRefused: number
  /** Publications that were sent again from a history, and joins that were told of a gap. */
  topicReplays: number
  topicGaps: number
  /** Events that told members who is in their topic. */
  presenceUpdates: number
  /** Changed cells of replicas that were packed, each once for all of its viewers. */
  replicaCellsPacked: number
  /** Frames of replicas and their bytes. */
  replicaFramesSent: number
  replicaBytesSent: number
  /** Sessions that fell behind with their replicas, and ticks that they were not told of but by a later snapshot. */
  viewersConflated: number
  replicaUpdatesConflated: number
  /** Connections of which nothing was heard after a ping: no slow consumers. */
  silentConnectionsClosed: number
  throttledPauses: number
  /** Calls of `drain`, and connections that were closed because their client had not moved in time. */
  drains: number
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
