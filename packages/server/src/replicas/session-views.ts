// Views of one session in all replicas, and the time of their updates. In each tick the session gets its update if its
// connection has capacity. Otherwise updates are conflated: nothing is queued, and one update with the latest versions follows
// when the connection has drained. Must not know areas of interest and encodings.
import type { OutboundMessage, ReplicaHold } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import type { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import type { ReplicaStore } from "./replica-store.ts"
import { ReplicaViewer } from "./replica-viewer.ts"
import type { RecordViews } from "./record-views.ts"
import type { StateSink, StateSource } from "../session/conversation/state-source.ts"

/** Parts that the views of all sessions share. */
export interface SessionViewsHost extends Pick<Base, "clock" | "counters" | "onError"> {
  /** One for all sessions, because frames are written one after the other. */
  readonly frame: ReplicaFrameWriter
  readonly recordViews: RecordViews
  /** Schedules a tick. Between two ticks, cells contain uncommitted changes and are not sent. */
  readonly nextTick: () => void
}

/** Factor by which the longest update decays with each update: by half within 44 updates, about 2 s at one update per tick. */
const longestUpdateDecay = 63 / 64

export class SessionViews implements StateSource {
  readonly #sink: StateSink
  readonly #host: SessionViewsHost
  readonly #viewers = new Map<ReplicaStore, ReplicaViewer>()
  /** Replicas whose REPLICA frame was sent on this connection. */
  readonly #described = new Set<ReplicaStore>()
  #awaitsHold = false
  #waitingSinceMs: number | undefined
  /** While updates are conflated: versions of cells that the client has not received. */
  #versionsBehind = 0
  /** Bytes of the current update, of the last one, and of the longest recent one (decaying); 0 before the first. */
  #updateBytes = 0
  #lastUpdateBytes = 0
  #longestUpdateBytes = 0

  constructor(sink: StateSink, host: SessionViewsHost) {
    this.#sink = sink
    this.#host = host
  }

  get waitingSinceMs(): number | undefined {
    return this.#sink.attached ? this.#waitingSinceMs : undefined
  }

  get isConflated(): boolean {
    return this.#waitingSinceMs !== undefined
  }

  viewerOf(store: ReplicaStore): ReplicaViewer {
    const viewer = this.#viewers.get(store) ?? new ReplicaViewer(store)
    this.#viewers.set(store, viewer)
    return viewer
  }

  find(store: ReplicaStore): ReplicaViewer | undefined {
    return this.#viewers.get(store)
  }

  /** Ends one viewer. A later one of the same store begins with REPLICA and a fresh frame. */
  drop(viewer: ReplicaViewer): void {
    viewer.end()
    this.#viewers.delete(viewer.store)
    this.#described.delete(viewer.store)
  }

  /** Called in a tick. Sends the changes, or conflates them if the connection has no capacity. */
  flush(): void {
    const sink = this.#sink
    // A detached client gets no updates. After the resume, its HAVE determines the first one.
    if (!sink.attached || this.#awaitsHold) return
    const hasUpdate = this.#hasUpdate()
    if (hasUpdate && !this.#takesUpdate) {
      this.#fallBehind()
      return
    }
    const wasConflated = this.#waitingSinceMs !== undefined
    this.#waitingSinceMs = undefined
    if (hasUpdate) this.#sendUpdate()
    if (wasConflated) sink.pumpValues()
  }

  /** Sends a complete frame. */
  send(message: OutboundMessage): void {
    const { counters } = this.#host
    counters.replicaFramesSent += 1
    counters.replicaBytesSent += message.bytes.length
    this.#updateBytes += message.bytes.length
    this.#sink.sendState(message)
  }

  drained(): void {
    if (this.#waitingSinceMs !== undefined && this.#takesUpdate) this.#host.nextTick()
  }

  /**
   * True if the connection has capacity for the next update. Without conflated changes its length is estimated by the last
   * update. A conflated update may contain snapshots, so its estimate is the longest recent update.
   */
  get #takesUpdate(): boolean {
    const bytes = this.#waitingSinceMs === undefined ? this.#lastUpdateBytes : this.#longestUpdateBytes
    return this.#sink.takesState(bytes, this.#longestUpdateBytes === 0)
  }

  /** Conflates the update. Nothing is queued: the versions that the client has determine the next update. */
  #fallBehind(): void {
    const { clock, counters } = this.#host
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
    for (const viewer of this.#viewers.values()) this.#sendView(viewer)
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
    for (const { replica, topic, epoch, cells } of held) {
      for (const viewer of this.#viewers.values()) {
        const { store } = viewer
        // Versions of another epoch, or without one, are not comparable: these cells are sent as snapshots (F10).
        if (store.epoch !== epoch || store.name !== replica || store.topic !== topic) continue
        viewer.hold(new Map(cells.map(({ x, y, version }) => [`${x},${y}`, version])))
      }
    }
    this.#host.nextTick()
  }

  end(): void {
    for (const viewer of this.#viewers.values()) viewer.end()
    this.#viewers.clear()
  }

  #hasUpdate(): boolean {
    for (const viewer of this.#viewers.values()) if (viewer.hasUpdate) return true
    return false
  }

  #sendView(viewer: ReplicaViewer): void {
    const { frame, recordViews, onError } = this.#host
    const { dialect } = this.#sink
    if (dialect.replicaChange !== undefined) {
      for (const message of recordViews.messages(viewer, dialect)) this.#sink.sendState(message)
      return
    }
    const { store } = viewer
    if (!this.#described.has(store)) {
      this.#described.add(store)
      this.send(store.description)
    }
    try {
      viewer.writeTo(frame.for(store.number, this))
      frame.end()
    } catch (error) {
      // A field threw while it was packed. The part of the update that was sent is unknown, so the next one is a full update.
      viewer.begin()
      onError(error)
    }
  }
}
