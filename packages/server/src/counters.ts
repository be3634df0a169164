// What the server counts, in one place. Plain numbers: a count costs nanoseconds, a reader samples them.

export interface ServerCounters {
  connectionsAccepted: number
  connectionsClosed: number
  authenticationsSucceeded: number
  authenticationsFailed: number
  sessionsOpened: number
  sessionsEnded: number
  messagesReceived: number
  bytesReceived: number
  messagesSent: number
  bytesSent: number
  /** Broadcasts and topic publications: how often one was encoded, per profile. */
  publicationsEncoded: number
  requestsSettled: number
  requestsFailed: number
  badMessages: number
  volatileDropped: number
  volatileConflated: number
  slowConsumersClosed: number
  throttledPauses: number
}

export function createCounters(): ServerCounters {
  return {
    connectionsAccepted: 0,
    connectionsClosed: 0,
    authenticationsSucceeded: 0,
    authenticationsFailed: 0,
    sessionsOpened: 0,
    sessionsEnded: 0,
    messagesReceived: 0,
    bytesReceived: 0,
    messagesSent: 0,
    bytesSent: 0,
    publicationsEncoded: 0,
    requestsSettled: 0,
    requestsFailed: 0,
    badMessages: 0,
    volatileDropped: 0,
    volatileConflated: 0,
    slowConsumersClosed: 0,
    throttledPauses: 0,
  }
}
