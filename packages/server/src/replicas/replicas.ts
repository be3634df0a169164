// All replicas of a server and of its topics: the views of sessions, and the tick that sends changes to viewers. The work of a
// tick grows with the changed cells and their viewers, not with viewers times records. Must not know sockets.
import { BitWriter, cellOf, quoted, unknownName } from "@hawser/protocol/core"
import type { Contract, ReplicaSpec } from "@hawser/protocol"
import type { CellPlace } from "@hawser/protocol/core"
import type { Base } from "../base/create-base.ts"
import { ReplicaFrameWriter } from "./replica-frame-writer.ts"
import type { ReplicaLedger } from "./replica-ledger.ts"
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
  "atomic" | "codec" | "clock" | "timers" | "counters" | "limits" | "onError"
> {
  readonly contract: Pick<Contract, "name" | "replicas" | "topics">
  /** Keeps the records of durable replicas; undefined without one. */
  readonly ledger?: ReplicaLedger | undefined
}

/** Centre of a view: a position in the units of the replica's area, a record that the view follows, or one record alone. */
export type Viewpoint =
  | Position
  | {
      /** Id of the record that the view follows. While it does not exist, the view is empty. */
      readonly follow: string
    }
  | {
      /** Id of the only record of the view, in a replica with `visibleTo: "owner"`. It appears when the server sets it. */
      readonly only: string
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

/** A replica of the server, or of a topic. */
export interface OpenReplica {
  readonly store: ReplicaStore
  /** Areas that follow a record, by its id. */
  readonly followers: Map<string, Set<Following>>
}

/** Name, fields and topic of a replica; without a topic it is one of the server. */
interface ReplicaPlace {
  readonly name: string
  readonly spec: ReplicaSpec
  readonly topic: string | undefined
}

interface Following {
  readonly area: ViewArea
  readonly viewer: ReplicaViewer
}

export class Replicas {
  readonly #options: ReplicasOptions
  /** Replicas of the contract, by name. */
  readonly #named = new Map<string, OpenReplica>()
  readonly #open = new Set<OpenReplica>()
  /** Replicas with areas that follow a record. */
  readonly #followed = new Set<OpenReplica>()
  /** Replicas that changed since the last tick. */
  readonly #changed = new Set<ReplicaStore>()
  readonly #sessions = new Map<ViewingSession, SessionViews>()
  readonly #host: SessionViewsHost
  readonly #writer = new BitWriter()
  /** Numbers of closed replicas. They have no viewers, so no connection uses them. */
  readonly #freeNumbers: number[] = []
  #cancelTick: (() => void) | undefined
  #cancelExpiry: (() => void) | undefined

  /** @throws TypeError for a replica whose fields cannot be encoded, also one of a topic kind. */
  constructor(options: ReplicasOptions) {
    this.#options = options
    const { replicas, topics } = options.contract
    for (const [name, spec] of Object.entries(replicas))
      this.#named.set(name, this.open({ name, spec, topic: undefined }))
    for (const kind of Object.values(topics)) {
      for (const [name, spec] of Object.entries(kind.replicas))
        this.close(this.open({ name, spec, topic: undefined }))
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
    for (const { store } of this.#open) {
      replicaRecords += store.size
      replicaCells += store.cellCount
      replicaDeltaBytes += store.heldBytes
    }
    let conflated = 0
    for (const { isConflated } of this.#sessions.values()) if (isConflated) conflated += 1
    return { replicaRecords, replicaCells, replicaDeltaBytes, viewing: this.#sessions.size, conflated }
  }

  /** @throws TypeError for a name that the contract does not declare. */
  of(name: string): OpenReplica {
    const open = this.#named.get(name)
    if (open === undefined)
      throw unknownName(
        `the contract "${this.#options.contract.name}" has no replica`,
        name,
        this.#named.keys(),
      )
    return open
  }

  /** Begins a replica: no records, a new epoch, and a number that no other open replica has. */
  open(place: ReplicaPlace): OpenReplica {
    const number = this.#freeNumbers.pop() ?? this.#open.size
    const { ledger } = this.#options
    const store = new ReplicaStore({ ...this.#options, ...place, number, writer: this.#writer, ledger })
    const open = { store, followers: new Map<string, Set<Following>>() }
    this.#open.add(open)
    return open
  }

  /** Ends a replica without viewers. */
  close(open: OpenReplica): void {
    this.#open.delete(open)
    this.#changed.delete(open.store)
    open.store.end()
    this.#freeNumbers.push(open.store.number)
  }

  /** Called after a change of a replica, or of views. Schedules a tick after `replicaTickMs`, if none is scheduled. */
  changed(store?: ReplicaStore): void {
    if (store !== undefined) this.#changed.add(store)
    this.#cancelTick ??= this.#options.timers.after(this.#options.limits.replicaTickMs, () => this.flush())
  }

  /** @throws as `Replica.view`. */
  view(open: OpenReplica, session: ViewingSession, viewpoint: Viewpoint | undefined): View {
    const area: ViewArea = { centre: this.#centreOf(open.store, viewpoint) }
    const viewer = this.#viewsOf(session).viewerOf(open.store)
    const followed = viewpoint !== undefined && "follow" in viewpoint ? viewpoint.follow : undefined
    const unfollow = followed === undefined ? (): void => {} : this.#follow(open, followed, { area, viewer })
    viewer.add(area)
    this.changed()
    const { atomic } = this.#options
    const close = (): void => {
      unfollow()
      viewer.delete(area)
      this.changed()
    }
    if (atomic.isOpen) atomic.onThrow(close)
    return {
      moveTo: (position) => {
        if (open.store.area === undefined) return
        const centre = this.#cellFor(open.store, position)
        atomic.defer(() => {
          unfollow()
          this.#aim({ area, viewer }, centre)
        })
      },
      close: () => atomic.defer(close),
    }
  }

  /** Makes a session a viewer: of all records, or of none until `view` if the replica has an area or owners. */
  enter({ store }: OpenReplica, session: ViewingSession): void {
    const viewer = this.#viewsOf(session).viewerOf(store)
    if (store.area === undefined && !store.hasOwners) viewer.add({ centre: { x: 0, y: 0 } })
    this.changed()
  }

  /** Ends all views of a session in a replica. Nothing is sent: the client has removed the records. */
  leave(open: OpenReplica, session: ViewingSession): void {
    const views = this.#sessions.get(session)
    const viewer = views?.find(open.store)
    if (views === undefined || viewer === undefined) return
    this.#unfollow(open, (other) => other === viewer)
    views.drop(viewer)
  }

  /** Runs a tick: sends all changes to viewers. Called by the timer, or by a game with its own tick. */
  flush(): void {
    const { atomic } = this.#options
    if (atomic.isOpen) {
      // Viewers must not receive changes that may be undone.
      atomic.defer(() => this.flush())
      return
    }
    // Without a scheduled tick nothing has changed.
    if (this.#cancelTick === undefined) return
    for (const open of this.#followed) this.#moveFollowers(open)
    this.#cancelTick()
    this.#cancelTick = undefined
    const { clock, counters, onError } = this.#options
    let packed = 0
    for (const store of this.#changed) packed += store.commit(clock.now(), onError)
    this.#changed.clear()
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
    for (const open of this.#followed) this.#unfollow(open, (viewer) => views.find(open.store) === viewer)
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
      for (const { store } of this.#open) isLeft = store.expireDeltas(clock.now()) || isLeft
      if (isLeft) this.#expireLater()
    })
  }

  /** Moves the areas that follow a record to its current cell. */
  #moveFollowers({ store, followers }: OpenReplica): void {
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

  #follow(open: OpenReplica, id: string, following: Following): () => void {
    const { followers } = open
    const others = followers.get(id) ?? new Set<Following>()
    followers.set(id, others.add(following))
    this.#followed.add(open)
    return () => {
      others.delete(following)
      if (others.size === 0 && followers.get(id) === others) followers.delete(id)
      if (followers.size === 0) this.#followed.delete(open)
    }
  }

  /** Removes the areas of some viewers that follow a record. */
  #unfollow(open: OpenReplica, isOf: (viewer: ReplicaViewer) => boolean): void {
    const { followers } = open
    for (const [id, following] of followers) {
      for (const one of following) if (isOf(one.viewer)) following.delete(one)
      if (following.size === 0) followers.delete(id)
    }
    if (followers.size === 0) this.#followed.delete(open)
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
    const only = viewpoint !== undefined && "only" in viewpoint ? viewpoint.only : undefined
    if (store.hasOwners !== (only !== undefined))
      throw new TypeError(
        store.hasOwners
          ? `the replica "${store.name}" is visible to owners, so a view of it needs the id of one record: pass { only: id }`
          : `the replica "${store.name}" has no owners; declare visibleTo: "owner", or view it without { only }`,
      )
    if (only !== undefined) {
      store.assertId(only)
      return store.ownPlace(only)
    }
    if (viewpoint === undefined && store.area !== undefined)
      throw new TypeError(
        `the replica "${store.name}" has an area, so a view of it needs a viewpoint: pass { x, y } or { follow: id }`,
      )
    if (viewpoint !== undefined && "follow" in viewpoint) {
      store.assertId(viewpoint.follow)
      return store.placeOf(viewpoint.follow)
    }
    return this.#cellFor(store, viewpoint !== undefined && "x" in viewpoint ? viewpoint : { x: 0, y: 0 })
  }

  #cellFor({ area, name }: ReplicaStore, position: CellPlace): CellPlace {
    if (area === undefined) return { x: 0, y: 0 }
    const cell = cellOf(position, area.cellSize)
    // Above the limit, coordinates have no exact neighbours and no encoding on the wire.
    if (Math.abs(cell.x) <= cellMax && Math.abs(cell.y) <= cellMax) return cell
    const { x, y } = position
    throw new RangeError(`a view of the replica "${name}" cannot be at x ${quoted(x)}, y ${quoted(y)}`)
  }
}
