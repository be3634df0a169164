// Selects the cells that fit into one HAVE frame. The server sends snapshots of all others. Must not know sessions.
import type { MessageLimits } from "@hawser/protocol"
import type { ReplicaHold } from "@hawser/protocol/core"

/** Elements and bytes of one cell: x, y and the version, at most nine bytes each. */
const cellElements = 3
const cellBytes = 27
/** Elements and bytes of the frame, its array and the list. */
const frameElements = 1
const frameBytes = 12
/** Elements and bytes of one replica's array and of its array of cells, without texts. */
const holdElements = 5
const holdBytes = 32
/** Most UTF-8 bytes of one UTF-16 unit. */
const unitMaxBytes = 3

/** Returns the first cells that fit into a message of these limits. */
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
