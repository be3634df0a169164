// Port for a ledger of durable replicas, which keeps their records beyond this process. Must not know journals.
import type { PackedRecord, ReplicaSchema } from "@hawser/protocol/core"
import type { Entry } from "./replica-cell.ts"

/** Records of a durable replica, as a ledger reads them. */
export interface KeptRecords {
  /** Topic that the replica belongs to; undefined for a replica of the server. */
  readonly topic: string | undefined
  readonly name: string
  readonly schema: ReplicaSchema
  /** Iterates the records. */
  stored(): IterableIterator<Entry>
  /** Returns true if the record has not been removed. */
  holds(entry: Entry): boolean
}

/** Page of one durable replica in a ledger. */
export interface ReplicaPage {
  /** Called after each change of a record. @param before values before the change; undefined for a new record. */
  changed(entry: Entry, before: PackedRecord | undefined): void
  /** Called when the replica ends with its topic. */
  ended(): void
}

/** Notes the changes of durable replicas. */
export interface ReplicaLedger {
  /** Begins the page of a replica that has no records. */
  follow(records: KeptRecords): ReplicaPage
}
