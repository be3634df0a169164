// The counters of a client: plain numbers that never decrease. `client.stats()` returns them.
import { CodeTally } from "@hawser/protocol/core"
import type { DeliveryCounters } from "@hawser/protocol/core"

/** Counters of a client since `createClient`. They begin at 0, never decrease, and are not bounded. */
export interface ClientCounters extends DeliveryCounters {
  /** Connection attempts. */
  dials: number
  /** Attempts that ended in WELCOME. */
  welcomes: number
  /** New sessions. */
  sessionsOpened: number
  /** HELLO messages with a resume claim. */
  resumesAsked: number
  /** Sessions resumed on a new connection. */
  sessionsResumed: number
  /** Ended sessions; those ended by `close()` excluded. */
  sessionsReset: number
  /** Lost open connections; those closed by `close()` excluded. */
  connectionsLost: number
  /** Messages received, control frames included. */
  messagesReceived: number
  /** Bytes of these messages. */
  bytesReceived: number
  /** Losses of an open connection without another one in its place. */
  outages: number
  /** Outages that ended in a connection. */
  reconnections: number
  /** Longest outage, in milliseconds; the current one excluded. */
  longestOutageMs: number
  /** All outages together, in milliseconds; the current one excluded. */
  outagesMs: number
  /** Requests with `whenOffline: "drop"` that were dropped because no connection was open. */
  requestsDropped: number
  /** Received events that the contract lacks, of a newer server. They are dropped. */
  eventsUnknown: number
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
    eventsUnknown: 0,
  }
}

/** Counts by error code. The first 32 codes of the server's application have their own count; all others share `other`. */
export interface ClientTallies {
  /** Attempts that did not end in WELCOME: refused by the server, timed out, lost. */
  readonly handshakesFailed: CodeTally
  /** Resumes that the server, or the client's own check, refused. */
  readonly resumesRefused: CodeTally
  /** Ended sessions; those ended by `close()` excluded. */
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
