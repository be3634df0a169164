// What a client counts, in one place. Plain numbers that never go down; `client.stats()` shows them.
import { CodeTally } from "@hawser/protocol/core"
import type { DeliveryCounters } from "@hawser/protocol/core"

export interface ClientCounters extends DeliveryCounters {
  /** Connection attempts, and those that ended in WELCOME. */
  dials: number
  welcomes: number
  sessionsOpened: number
  /** Times that a session was claimed on a new connection, and times that it went on there. */
  resumesAsked: number
  sessionsResumed: number
  /** Sessions that ended otherwise than by `close()`. */
  sessionsReset: number
  /** Open connections that were lost. */
  connectionsLost: number
  messagesReceived: number
  bytesReceived: number
  /** Times that an open connection was lost with none in its place, and those of them that ended in a connection. */
  outages: number
  reconnections: number
  /** Milliseconds without a connection between two that were open; the longest, and all together. */
  longestOutageMs: number
  outagesMs: number
  /** Requests given up because the connection was not open and their caller chose `drop`. */
  requestsDropped: number
}

export function createClientCounters(): ClientCounters {
  return {
    dials: 0,
    welcomes: 0,
    sessionsOpened: 0,
    resumesAsked: 0,
    sessionsResumed: 0,
    sessionsReset: 0,
    connectionsLost: 0,
    messagesReceived: 0,
    bytesReceived: 0,
    messagesSent: 0,
    bytesSent: 0,
    messagesReplayed: 0,
    bytesReplayed: 0,
    acksSent: 0,
    volatileDropped: 0,
    volatileConflated: 0,
    outages: 0,
    reconnections: 0,
    longestOutageMs: 0,
    outagesMs: 0,
    requestsDropped: 0,
  }
}

/** What a client counts by code. A code of the server's application has its own count up to 32 of them, then `other`. */
export interface ClientTallies {
  /** Attempts that did not end in WELCOME, by why: refused by the server, timed out, lost. */
  readonly handshakesFailed: CodeTally
  /** Sessions that the server, or this end's own check, would not go on with. */
  readonly resumesRefused: CodeTally
  /** Sessions that ended otherwise than by `close()`. */
  readonly sessionsReset: CodeTally
}

export function createClientTallies(): ClientTallies {
  const foreign = { foreignMax: 32 }
  return {
    handshakesFailed: new CodeTally(foreign),
    resumesRefused: new CodeTally(foreign),
    sessionsReset: new CodeTally(foreign),
  }
}
