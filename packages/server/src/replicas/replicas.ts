// All replicas of a server: who views which cell, and the tick that tells viewers what changed. Work grows with the cells
// that changed and with their viewers, never with viewers times records.
import { cellOf, outbound, quoted } from "@hawser/protocol/core"
import type { Clock, ReplicaSpec, ServerLimits } from "@hawser/protocol"
import type { CellPlace, Codec, OutboundMessage, TimerQueue } from "@hawser/protocol/core"
import type { ServerCounters } from "../base/counters.ts"
import type { HeldDeltasLimits } from "./held-deltas.ts"
import { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import { ReplicaStore } from "./replica-store.ts"
import type { ReplicaViewer, ViewArea } from "./replica-viewer.ts"
import { RecordViews } from "./record-views.ts"
import { SessionViews } from "./session-views.ts"
import type { StateSink, StateSource } from "../session/conversation/state-source.ts"

/** A session as its replicas see it. */
export interface ViewingSession extends StateSink {
  show(source: StateSource): void
}

export interface ReplicasOptions {
  readonly replicas: Readonly<Record<string, ReplicaSpec>>
  readonly codec: Codec
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly counters: ServerCounters
  readonly limits: Pick<ServerLimits, "replicaTickMs" | keyof HeldDeltasLimits>
  readonly onError: (error: unknown) => void
}

/** Around a place in the units of the replica's area, or around a record of it, wherever that goes. */
export type Viewpoint = { readonly x: number; readonly y: number } | { readonly follow: string }

export interface View {
  /** From now on around here; a view that followed a record no longer does. No effect where there is no area. */
  moveTo(position: { readonly x: number; readonly y: number }): void
  /** The client lets go of what only this view showed. Idempotent. */
  close(): void
}

/** The largest coordinate of a cell that is viewed. */
const cellMax = 2 ** 50

interface Watched {
  readonly store: ReplicaStore
  /** By the id of the record that they follow. */
  readonly followers: Map<string, Set<Following>>
}

interface Following {
  readonly area: ViewArea
  readonly viewer: ReplicaViewer
}

export class Replicas {
  readonly #options: ReplicasOptions
  readonly #watched = new Map<string, Watched>()
  readonly #numbers = new Map<ReplicaStore, number>()
  readonly #descriptions = new Map<ReplicaStore, OutboundMessage>()
  readonly #sessions = new Map<ViewingSession, SessionViews>()
  readonly #frame = new ReplicaFrameWriter()
  readonly #recordViews: RecordViews
  #cancelTick: (() => void) | undefined
  #cancelExpiry: (() => void) | undefined

  constructor(options: ReplicasOptions) {
    const { replicas } = options
    this.#options = options
    for (const [name, spec] of Object.entries(replicas)) {
      const store = new ReplicaStore(name, spec, options.limits)
      this.#numbers.set(store, this.#numbers.size)
      this.#watched.set(name, { store, followers: new Map() })
      // Fields that cannot be told to a client are a fault of the contract, and show now.
      this.#describe(store)
    }
    this.#recordViews = new RecordViews(options)
  }

  get records(): number {
    return this.#sum(({ store }) => store.size)
  }

  get cells(): number {
    return this.#sum(({ store }) => store.cellCount)
  }

  /** Memory of the changes that are held for viewers who missed them. */
  get deltaBytes(): number {
    return this.#sum(({ store }) => store.heldBytes)
  }

  /** Sessions that see anything. */
  get viewing(): number {
    return this.#sessions.size
  }

  /** Of these, the ones that have fallen behind now. */
  get conflated(): number {
    let count = 0
    for (const views of this.#sessions.values()) if (views.isConflated) count += 1
    return count
  }

  /** @throws TypeError for a name that the contract lacks. */
  store(name: string): ReplicaStore {
    return this.#of(name).store
  }

  /** Something was changed: a tick closes it, at the latest after `replicaTickMs`. */
  changed(): void {
    this.#cancelTick ??= this.#options.timers.after(this.#options.limits.replicaTickMs, () => this.flush())
  }

  view(name: string, session: ViewingSession, viewpoint: Viewpoint | undefined): View {
    const watched = this.#of(name)
    const area: ViewArea = { centre: this.#centreOf(watched.store, viewpoint) }
    const viewer = this.#viewsOf(session).viewerOf(watched.store)
    const followed = viewpoint !== undefined && "follow" in viewpoint ? viewpoint.follow : undefined
    const unfollow =
      followed === undefined ? (): void => {} : this.#follow(watched, followed, { area, viewer })
    viewer.add(area)
    this.changed()
    return {
      moveTo: (position) => {
        const centre = this.#cellFor(watched.store, position)
        unfollow()
        this.#aim({ area, viewer }, centre)
      },
      close: () => {
        unfollow()
        viewer.delete(area)
        this.changed()
      },
    }
  }

  /** Tells every viewer what changed since the last time: called by the tick, or by a game that has its own. */
  flush(): void {
    // Without a tick that is due nothing has changed.
    if (this.#cancelTick === undefined) return
    for (const watched of this.#watched.values()) this.#moveFollowers(watched)
    this.#cancelTick()
    this.#cancelTick = undefined
    const { clock, counters, onError } = this.#options
    let packed = 0
    for (const { store } of this.#watched.values()) packed += store.commit(clock.now(), onError)
    counters.replicaCellsPacked += packed
    if (packed > 0) this.#expireLater()
    for (const views of this.#sessions.values()) views.flush()
    this.#recordViews.forget()
  }

  /** The session is over. */
  /** The views of a frozen session are the application's to restore. */
  onFrozen(session: ViewingSession): readonly never[] {
    this.onEnded(session)
    return []
  }

  onEnded(session: ViewingSession): void {
    const views = this.#sessions.get(session)
    if (views === undefined) return
    this.#sessions.delete(session)
    for (const { followers } of this.#watched.values()) {
      for (const [id, following] of followers) {
        for (const one of following) if (views.has(one.viewer)) following.delete(one)
        if (following.size === 0) followers.delete(id)
      }
    }
    views.end()
  }

  /** Nothing happens by itself any more. */
  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
  }

  /** A cell that changes no more keeps its last changes no longer than others. */
  #expireLater(): void {
    const { timers, clock, limits } = this.#options
    this.#cancelExpiry ??= timers.after(limits.replicaDeltaMaxMs, () => {
      this.#cancelExpiry = undefined
      let isLeft = false
      for (const { store } of this.#watched.values()) isLeft = store.expireDeltas(clock.now()) || isLeft
      if (isLeft) this.#expireLater()
    })
  }

  /** Records that somebody follows may have gone elsewhere. */
  #moveFollowers({ store, followers }: Watched): void {
    for (const [id, following] of followers) {
      const place = store.placeOf(id)
      for (const one of following) this.#aim(one, place)
    }
  }

  #aim({ area, viewer }: Following, place: CellPlace | undefined): void {
    if (area.centre?.x === place?.x && area.centre?.y === place?.y) return
    area.centre = place
    viewer.look()
    this.changed()
  }

  #follow({ followers }: Watched, id: string, following: Following): () => void {
    const others = followers.get(id) ?? new Set<Following>()
    followers.set(id, others.add(following))
    return () => {
      others.delete(following)
      if (others.size === 0 && followers.get(id) === others) followers.delete(id)
    }
  }

  #viewsOf(session: ViewingSession): SessionViews {
    const known = this.#sessions.get(session)
    if (known !== undefined) return known
    const { clock, counters, onError } = this.#options
    const views = new SessionViews({
      sink: session,
      clock,
      counters,
      frame: this.#frame,
      recordViews: this.#recordViews,
      describe: (store) => this.#describe(store),
      numberOf: (store) => this.#numbers.get(store) ?? 0,
      nextTick: () => this.changed(),
      onError,
    })
    this.#sessions.set(session, views)
    session.show(views)
    return views
  }

  /** The same bytes for everybody, made once. */
  #describe(store: ReplicaStore): OutboundMessage {
    const known = this.#descriptions.get(store)
    if (known !== undefined) return known
    const { name, schema, epoch } = store
    const replica = this.#numbers.get(store) ?? 0
    const bytes = this.#options.codec.encode({
      kind: "replica",
      replica,
      name,
      schema: schema.shape,
      epoch,
    })
    const message = outbound(bytes)
    this.#descriptions.set(store, message)
    return message
  }

  /** @throws TypeError for an id that is no text, RangeError for a place that is none. */
  #centreOf(store: ReplicaStore, viewpoint: Viewpoint | undefined): CellPlace | undefined {
    if (viewpoint === undefined || !("follow" in viewpoint))
      return this.#cellFor(store, viewpoint ?? { x: 0, y: 0 })
    store.assertId(viewpoint.follow)
    return store.placeOf(viewpoint.follow)
  }

  #cellFor({ area, name }: ReplicaStore, position: CellPlace): CellPlace {
    if (area === undefined) return { x: 0, y: 0 }
    const cell = cellOf(position, area.cellSize)
    // Beyond, cells have no neighbours, and no number of the wire.
    if (Math.abs(cell.x) <= cellMax && Math.abs(cell.y) <= cellMax) return cell
    const { x, y } = position
    throw new RangeError(`a view of the replica "${name}" cannot be at x ${quoted(x)}, y ${quoted(y)}`)
  }

  #of(name: string): Watched {
    const watched = this.#watched.get(name)
    if (watched === undefined) throw new TypeError(`the contract has no replica "${name}"`)
    return watched
  }

  #sum(of: (watched: Watched) => number): number {
    let sum = 0
    for (const watched of this.#watched.values()) sum += of(watched)
    return sum
  }
}
