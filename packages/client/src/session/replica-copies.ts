// The client's copies of replicas, as the session sees them.
import type { ReplicaFrame, ReplicaHold, ReplicaPartsFrame } from "@hawser/protocol/core"

export interface ReplicaCopies {
  /** What a server that is asked to go on with the session may take for known. */
  held(): ReplicaHold[]
  /** The connection is gone; its last message came at `heardAtMs`. */
  detach(heardAtMs: number): void
  /** Takes the server's description of a replica's records. */
  describe(frame: ReplicaFrame): void
  /** @throws RangeError for bytes that cannot be what this server sent before. */
  receive(frame: ReplicaPartsFrame): void
}
