// Statistics of a server beyond plain counters: refusals and ends by cause, attached and detached times, calls. One object per
// server, passed to every part that counts.
import { CodeTally } from "@hawser/protocol/core"
import type { Clock } from "@hawser/protocol"
import { AttachmentTimes } from "./attachment-times.ts"
import { CallStats } from "./call-stats.ts"

const upgradeRefusals = [
  "path",
  "shutting_down",
  "headers",
  "origin",
  "subprotocol",
  "address_connections",
  "logins_under_way",
] as const

/** Reason for refusing an upgrade to a WebSocket. */
export type UpgradeRefusal = (typeof upgradeRefusals)[number]

const socketDrops = ["silent", "crowded"] as const

/**
 * Reason for dropping a TCP connection before its first request. `silent`: no complete request in time. `crowded`: too many
 * connections of its address have sent no request.
 */
export type SocketDrop = (typeof socketDrops)[number]

/** Codes of the application with a row of their own among refused log-ins. Further ones count as `other`. */
const ownRefusalsMax = 32

/** Causes of an end that are not in the error table. */
const plainEnds = ["closed", "text_message"]

/** Tallies by cause, and times, of one server. */
export type Health = Readonly<ReturnType<typeof createHealth>>

export function createHealth(callNames: Iterable<string>, clock: Clock) {
  return {
    upgradesRefused: new CodeTally({ known: upgradeRefusals }),
    socketsDropped: new CodeTally({ known: socketDrops }),
    handshakesRefused: new CodeTally({ known: plainEnds, foreignMax: ownRefusalsMax }),
    /** Only codes of the error table have a row: a client may send any cause. */
    resumesRefused: new CodeTally({ known: plainEnds }),
    sessionsEnded: new CodeTally({ known: plainEnds }),
    attachments: new AttachmentTimes(clock),
    callStats: new CallStats(callNames),
  }
}
