// What one session sees of one replica: its areas, the cells in view, and of each cell the version that the client has.
// From these alone the next frame follows, so nothing that must be told can be lost: not a change, and not a drop.
import { cellsInRange, encodePlace, partKind, staysInView } from "@hawser/protocol/core"
import type { CellPlace } from "@hawser/protocol/core"
import type { ReplicaCell } from "./replica-cell.ts"
import type { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import type { ReplicaStore } from "./replica-store.ts"

/** One look at a replica: around a place, or at all of it. */
export interface ViewArea {
  /** Undefined while it shows nothing: what it follows is not there. */
  centre: CellPlace | undefined
}

/** A cell in the view of one session. */
interface ViewedCell {
  readonly cell: ReplicaCell
  /** The number by which the client knows it; undefined until it was told of it. */
  number: number | undefined
  /** The version that the client has; undefined when it must be given a snapshot. */
  version: number | undefined
}

/** What a client that came back still holds: the version of each cell, by its place. */
export type HeldCells = ReadonlyMap<string, number>

export class ReplicaViewer {
  readonly store: ReplicaStore
  readonly #areas = new Set<ViewArea>()
  readonly #cells = new Map<ReplicaCell, ViewedCell>()
  /** The same, for the look at each of them in every tick. */
  #viewed: readonly ViewedCell[] = []
  readonly #freeNumbers: number[] = []
  #numbers = 0
  /** Cells that the client was told of and that are out of view. */
  #dropped: number[] = []
  /** True until the client was told that the numbers begin anew. */
  #isFresh = true

  constructor(store: ReplicaStore) {
    this.store = store
  }

  /** True while the client must be told something. */
  get hasUpdate(): boolean {
    if (this.#isFresh || this.#dropped.length > 0) return true
    return this.#viewed.some(({ cell, version }) => version !== cell.version)
  }

  /** Changes of cells that the client was shown and that it was not sent. */
  get versionsBehind(): number {
    let behind = 0
    for (const { cell, version } of this.#viewed) if (version !== undefined) behind += cell.version - version
    return behind
  }

  get areaCount(): number {
    return this.#areas.size
  }

  get cellCount(): number {
    return this.#cells.size
  }

  add(area: ViewArea): void {
    this.#areas.add(area)
    this.look()
  }

  delete(area: ViewArea): void {
    this.#areas.delete(area)
    this.look()
  }

  /** An area was moved: cells come into view and leave it. */
  look(): void {
    const range = this.store.area?.range ?? 0
    const centres = [...this.#areas].flatMap(({ centre }) => centre ?? [])
    for (const cell of this.#cells.keys()) {
      if (!centres.some((centre) => staysInView(cell, centre, range))) this.#leave(cell)
    }
    for (const centre of centres) {
      for (const place of cellsInRange(centre, range)) this.#enter(this.store.cellAt(place))
    }
    this.#viewed = [...this.#cells.values()]
  }

  /** The client is on a new connection: nothing is known of what it has until it says so. */
  begin(): void {
    this.#isFresh = true
    this.#dropped = []
    this.#freeNumbers.length = 0
    this.#numbers = 0
    for (const viewed of this.#cells.values()) {
      viewed.number = undefined
      viewed.version = undefined
    }
  }

  /** What the client says that it still holds: these cells need only what it missed. */
  hold(held: HeldCells): void {
    for (const viewed of this.#cells.values()) {
      const version = held.get(`${viewed.cell.x},${viewed.cell.y}`)
      if (version !== undefined && viewed.cell.holdsSince(version)) viewed.version = version
    }
  }

  /** The session has ended. */
  end(): void {
    this.#areas.clear()
    this.look()
  }

  /** Writes what the client must be told; afterwards it counts as sent. */
  writeTo(frame: ReplicaFrameWriter): void {
    frame.begin(this.#isFresh)
    const { writer } = this.store
    if (this.#isFresh) {
      this.#isFresh = false
      // What is kept must stand in the frame that begins anew: whatever it does not name is gone at the client.
      for (const viewed of this.#cells.values()) {
        if (viewed.version === undefined) continue
        viewed.number = this.#takeNumber()
        frame.part(viewed.number, partKind.keep, encodePlace(writer, viewed.cell))
      }
      frame.requireSend()
    }
    for (const number of this.#dropped) {
      frame.part(number, partKind.drop)
      this.#freeNumbers.push(number)
    }
    this.#dropped = []
    for (const viewed of this.#viewed) {
      if (viewed.version !== viewed.cell.version) this.#writeCell(frame, viewed)
    }
  }

  #writeCell(frame: ReplicaFrameWriter, viewed: ViewedCell): void {
    const { cell, version } = viewed
    viewed.version = cell.version
    if (viewed.number !== undefined && version === cell.version - 1) {
      const { lastDelta } = cell
      if (lastDelta !== undefined) {
        frame.part(viewed.number, partKind.delta, lastDelta)
        return
      }
    }
    const missed =
      viewed.number === undefined || version === undefined ? undefined : cell.deltasSince(version)
    viewed.number ??= this.#takeNumber()
    if (missed === undefined) {
      for (const piece of cell.snapshot(this.store.writer))
        frame.part(viewed.number, partKind.snapshot, piece)
    } else {
      for (const delta of missed) frame.part(viewed.number, partKind.delta, delta)
    }
  }

  /** The places of all cells in view, for who needs them by name. */
  cells(): IterableIterator<ReplicaCell> {
    return this.#cells.keys()
  }

  #enter(cell: ReplicaCell): void {
    if (this.#cells.has(cell)) return
    this.#cells.set(cell, { cell, number: undefined, version: undefined })
    cell.viewers += 1
  }

  #leave(cell: ReplicaCell): void {
    const viewed = this.#cells.get(cell)
    if (viewed === undefined) return
    this.#cells.delete(cell)
    if (viewed.number !== undefined) this.#dropped.push(viewed.number)
    cell.viewers -= 1
    if (cell.viewers === 0) this.store.release(cell)
  }

  #takeNumber(): number {
    const free = this.#freeNumbers.pop()
    if (free !== undefined) return free
    this.#numbers += 1
    return this.#numbers - 1
  }
}
