// One cell of a replica: who stands in which place of it, what changed since the last tick, and that change and the whole
// as packed bytes, each made at most once however many viewers there are. Knows no sessions.
import { encodeSnapshot, writeDelta } from "@hawser/protocol/core"
import type {
  BitWriter,
  CellChange,
  CellPlace,
  CellSnapshot,
  PackedRecord,
  ReplicaSchema,
} from "@hawser/protocol/core"
import { HeldDeltas } from "./held-deltas.ts"
import type { HeldDeltasLimits } from "./held-deltas.ts"

/** A record of a replica. Its packed values are replaced, never changed, so that who holds the old ones keeps them. */
export interface Entry {
  readonly id: string
  packed: PackedRecord
  /** What it was before its last change in its cell, of those that ticks have closed. */
  before: PackedRecord
  cell: ReplicaCell
  slot: number
  /** The version of its cell that it was last changed with. */
  changedWith: number
}

/** What this tick did to a place; how it ends up is looked at when the tick is over. */
type Pending =
  | { readonly kind: "enter" | "leave" }
  | { readonly kind: "change"; readonly before: PackedRecord }

/** Bytes of a record in a snapshot that was never packed: an id of a few letters, and fields. */
const minRecordBytes = 8
/** A snapshot of more records is sent in several pieces, so that no frame grows without a bound. */
const snapshotPieceRecords = 256

export class ReplicaCell {
  readonly x: number
  readonly y: number
  /** How many look at it. */
  viewers = 0
  readonly #schema: ReplicaSchema
  readonly #slots: (Entry | undefined)[] = []
  readonly #free: number[] = []
  readonly #pending = new Map<number, Pending>()
  readonly #held: HeldDeltas
  /** Bytes of a record in the last snapshot: what a snapshot of now would about be follows from it. */
  #recordBytes = minRecordBytes
  /** Of the current version. */
  #snapshot: readonly Uint8Array[] | undefined
  #version: number
  #size = 0

  // oxlint-disable-next-line eslint/max-params -- made in one place
  constructor(schema: ReplicaSchema, { x, y }: CellPlace, version: number, limits: HeldDeltasLimits) {
    this.#schema = schema
    this.x = x
    this.y = y
    this.#version = version
    this.#held = new HeldDeltas(limits)
  }

  /** Rises by one with each tick that changed something here. */
  get version(): number {
    return this.#version
  }

  /** Records that are here now. */
  get size(): number {
    return this.#size
  }

  /** True when something was changed that no tick has closed yet. */
  get isDirty(): boolean {
    return this.#pending.size > 0
  }

  enter(entry: Entry): void {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = entry
    this.#pending.set(slot, { kind: "enter" })
    this.#size += 1
    entry.cell = this
    entry.slot = slot
  }

