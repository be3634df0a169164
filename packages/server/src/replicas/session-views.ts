// Everything that one session sees of all replicas, and when it is sent: at once while its connection keeps up. When it
// does not, nothing is queued: how things stand is sent once the socket has drained. Knows no grids and no bytes.
import type { Clock } from "@hawser/protocol"
import type { OutboundMessage, ReplicaHold } from "@hawser/protocol/core"
import type { ServerCounters } from "../base/counters.ts"
import type { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import type { ReplicaStore } from "./replica-store.ts"
import { ReplicaViewer } from "./replica-viewer.ts"
import type { RecordViews } from "./record-views.ts"
import type { StateSink, StateSource } from "../session/conversation/state-source.ts"

export interface SessionViewsOptions {
  readonly sink: StateSink
  readonly clock: Clock
  readonly counters: ServerCounters
  /** Shared by all sessions: frames are put together one after the other. */
  readonly frame: ReplicaFrameWriter
  readonly recordViews: RecordViews
  /** The frame that says what the records of a replica consist of. */
  readonly describe: (store: ReplicaStore) => OutboundMessage
  readonly numberOf: (store: ReplicaStore) => number
  /** Asks for a tick. Between two ticks cells are half changed: nothing of them is told then. */
  readonly nextTick: () => void
  readonly onError: (error: unknown) => void
}

/** The longest update is forgotten by half within 44 updates, about 2 s of those that come with every tick. */
const longestUpdateDecay = 63 / 64

export class SessionViews implements StateSource {
  readonly #options: SessionViewsOptions
  readonly #viewers = new Map<ReplicaStore, ReplicaViewer>()
  /** Replicas that this connection was told the fields of. */
  readonly #described = new Set<ReplicaStore>()
  #awaitsHold = false
  #waitingSinceMs: number | undefined
  /** While they wait: versions of cells that the client was not sent. */
  #versionsBehind = 0
  /** Bytes of the update that is being put together, of the last one, and of the longest of late; 0 before the first. */
  #updateBytes = 0
  #lastUpdateBytes = 0
  #longestUpdateBytes = 0

  constructor(options: SessionViewsOptions) {
    this.#options = options
  }

  get waitingSinceMs(): number | undefined {
    return this.#options.sink.attached ? this.#waitingSinceMs : undefined
  }

  get isConflated(): boolean {
    return this.#waitingSinceMs !== undefined
  }

  viewerOf(store: ReplicaStore): ReplicaViewer {
    const viewer = this.#viewers.get(store) ?? new ReplicaViewer(store)
    this.#viewers.set(store, viewer)
    return viewer
  }

  has(viewer: ReplicaViewer): boolean {
    return this.#viewers.get(viewer.store) === viewer
  }

  /** In a tick: sends what changed, or notes that the connection cannot take it. */
  flush(): void {
    const { sink } = this.#options
    // While the client is away its cells only get older, and what it holds then decides what it is sent.
    if (!sink.attached || this.#awaitsHold) return
    const hasUpdate = this.#hasUpdate()
    if (hasUpdate && !this.#takesUpdate) {
      this.#fallBehind()
      return
    }
    const hasWaited = this.#waitingSinceMs !== undefined
    this.#waitingSinceMs = undefined
    if (hasUpdate) this.#sendUpdate()
    if (hasWaited) sink.pumpValues()
  }

  /** A frame that was put together. */
  send(message: OutboundMessage): void {
    const { sink, counters } = this.#options
    counters.replicaFramesSent += 1
    counters.replicaBytesSent += message.bytes.length
    this.#updateBytes += message.bytes.length
    sink.sendState(message)
  }

  drained(): void {
    if (this.#waitingSinceMs !== undefined && this.#takesUpdate) this.#options.nextTick()
  }

  /**
   * An update that nothing waited for is as long as the one before. One that changes have waited for may bring whole cells, so
   * it counts as long as the longest of late.
   */
  get #takesUpdate(): boolean {
    const bytes = this.#waitingSinceMs === undefined ? this.#lastUpdateBytes : this.#longestUpdateBytes
    return this.#options.sink.takesState(bytes, this.#longestUpdateBytes === 0)
  }

  /** Nothing is queued: what the client misses follows from the versions that it has. */
  #fallBehind(): void {
    const { clock, counters } = this.#options
    if (this.#waitingSinceMs === undefined) {
      this.#waitingSinceMs = clock.now()
      this.#versionsBehind = 0
      counters.viewersConflated += 1
    }
    let versionsBehind = 0
    for (const viewer of this.#viewers.values()) versionsBehind += viewer.versionsBehind
    if (versionsBehind > this.#versionsBehind) counters.replicaUpdatesConflated += 1
    this.#versionsBehind = versionsBehind
  }

  #sendUpdate(): void {
    this.#updateBytes = 0
    for (const viewer of this.#viewers.values()) this.#tell(viewer)
    if (this.#updateBytes === 0) return
    this.#lastUpdateBytes = this.#updateBytes
    this.#longestUpdateBytes = Math.max(this.#updateBytes, this.#longestUpdateBytes * longestUpdateDecay)
  }

  resumed(): void {
    this.#awaitsHold = true
    this.#waitingSinceMs = undefined
    this.#lastUpdateBytes = 0
    this.#longestUpdateBytes = 0
    this.#described.clear()
    for (const viewer of this.#viewers.values()) viewer.begin()
  }

  have(held: readonly ReplicaHold[]): void {
    if (!this.#awaitsHold) return
    this.#awaitsHold = false
    for (const { replica, epoch, cells } of held) {
      const versions = new Map(cells.map(({ x, y, version }) => [`${x},${y}`, version]))
      for (const viewer of this.#viewers.values()) {
        const { store } = viewer
        // Versions of another epoch, or of none, say nothing about this store: its cells go out as snapshots (F10).
        if (store.name === replica && store.epoch === epoch) viewer.hold(versions)
      }
    }
    this.#options.nextTick()
  }

  end(): void {
    for (const viewer of this.#viewers.values()) viewer.end()
    this.#viewers.clear()
  }

  #hasUpdate(): boolean {
    for (const viewer of this.#viewers.values()) if (viewer.hasUpdate) return true
    return false
  }

  #tell(viewer: ReplicaViewer): void {
    const { sink, frame, recordViews, describe, numberOf, onError } = this.#options
    const { dialect } = sink
    if (dialect.replicaChange !== undefined) {
      for (const message of recordViews.messages(viewer, dialect)) sink.sendState(message)
      return
    }
    const { store } = viewer
    if (!this.#described.has(store)) {
      this.#described.add(store)
      this.send(describe(store))
    }
    try {
      viewer.writeTo(frame.for(numberOf(store), this))
      frame.end()
    } catch (error) {
      // A field threw while it was packed. What the client was sent of this update is unknown: the next one begins anew.
      viewer.begin()
      onError(error)
    }
  }
}
