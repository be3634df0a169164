// Pages of durable replicas in a journal. Changes are noted, and written once for a turn, with the values at its end: a reply is
// kept in the same record as the changes before it. Must not know cells, viewers and files.
import type { PackedRecord } from "@hawser/protocol/core"
import { changedMask } from "../replicas/replica-cell.ts"
import type { Entry } from "../replicas/replica-cell.ts"
import type { KeptRecords, ReplicaLedger, ReplicaPage } from "../replicas/replica-ledger.ts"
import type { Journal, Noted, Statement } from "./journal.ts"
import type { OperationWriter } from "./operations.ts"
import { writeRecords, writeReplica, writeReplicaEnded } from "./replica-operations.ts"
import type { RecordChange } from "./replica-operations.ts"

/** Records of one statement of a round. */
const statedRecords = 32

/** Numbers of a replica in the journal of an earlier process. */
export interface KeptNumbers {
  /** Number of the replica. */
  readonly number: number
  /** Highest number of its records. */
  readonly lastRecord: number
}

type Notes = Pick<Journal, "mark" | "note">

export class DurableReplicas implements ReplicaLedger {
  readonly #journal: Notes
  readonly #pages = new Map<KeptRecords, Page>()
  #lastNumber = 0

  constructor(journal: Notes) {
    this.#journal = journal
  }

  follow(store: KeptRecords): ReplicaPage {
    const page = new Page(store, this.#journal, {
      nextNumber: () => (this.#lastNumber += 1),
      ended: () => this.#pages.delete(store),
    })
    this.#pages.set(store, page)
    return page
  }

  /** Continues the page of a store whose records an earlier process kept. */
  continue(store: KeptRecords, numbers: KeptNumbers): void {
    this.#pages.get(store)?.continue(numbers)
  }

  /** The numbers up to this one are given to replicas of earlier processes. */
  continueAfter(lastNumber: number): void {
    this.#lastNumber = lastNumber
  }

  /** Yields the statements of all replicas that have had records. */
  *statements(): Generator<Statement, void> {
    for (const page of this.#pages.values()) yield* page.statements()
  }
}

interface PageHost {
  readonly nextNumber: () => number
  readonly ended: () => void
}

/** Page of one replica. */
class Page implements ReplicaPage, Noted {
  isMarked = false
  readonly #store: KeptRecords
  readonly #journal: Notes
  readonly #host: PageHost
  /** Records that changed in the turn, with the values before it; undefined for a new one. */
  readonly #changed = new Map<Entry, PackedRecord | undefined>()
  /** 0 before the first change. */
  #number = 0
  #lastRecord = 0
  /** True if the journal has the operation that names the replica. */
  #isNamed = false
  #hasEnded = false

  constructor(store: KeptRecords, journal: Notes, host: PageHost) {
    this.#store = store
    this.#journal = journal
    this.#host = host
  }

  continue({ number, lastRecord }: KeptNumbers): void {
    this.#number = number
    this.#lastRecord = lastRecord
    this.#isNamed = true
  }

  changed(entry: Entry, before: PackedRecord | undefined): void {
    if (this.#number === 0) this.#number = this.#host.nextNumber()
    if (entry.number === 0) entry.number = this.#lastRecord += 1
    if (!this.#changed.has(entry)) this.#changed.set(entry, before)
    this.#journal.mark(this, true)
  }

  ended(): void {
    this.#hasEnded = true
    this.#changed.clear()
    this.#host.ended()
    if (this.#isNamed) this.#journal.note((writer) => writeReplicaEnded(writer, this.#number))
  }

  /** Writes the changes of the turn. */
  write(writer: OperationWriter): void {
    this.isMarked = false
    const changes = [...this.#changed].flatMap(([entry, before]) => this.#changeOf(entry, before) ?? [])
    this.#changed.clear()
    if (changes.length === 0) return
    if (!this.#isNamed) this.#name(writer)
    writeRecords(writer, this.#reference, changes)
  }

  #changeOf(entry: Entry, before: PackedRecord | undefined): RecordChange | undefined {
    const { number, id, packed } = entry
    if (!this.#store.holds(entry)) return before && { kind: "removed", number, packed }
    if (before === undefined) return { kind: "whole", number, id, packed }
    const mask = changedMask(before, packed)
    return mask === 0 ? undefined : { kind: "changed", number, packed, mask }
  }

  *statements(): Generator<Statement, void> {
    if (this.#number === 0) return
    yield (writer) => this.#name(writer)
    let stated: Entry[] = []
    for (const entry of this.#store.stored()) {
      stated.push(entry)
      if (stated.length < statedRecords) continue
      const part = stated
      yield (writer) => this.#state(writer, part)
      stated = []
    }
    yield (writer) => this.#state(writer, stated)
  }

  #name(writer: OperationWriter): void {
    if (this.#hasEnded) return
    this.#isNamed = true
    const { topic, name, schema } = this.#store
    writeReplica(writer, { number: this.#number, topic, name, schema })
  }

  /** States the records of a part that have not been removed since. */
  #state(writer: OperationWriter, part: readonly Entry[]): void {
    if (this.#hasEnded) return
    const changes = part.flatMap((entry): RecordChange[] => {
      const { number, id, packed } = entry
      return this.#store.holds(entry) ? [{ kind: "whole", number, id, packed }] : []
    })
    if (changes.length > 0) writeRecords(writer, this.#reference, changes)
  }

  get #reference() {
    return { number: this.#number, schema: this.#store.schema }
  }
}