  /** The entry is about to get new values. */
  change({ slot, packed }: Entry): void {
    if (!this.#pending.has(slot)) this.#pending.set(slot, { kind: "change", before: packed })
  }

  leave({ slot }: Entry): void {
    const isNew = this.#pending.get(slot)?.kind === "enter"
    this.#slots[slot] = undefined
    this.#size -= 1
    if (isNew) {
      // Nobody was told of it. Its place may have been left in this very tick, but then it would not have been free.
      this.#pending.delete(slot)
      this.#free.push(slot)
    } else {
      this.#pending.set(slot, { kind: "leave" })
    }
  }

  /**
   * Closes the tick. Returns true if the cell has changed. Without viewers nothing is packed. If a field throws while it is
   * packed, the tick is closed all the same, and viewers are due a snapshot.
   */
  commit(writer: BitWriter, nowMs: number): boolean {
    const changes = this.#changes()
    this.#pending.clear()
    if (changes.length === 0) return false
    this.#version += 1
    this.#snapshot = undefined
    if (this.viewers === 0) {
      this.#held.clear()
    } else {
      try {
        writeDelta(writer, this.#schema, { changes, size: this.#size })
        this.#held.add(writer, nowMs)
      } catch (error) {
        writer.clear()
        this.#held.clear()
        throw error
      }
    }
    return true
  }

  /** True if the changes from this version to the current one are held. */
  holdsSince(version: number): boolean {
    return version <= this.#version && version >= this.#version - this.#held.count
  }

  /**
   * The changes from this version to the current one, oldest first, in memory that is reused with the next tick. Undefined if
   * they are not held, or are longer than a snapshot would about be.
   */
  deltasSince(version: number): Iterable<Uint8Array> | undefined {
    if (!this.holdsSince(version)) return undefined
    const count = this.#version - version
    if (count > 1 && this.#held.bytesOfLast(count) > this.#size * this.#recordBytes) return undefined
    return this.#held.read(count)
  }

  /** The change of the last tick; undefined if it is not held. */
  get lastDelta(): Uint8Array | undefined {
    return this.#held.lastDelta
  }

  /** Memory of the changes that are held. */
  get heldBytes(): number {
    return this.#held.heldBytes
  }

  /** Drops held changes that are too old. Returns true if some are left. */
  expireDeltas(nowMs: number): boolean {
    this.#held.expire(nowMs)
    return this.#held.count > 0
  }

  /** The last viewer has left: what was packed for viewers is dropped. */
  forget(): void {
    this.#held.clear()
    this.#snapshot = undefined
  }

  /** Everything that is here, in pieces; packed once per version. */
  snapshot(writer: BitWriter): readonly Uint8Array[] {
    try {
      this.#snapshot ??= this.#pack(writer)
      return this.#snapshot
    } catch (error) {
      writer.clear()
      throw error
    }
  }

  #pack(writer: BitWriter): readonly Uint8Array[] {
    const records = this.#slots.flatMap((entry, slot) =>
      entry === undefined ? [] : [{ slot, id: entry.id, record: entry.packed, before: entry.before }],
    )
    const pieces: Uint8Array[] = []
    for (let from = 0; from === 0 || from < records.length; from += snapshotPieceRecords) {
      const piece: CellSnapshot = {
        x: this.x,
        y: this.y,
        version: this.#version,
        isFirst: from === 0,
        records: records.slice(from, from + snapshotPieceRecords),
      }
      pieces.push(encodeSnapshot(writer, this.#schema, piece))
    }
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.#recordBytes = Math.max(minRecordBytes, bytes / Math.max(1, records.length))
    return pieces
  }

  /** Who is here, by place. */
  entries(): Entry[] {
    return this.#slots.filter((entry) => entry !== undefined)
  }

  #changes(): CellChange[] {
    const changes: CellChange[] = []
    for (const slot of [...this.#pending.keys()].toSorted((a, b) => a - b)) {
      const pending = this.#pending.get(slot)
      const entry = this.#slots[slot]
      if (pending?.kind === "leave") {
        this.#free.push(slot)
        changes.push({ kind: "leave", slot })
      } else if (entry !== undefined && pending?.kind === "enter") {
        entry.changedWith = this.#version + 1
        entry.before = entry.packed
        changes.push({ kind: "enter", slot, id: entry.id, record: entry.packed })
      } else if (entry !== undefined && pending?.kind === "change") {
        const mask = changedMask(pending.before, entry.packed)
        if (mask === 0) continue
        entry.changedWith = this.#version + 1
        const was = { record: pending.before, before: entry.before }
        entry.before = pending.before
        changes.push({ kind: "change", slot, mask, record: entry.packed, was })
      }
    }
    return changes
  }
}

/** One bit for each field that differs. */
export function changedMask(before: PackedRecord, after: PackedRecord): number {
  let mask = 0
  for (let place = 0; place < after.length; place += 1) {
    if (before[place] !== after[place]) mask |= 1 << place
  }
  return mask
}
