// Changes of replicas as records, for dialects without cells. A change is encoded once per dialect and tick; all viewers with
// the same change receive the same bytes. Must not know sockets.
import { unsendable } from "@hawser/protocol/core"
import type { OutboundMessage } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import type { ReplicaChange } from "../session/conversation/dialect.ts"
import type { ReplicaDialect } from "../session/conversation/state-source.ts"
import type { ReplicaCell } from "./replica-cell.ts"
import type { ReplicaStore } from "./replica-store.ts"
import type { ReplicaViewer } from "./replica-viewer.ts"

/** Ids and version of a cell that the client has. */
interface SentCell {
  readonly ids: ReadonlySet<string>
  readonly version: number
}

interface ChangedCell {
  readonly cell: ReplicaCell
  /** Version that the client has; 0 if it has none. */
  readonly since: number
}

export class RecordViews {
  readonly #base: Pick<Base, "counters" | "onError">
  /** Messages of this tick, by profile and change. */
  readonly #encoded = new Map<string, readonly OutboundMessage[]>()
  readonly #sent = new WeakMap<ReplicaViewer, Map<ReplicaCell, SentCell>>()

  constructor(base: Pick<Base, "counters" | "onError">) {
    this.#base = base
  }

  /** Drops the messages of the tick, at its end. */
  endTick(): void {
    this.#encoded.clear()
  }

  /** Returns the messages that this viewer misses, and records them as sent. */
  messages(viewer: ReplicaViewer, dialect: ReplicaDialect): readonly OutboundMessage[] {
    const sent = this.#sent.get(viewer) ?? new Map<ReplicaCell, SentCell>()
    if (isUpToDate(viewer, sent)) return []
    this.#sent.set(viewer, sent)
    const inView = new Set(viewer.cells())
    const gone = new Set<string>()
    for (const [cell, { ids }] of sent) {
      if (inView.has(cell)) continue
      for (const id of ids) gone.add(id)
      sent.delete(cell)
    }
    const changed: ChangedCell[] = []
    for (const cell of inView) {
      const before = sent.get(cell)
      if (before?.version === cell.version) continue
      const ids = new Set(cell.entries().map(({ id }) => id))
      for (const id of before?.ids ?? []) if (!ids.has(id)) gone.add(id)
      sent.set(cell, { ids, version: cell.version })
      changed.push({ cell, since: before?.version ?? 0 })
    }
    // A record that moved from one cell in view to another has not left the view.
    for (const { ids } of sent.values()) for (const id of ids) gone.delete(id)
    return this.#encode(dialect, viewer.store, { cells: changed, gone })
  }

  #encode(
    dialect: ReplicaDialect,
    store: ReplicaStore,
    { cells, gone }: { readonly cells: readonly ChangedCell[]; readonly gone: ReadonlySet<string> },
  ): readonly OutboundMessage[] {
    const names = cells.map(({ cell: { x, y, version }, since }) => `${x},${y},${since},${version}`)
    const key = JSON.stringify([dialect.profile, store.name, names.toSorted(), [...gone].toSorted()])
    const known = this.#encoded.get(key)
    if (known !== undefined) return known
    const records = cells.flatMap(({ cell, since }) =>
      cell
        .entries()
        .filter(({ changedWith }) => changedWith > since)
        .map(({ id, packed }) => ({ id, ...store.valuesOf(packed) })),
    )
    if (records.length + gone.size === 0) return []
    const messages = this.#translate(dialect, store.name, { records, gone: [...gone] })
    this.#encoded.set(key, messages)
    return messages
  }

  #translate(
    { replicaChange }: ReplicaDialect,
    replica: string,
    change: ReplicaChange,
  ): readonly OutboundMessage[] {
    const { counters, onError } = this.#base
    try {
      const messages = (replicaChange?.(replica, change) ?? []).map((bytes) => ({ bytes }))
      counters.publicationsEncoded += 1
      return messages
    } catch (error) {
      // The change is dropped. Other viewers of the tick are not affected.
      onError(unsendable(`a change of the replica "${replica}"`, error))
      return []
    }
  }
}

/** True if no cell in view has changed since the last message. */
function isUpToDate(viewer: ReplicaViewer, sent: ReadonlyMap<ReplicaCell, SentCell>): boolean {
  if (sent.size !== viewer.cellCount) return false
  for (const cell of viewer.cells()) if (sent.get(cell)?.version !== cell.version) return false
  return true
}
