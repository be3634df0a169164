// All replicas of a server: the views of sessions, and the tick that sends changes to viewers. The work of a tick grows with
// the changed cells and their viewers, not with viewers times records. Must not know sockets.
import { cellOf, quoted } from "@hawser/protocol/core"
import type { Contract } from "@hawser/protocol"
import type { CellPlace } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import { ReplicaStore } from "./replica-store.ts"
import type { ReplicaViewer, ViewArea } from "./replica-viewer.ts"
import { RecordViews } from "./record-views.ts"
import { SessionViews } from "./session-views.ts"
import type { SessionViewsHost } from "./session-views.ts"
import type { StateSink, StateSource } from "../session/conversation/state-source.ts"

/** The part of a session that replicas use. */
export interface ViewingSession extends StateSink {
  show(source: StateSource): void
}

export interface ReplicasOptions extends Pick<
  Base,
  "codec" | "clock" | "timers" | "counters" | "limits" | "onError"
> {
  readonly contract: Pick<Contract, "name" | "replicas">
}

/** Centre of a view: a position in the units of the replica's area, or a record that the view follows. */
export type Viewpoint =
  | Position
  | {
      /** Id of the record that the view follows. While it does not exist, the view is empty. */
      readonly follow: string
    }

interface Position {
  /** Coordinate in units of the field `area.x`. */
  readonly x: number
  /** Coordinate in units of the field `area.y`. */
  readonly y: number
}

/** A view of one session in a replica. */
export interface View {
  /** Moves the view to a position; it stops following a record. No effect on a replica without an area. */
  moveTo(position: Position): void
  /** Closes the view. Cells that no other view of the session contains leave the client's view. Idempotent. */
  close(): void
}

/** Largest coordinate of a cell in a view. */
const cellMax = 2 ** 50

interface Watched {
  readonly store: ReplicaStore
  /** Areas that follow a record, by its id. */
  readonly followers: Map<string, Set<Following>>
}

interface Following {
  readonly area: ViewArea
  readonly viewer: ReplicaViewer
}

export class Replicas {
  readonly #options: ReplicasOptions
  readonly #watched = new Map<string, Watched>()
  readonly #sessions = new Map<ViewingSession, SessionViews>()
  readonly #host: SessionViewsHost
  #cancelTick: (() => void) | undefined
  #cancelExpiry: (() => void) | undefined

  constructor(options: ReplicasOptions) {
    this.#options = options
    for (const [name, spec] of Object.entries(options.contract.replicas)) {
      const store = new ReplicaStore({ ...options, name, spec, number: this.#watched.size })
      this.#watched.set(name, { store, followers: new Map() })
    }
    this.#host = {
      ...options,
      frame: new ReplicaFrameWriter(),
      recordViews: new RecordViews(options),
      nextTick: () => this.changed(),
    }
  }

  /** Sizes of all replicas, sessions that have opened a view, and those of them that are conflated. */
  get counts() {
    let replicaRecords = 0
    let replicaCells = 0
    let replicaDeltaBytes = 0
    for (const { store } of this.#watched.values()) {
      replicaRecords += store.size
      replicaCells += store.cellCount
      replicaDeltaBytes += store.heldBytes
    }
    let conflated = 0
    for (const { isConflated } of this.#sessions.values()) if (isConflated) conflated += 1
    return { replicaRecords, replicaCells, replicaDeltaBytes, viewing: this.#sessions.size, conflated }
  }

  /** @throws TypeError for a name that the contract does not declare. */
  store(name: string): ReplicaStore {
    return this.#of(name).store
  }

  /** Called after a change. Schedules a tick after `replicaTickMs`, if none is scheduled. */
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

  /** Runs a tick: sends all changes to viewers. Called by the timer, or by a game with its own tick. */
  flush(): void {
    // Without a scheduled tick nothing has changed.
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
    this.#host.recordViews.endTick()
  }

  /** Ends the views of a frozen session. The application restores them after the thaw. */
  onFrozen(session: ViewingSession): readonly never[] {
    this.onEnded(session)
    return []
  }

  /** Ends the views of an ended session. */
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

  /** Cancels the tick and the expiry timer. */
  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
  }

  /** Schedules the expiry of deltas, which also ends those of cells that no longer change. */
  #expireLater(): void {
    const { timers, clock, limits } = this.#options
    this.#cancelExpiry ??= timers.after(limits.replicaDeltaMaxMs, () => {
      this.#cancelExpiry = undefined
      let isLeft = false
      for (const { store } of this.#watched.values()) isLeft = store.expireDeltas(clock.now()) || isLeft
      if (isLeft) this.#expireLater()
    })
  }

  /** Moves the areas that follow a record to its current cell. */
  #moveFollowers({ store, followers }: Watched): void {
    for (const [id, following] of followers) {
      const place = store.placeOf(id)
      for (const one of following) this.#aim(one, place)
    }
  }

  #aim({ area, viewer }: Following, place: CellPlace | undefined): void {
    if (area.centre?.x === place?.x && area.centre?.y === place?.y) return
    area.centre = place
    viewer.refresh()
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
    const views = new SessionViews(session, this.#host)
    this.#sessions.set(session, views)
    session.show(views)
    return views
  }

  /** @throws TypeError for an id that is not a string and for a missing viewpoint, RangeError for an invalid position. */
  #centreOf(store: ReplicaStore, viewpoint: Viewpoint | undefined): CellPlace | undefined {
    if (viewpoint === undefined && store.area !== undefined)
      throw new TypeError(
        `the replica "${store.name}" has an area, so a view of it needs a viewpoint: pass { x, y } or { follow: id }`,
      )
    if (viewpoint === undefined || !("follow" in viewpoint))
      return this.#cellFor(store, viewpoint ?? { x: 0, y: 0 })
    store.assertId(viewpoint.follow)
    return store.placeOf(viewpoint.follow)
  }

  #cellFor({ area, name }: ReplicaStore, position: CellPlace): CellPlace {
    if (area === undefined) return { x: 0, y: 0 }
    const cell = cellOf(position, area.cellSize)
    // Above the limit, coordinates have no exact neighbours and no encoding on the wire.
    if (Math.abs(cell.x) <= cellMax && Math.abs(cell.y) <= cellMax) return cell
    const { x, y } = position
    throw new RangeError(`a view of the replica "${name}" cannot be at x ${quoted(x)}, y ${quoted(y)}`)
  }

  #of(name: string): Watched {
    const watched = this.#watched.get(name)
    if (watched === undefined)
      throw new TypeError(`the contract "${this.#options.contract.name}" has no replica "${name}"`)
    return watched
  }
}
