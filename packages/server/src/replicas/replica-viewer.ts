// View of one session in one replica: its areas of interest, the cells in view, and the version of each cell that the client
// has. The next frame is computed from this state alone, so no change and no drop can be lost. Must not know sockets.
import { cellsInRange, encodePlace, partKind, staysInView } from "@hawser/protocol/core"
import type { CellPlace } from "@hawser/protocol/core"
import type { ReplicaCell } from "./replica-cell.ts"
import type { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import type { ReplicaStore } from "./replica-store.ts"

/** Area of interest: the cells around a centre, or a whole replica without an area. */
export interface ViewArea {
  /** Undefined while the followed record does not exist: the area is empty then. */
  centre: CellPlace | undefined
}

/** A cell in the view of one session. */
interface ViewedCell {
  readonly cell: ReplicaCell
  /** Number of the cell on this connection; undefined until the cell is sent. */
  number: number | undefined
  /** Version that the client has; undefined if it needs a snapshot. */
  version: number | undefined
}

/** Versions of the cells that a client holds after a resume, by position. */
export type HeldCells = ReadonlyMap<string, number>

export class ReplicaViewer {
  readonly store: ReplicaStore
  readonly #areas = new Set<ViewArea>()
  readonly #cells = new Map<ReplicaCell, ViewedCell>()
  /** The same cells as an array, for the iteration in every tick. */
  #viewed: readonly ViewedCell[] = []
  readonly #freeNumbers: number[] = []
  #numbers = 0
  /** Numbers of cells that left the view and whose drop is not sent yet. */
  #dropped: number[] = []
  /** True until a frame with the fresh flag is sent, which resets the cell numbers of the client. */
  #isFresh = true

  constructor(store: ReplicaStore) {
    this.store = store
  }

  /** True if the next frame is not empty. */
  get hasUpdate(): boolean {
    if (this.#isFresh || this.#dropped.length > 0) return true
    return this.#viewed.some(({ cell, version }) => version !== cell.version)
  }

  /** Number of versions that the client misses, of the cells that it has. */
  get versionsBehind(): number {
    let behind = 0
    for (const { cell, version } of this.#viewed) if (version !== undefined) behind += cell.version - version
    return behind
  }

  get cellCount(): number {
    return this.#cells.size
  }

  add(area: ViewArea): void {
    this.#areas.add(area)
    this.refresh()
  }

  delete(area: ViewArea): void {
    this.#areas.delete(area)
    this.refresh()
  }

  /** Updates the cells in view after a change of the areas: cells enter and leave. */
  refresh(): void {
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

  /** Resets the state for a new connection. The versions of the client are unknown until its HAVE. */
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

  /** Takes the versions from a HAVE. A held cell with all later deltas needs these deltas only. */
  hold(held: HeldCells): void {
    for (const viewed of this.#cells.values()) {
      const version = held.get(`${viewed.cell.x},${viewed.cell.y}`)
      if (version !== undefined && viewed.cell.holdsSince(version)) viewed.version = version
    }
  }

  /** Removes all areas and cells. Called at the end of the session. */
  end(): void {
    this.#areas.clear()
    this.refresh()
  }

  /** Writes the parts that the client misses, and records them as sent. */
  writeTo(frame: ReplicaFrameWriter): void {
    frame.begin(this.#isFresh)
    const { writer } = this.store
    if (this.#isFresh) {
      this.#isFresh = false
      // The fresh frame must contain all kept cells: the client removes each cell that it does not name.
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

  /** Iterates the cells in view. */
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
