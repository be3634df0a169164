// Port of the client's copies of replicas for the session.
import type { MessageLimits } from "@hawser/protocol"
import type { ReplicaFrame, ReplicaHold, ReplicaPartsFrame } from "@hawser/protocol/core"

export interface ReplicaCopies {
  /** Returns the cells of all copies with their versions, for HAVE: those that fit into a message of these limits. */
  held(limits: MessageLimits): ReplicaHold[]
  /** Marks all copies as stale since `receivedAtMs`, the time of the last message of the lost connection. */
  detach(receivedAtMs: number): void
  /** Notes the server's description of a replica's records. */
  describe(frame: ReplicaFrame): void
  /** Applies snapshots and deltas. @throws RangeError for bytes that contradict earlier frames of this connection. */
  receive(frame: ReplicaPartsFrame): void
}
