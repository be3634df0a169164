// What a server knows of the health of its connections beyond plain counters: outcomes by their cause, stays and absences, and
// how requests went. One per server, passed to whoever has something to count.
import { CodeTally } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { AttachmentTimes } from "./attachment-times.ts"
import { CallStats } from "./call-stats.ts"

/** Why an upgrade to a WebSocket was refused before there was a connection. */
export type UpgradeRefusal =
  | "path"
  | "shutting_down"
  | "headers"
  | "origin"
  | "subprotocol"
  | "address_connections"
  | "logins_under_way"

const upgradeRefusals: readonly UpgradeRefusal[] = [
  "path",
  "shutting_down",
  "headers",
  "origin",
  "subprotocol",
  "address_connections",
  "logins_under_way",
]

/**
 * Why a TCP connection was dropped before a request came. `silent`: no whole one in time. `crowded`: too many of its
 * address wait for their first.
 */
export type SocketDrop = "silent" | "crowded"

const socketDrops: readonly SocketDrop[] = ["silent", "crowded"]

/** Codes that a hook of the application may refuse a login with, and that are counted by themselves. */
const ownRefusalsMax = 32

/** Ends that have no row in the error table. */
const plainEnds = ["closed", "text_message"]

export interface Health {
  readonly upgradesRefused: CodeTally
  readonly socketsDropped: CodeTally
  readonly handshakesRefused: CodeTally
  /** A cause may come from a client, so only those of the table are told apart. */
  readonly resumesRefused: CodeTally
  readonly sessionsEnded: CodeTally
  readonly attachments: AttachmentTimes<object>
  readonly callStats: CallStats
}

export function createHealth(callNames: Iterable<string>, clock: Clock): Health {
  return {
    upgradesRefused: new CodeTally({ known: upgradeRefusals }),
    socketsDropped: new CodeTally({ known: socketDrops }),
    handshakesRefused: new CodeTally({ known: plainEnds, foreignMax: ownRefusalsMax }),
    resumesRefused: new CodeTally({ known: plainEnds }),
    sessionsEnded: new CodeTally({ known: plainEnds }),
    attachments: new AttachmentTimes(clock),
    callStats: new CallStats(callNames),
  }
}
