// How many of the cells that a client holds fit into one HAVE. The server sends snapshots of all others.
import type { MessageLimits } from "@hawser/protocol"
import type { ReplicaHold } from "@hawser/protocol/core"

/** x, y and the version: three numbers of nine bytes at most. */
const cellElements = 3
const cellBytes = 27
/** The frame, its array and the list. */
const frameElements = 1
const frameBytes = 12
/** The array of one replica with its fields, and the array of its cells, without texts. */
const holdElements = 5
const holdBytes = 32
/** UTF-8 of one UTF-16 unit. */
const unitMaxBytes = 3

/** The first cells that a message of these limits holds. */
export function fittingHolds(held: readonly ReplicaHold[], limits: MessageLimits): ReplicaHold[] {
  let elements = limits.maxElements - frameElements
  let bytes = limits.maxBytes - frameBytes
  const fitting: ReplicaHold[] = []
  for (const hold of held) {
    const { replica, epoch = "", topic = "", cells } = hold
    elements -= holdElements
    bytes -= holdBytes + unitMaxBytes * (replica.length + epoch.length + topic.length)
    const count = Math.floor(Math.min(elements / cellElements, bytes / cellBytes))
    if (count < 1) break
    const kept = cells.length <= count ? cells : cells.slice(0, count)
    elements -= cellElements * kept.length
    bytes -= cellBytes * kept.length
    fitting.push({ ...hold, cells: kept })
  }
  return fitting
}
