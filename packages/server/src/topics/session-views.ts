// Everything that one session sees of all replicas, and when it is told: at once while its connection keeps up. When it
// does not, nothing is queued: how things stand is sent once the socket has drained. Knows no grids and no bytes.
import type { Clock, OutboundMessage, ReplicaHold } from "@hawser/protocol"
import type { ServerCounters } from "../counters.ts"
import type { ReplicaFrame } from "./replica-frame.ts"
import type { ReplicaStore } from "./replica-store.ts"
import { ReplicaViewer } from "./replica-viewer.ts"
import type { ReplicaViews20 } from "./replica-views20.ts"

/** What is needed of a session. */
export interface StateSink {
  readonly attached: boolean
  readonly speaks20: boolean
  /** True while everything reliable was handed over and the socket has room: nothing of a replica overtakes or waits. */
  readonly takesState: boolean
  /** False when the connection takes nothing any more. */
  sendState(message: OutboundMessage): boolean
}

/** What a session tells of itself. */
export interface StateSource {
  /** Since when the connection has kept this source waiting. */
  readonly waitingSinceMs: number | undefined
  drained(): void
  /** The client is back on another connection, and will say what it holds. */
  resumed(): void
  have(held: readonly ReplicaHold[]): void
}

export interface SessionViewsOptions {
  readonly sink: StateSink
  readonly clock: Clock
  readonly counters: ServerCounters
  /** Shared by all sessions: frames are put together one after the other. */
  readonly frame: ReplicaFrame
  readonly views20: ReplicaViews20
  /** The frame that says what the records of a replica consist of. */
  readonly describe: (store: ReplicaStore) => OutboundMessage
  readonly numberOf: (store: ReplicaStore) => number
  /** Asks for a tick. Between two ticks cells are half changed: nothing of them is told then. */
  readonly nextTick: () => void
}

export class SessionViews implements StateSource {
  readonly #options: SessionViewsOptions
  readonly #viewers = new Map<ReplicaStore, ReplicaViewer>()
  /** Replicas that this connection was told the fields of. */
  readonly #described = new Set<ReplicaStore>()
  #awaitsHold = false
  #waitingSinceMs: number | undefined

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

  /** In a tick: tells what is to be told, or remembers that the connection could not take it. */
  flush(): void {
    const { sink, clock, counters } = this.#options
    // While the client is away its cells only get older, and what it holds then decides what it is sent.
    if (!sink.attached || this.#awaitsHold) return
    if (!sink.takesState) {
      if (!this.#hasNews()) return
      let conflated = false
      for (const viewer of this.#viewers.values()) conflated = viewer.conflate() || conflated
      if (this.#waitingSinceMs === undefined) {
        this.#waitingSinceMs = clock.now()
        counters.viewersConflated += 1
      }
      if (conflated) counters.replicaUpdatesConflated += 1
      return
    }
    this.#waitingSinceMs = undefined
    for (const viewer of this.#viewers.values()) this.#tell(viewer)
  }

  /** A frame that was put together. */
  send(message: OutboundMessage): void {
    const { sink, counters } = this.#options
    counters.replicaFramesSent += 1
    counters.replicaBytesSent += message.bytes.length
    sink.sendState(message)
  }

  drained(): void {
    if (this.#waitingSinceMs !== undefined && this.#options.sink.takesState) this.#options.nextTick()
  }

  resumed(): void {
    this.#awaitsHold = true
    this.#waitingSinceMs = undefined
    this.#described.clear()
    for (const viewer of this.#viewers.values()) viewer.begin()
  }

  have(held: readonly ReplicaHold[]): void {
    if (!this.#awaitsHold) return
    this.#awaitsHold = false
    for (const { replica, cells } of held) {
      const versions = new Map(cells.map(({ x, y, version }) => [`${x},${y}`, version]))
      for (const viewer of this.#viewers.values()) if (viewer.store.name === replica) viewer.hold(versions)
    }
    this.#options.nextTick()
  }

  end(): void {
    for (const viewer of this.#viewers.values()) viewer.end()
    this.#viewers.clear()
  }

  #hasNews(): boolean {
    for (const viewer of this.#viewers.values()) if (viewer.hasNews) return true
    return false
  }

  #tell(viewer: ReplicaViewer): void {
    const { sink, frame, views20, describe, numberOf } = this.#options
    if (sink.speaks20) {
      for (const message of views20.messages(viewer)) sink.sendState(message)
      return
    }
    const { store } = viewer
    if (!this.#described.has(store)) {
      this.#described.add(store)
      this.send(describe(store))
    }
    viewer.writeTo(frame.for(numberOf(store), this))
    frame.end()
  }
}
