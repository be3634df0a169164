// One cell of a replica: who stands in which place of it, what changed since the last tick, and that change and the whole
// as packed bytes, each made at most once however many viewers there are. Knows no sessions.
import { BitWriter, encodeDelta, encodeSnapshot } from "@hawser/protocol"
import type { CellChange, CellSnapshot, PackedRecord, ReplicaSchema } from "@hawser/protocol"

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

interface HeldDelta {
  /** The cell's version after it. */
  readonly version: number
  readonly bytes: Uint8Array
}

/** What clients that come back may have missed: beyond this a snapshot is not much more. */
const heldDeltasMaxBytes = 4_096
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
  #held: HeldDelta[] = []
  #heldBytes = 0
  #snapshot: { readonly version: number; readonly pieces: readonly Uint8Array[] } | undefined
  #version: number
  #size = 0

  // oxlint-disable-next-line eslint/max-params -- made in one place
  constructor(schema: ReplicaSchema, x: number, y: number, version: number) {
    this.#schema = schema
    this.x = x
    this.y = y
    this.#version = version
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
   * Closes the tick. True when viewers have something to be told.
   * @param isViewed where nobody looks nothing is packed.
   */
  commit(writer: BitWriter, isViewed: boolean): boolean {
    const changes = this.#changes()
    this.#pending.clear()
    if (changes.length === 0) return false
    this.#version += 1
    if (isViewed)
      this.#hold({
        version: this.#version,
        bytes: encodeDelta(writer, this.#schema, { changes, size: this.#size }),
      })
    else this.#forgetDeltas()
    return true
  }

  /** What leads from this version to the one of now, oldest first; undefined when it is not held any more. */
  deltasSince(version: number): readonly HeldDelta[] | undefined {
    if (version === this.#version) return []
    const first = this.#held[0]
    if (first === undefined || version < first.version - 1 || version > this.#version) return undefined
    return this.#held.slice(version - first.version + 1)
  }

  /** The change of the last tick. */
  get lastDelta(): Uint8Array | undefined {
    return this.#held.at(-1)?.bytes
  }

  /** Everything that is here, in pieces; packed once per version. */
  snapshot(writer: BitWriter): readonly Uint8Array[] {
    if (this.#snapshot?.version === this.#version) return this.#snapshot.pieces
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
    this.#snapshot = { version: this.#version, pieces }
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

  #hold(delta: HeldDelta): void {
    this.#held.push(delta)
    this.#heldBytes += delta.bytes.length
    while (this.#heldBytes > heldDeltasMaxBytes && this.#held.length > 1)
      this.#heldBytes -= this.#held.shift()?.bytes.length ?? 0
  }

  #forgetDeltas(): void {
    this.#held = []
    this.#heldBytes = 0
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
