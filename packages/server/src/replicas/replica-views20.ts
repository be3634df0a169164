// Replicas for clients of protocol `2.0`: what their application makes of the changes, as events. Viewers who are told of
// the same cells are told in the same bytes: translated and encoded once for all of them.
import { unsendable } from "@hawser/protocol/core"
import type { Codec, OutboundMessage } from "@hawser/protocol/core"
import type { Event20, ReplicaChange20 } from "../base/profile20.ts"
import type { ReplicaCell } from "./replica-cell.ts"
import type { ReplicaStore } from "./replica-store.ts"
import type { ReplicaViewer } from "./replica-viewer.ts"

export interface ReplicaViews20Options {
  readonly codec: Codec
  /** Called once for each distinct change. */
  readonly translate: (replica: string, change: ReplicaChange20) => readonly Event20[]
  readonly onEncoded: () => void
  /** A change that cannot be told is left out: a tick has other viewers, and no caller that could be told. */
  readonly onError: (error: unknown) => void
}

/** By cell, what a client was told of: its ids, and the version of the cell. */
interface Told {
  readonly ids: ReadonlySet<string>
  readonly version: number
}

interface ChangedCell {
  readonly cell: ReplicaCell
  /** The version that the client was told of; 0 for none. */
  readonly since: number
}

export class ReplicaViews20 {
  readonly #options: ReplicaViews20Options
  /** What this tick has encoded, by what it says. */
  readonly #encoded = new Map<string, readonly OutboundMessage[]>()
  readonly #told = new WeakMap<ReplicaViewer, Map<ReplicaCell, Told>>()

  constructor(options: ReplicaViews20Options) {
    this.#options = options
  }

  /** A tick is over: nobody will be told the same again. */
  forget(): void {
    this.#encoded.clear()
  }

  /** What this viewer must be told; afterwards it counts as told. */
  messages(viewer: ReplicaViewer): readonly OutboundMessage[] {
    const told = this.#told.get(viewer) ?? new Map<ReplicaCell, Told>()
    if (isTold(viewer, told)) return []
    this.#told.set(viewer, told)
    const inView = new Set(viewer.cells())
    const gone = new Set<string>()
    for (const [cell, { ids }] of told) {
      if (inView.has(cell)) continue
      for (const id of ids) gone.add(id)
      told.delete(cell)
    }
    const changed: ChangedCell[] = []
    for (const cell of inView) {
      const before = told.get(cell)
      if (before?.version === cell.version) continue
      const ids = new Set(cell.entries().map(({ id }) => id))
      for (const id of before?.ids ?? []) if (!ids.has(id)) gone.add(id)
      told.set(cell, { ids, version: cell.version })
      changed.push({ cell, since: before?.version ?? 0 })
    }
    // Who only walked from one cell in view to another is not gone.
    for (const { ids } of told.values()) for (const id of ids) gone.delete(id)
    return this.#encode(viewer.store, changed, gone)
  }

  #encode(
    store: ReplicaStore,
    cells: readonly ChangedCell[],
    gone: ReadonlySet<string>,
  ): readonly OutboundMessage[] {
    const names = cells.map(({ cell: { x, y, version }, since }) => `${x},${y},${since},${version}`)
    const key = JSON.stringify([store.name, names.toSorted(), [...gone].toSorted()])
    const known = this.#encoded.get(key)
    if (known !== undefined) return known
    const records = cells.flatMap(({ cell, since }) =>
      cell
        .entries()
        .filter(({ changedWith }) => changedWith > since)
        .map(({ id, packed }) => ({ id, ...store.valuesOf(packed) })),
    )
    if (records.length + gone.size === 0) return []
    const messages = this.#translate(store.name, { records, gone: [...gone] })
    this.#encoded.set(key, messages)
    return messages
  }

  #translate(replica: string, change: ReplicaChange20): readonly OutboundMessage[] {
    const { codec, translate, onEncoded, onError } = this.#options
    try {
      const messages = translate(replica, change).map(({ name, payload }) => ({
        bytes: codec.encode({ kind: "event", type: name, payload }),
      }))
      onEncoded()
      return messages
    } catch (error) {
      onError(unsendable(`a change of the replica "${replica}"`, error))
      return []
    }
  }
}

/** True where nothing has changed since. */
function isTold(viewer: ReplicaViewer, told: ReadonlyMap<ReplicaCell, Told>): boolean {
  if (told.size !== viewer.cellCount) return false
  for (const cell of viewer.cells()) if (told.get(cell)?.version !== cell.version) return false
  return true
}
