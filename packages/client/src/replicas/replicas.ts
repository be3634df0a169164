// The client's copies of all replicas: which frame goes to which copy, and who is told of what it brought about.
import { ReplicaSchema, readReplicaFrame } from "@hawser/protocol/core"
import type { Clock, ReplicaSpec } from "@hawser/protocol"
import type { ReplicaFrame, ReplicaHold, ReplicaPartsFrame } from "@hawser/protocol/core"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import { ReplicaCopy, assertCompatible } from "./replica-copy.ts"
import type { ReplicaEvent, Values } from "./replica-copy.ts"
import type { ReplicaCopies } from "../session/replica-copies.ts"

/** What becomes of a record. */
export interface ReplicaEvents<R extends object = Values> {
  /** It came into view, or into being. */
  readonly enter: { readonly kind: "enter"; readonly id: string; readonly record: R }
  readonly change: {
    readonly kind: "change"
    readonly id: string
    readonly record: R
    /** As it was before. */
    readonly before: R
  }
  /** It went out of view, or out of being; `record` is what it was. */
  readonly leave: { readonly kind: "leave"; readonly id: string; readonly record: R }
}

/** What one frame brought about, each record once. */
export interface ReplicaUpdate<R extends object = Values> {
  readonly events: readonly ReplicaEvents<R>[keyof ReplicaEvents<R>][]
}

/**
 * The client's copy of a replica: the records in view, by id. It can be read at any time, also while the connection is
 * away; then `stale` says so. Records are never changed in place: a changed one is another object.
 */
export interface ReplicaView<R extends object = Values> {
  readonly name: string
  /** Records in view. */
  readonly size: number
  /** True while it may not be how things are: there is no connection, or it has not been brought up to date since. */
  readonly stale: boolean
  /** Milliseconds since the last message of the lost connection; 0 while it is how things are. */
  readonly ageMs: number
  has(id: string): boolean
  get(id: string): R | undefined
  ids(): IterableIterator<string>
  values(): IterableIterator<R>
  entries(): IterableIterator<[string, R]>
  [Symbol.iterator](): IterableIterator<[string, R]>
  /** Calls `listener` for each record that enters, changes or leaves. */
  on<K extends keyof ReplicaEvents<R>>(
    kind: K,
    listener: (event: ReplicaEvents<R>[K]) => unknown,
    options?: ListenOptions,
  ): Unsubscribe
  /** Calls `listener` once for everything that came together. */
  subscribe(listener: (update: ReplicaUpdate<R>) => unknown, options?: ListenOptions): Unsubscribe
}

type Events = ReplicaEvents & { readonly update: ReplicaUpdate }

export interface ReplicasOptions {
  readonly replicas: Readonly<Record<string, ReplicaSpec>>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export class Replicas implements ReplicaCopies {
  readonly #shown = new Map<string, ShownReplica>()
  /** By the numbers of this connection. */
  readonly #numbers = new Map<number, ShownReplica>()

  constructor({ replicas, clock, onError }: ReplicasOptions) {
    for (const [name, spec] of Object.entries(replicas))
      this.#shown.set(name, new ShownReplica(name, spec, { clock, onError }))
  }

  get(name: string): ReplicaView | undefined {
    return this.#shown.get(name)
  }

  /** Cells of all copies, records of all copies. */
  get counts(): { readonly cells: number; readonly records: number } {
    let [cells, records] = [0, 0]
    for (const shown of this.#shown.values()) {
      cells += shown.cellCount
      records += shown.size
    }
    return { cells, records }
  }

  /** What a server that is asked to go on with the session may take for known. */
  held(): ReplicaHold[] {
    return [...this.#shown.values()].flatMap((shown) => shown.held() ?? [])
  }

  /** The connection is gone; its last message came at `heardAtMs`. */
  detach(heardAtMs: number): void {
    this.#numbers.clear()
    for (const shown of this.#shown.values()) shown.detach(heardAtMs)
  }

  /** What the server says of a replica's records. */
  describe({ replica, name, schema, epoch }: ReplicaFrame): void {
    const shown = this.#shown.get(name)
    // A replica that this client's contract lacks is passed over.
    if (shown?.describe(ReplicaSchema.from(schema), epoch) === true) this.#numbers.set(replica, shown)
  }

  /** @throws RangeError for bytes that cannot be what this server sent before. */
  receive({ bytes }: ReplicaPartsFrame): void {
    let target: ShownReplica | undefined
    let isFresh = false
    readReplicaFrame(bytes, (head) => {
      target = this.#numbers.get(head.replica)
      isFresh = head.isFresh
      if (isFresh) target?.copy?.beginAnew()
      return target?.copy
    })
    target?.settle(isFresh)
  }
}

class ShownReplica implements ReplicaView {
  readonly name: string
  readonly #spec: ReplicaSpec
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #bus: EventBus<Events>
  #copy: ReplicaCopy | undefined
  /** Undefined while it is how things are. */
  #staleSinceMs: number | undefined

  constructor(
    name: string,
    spec: ReplicaSpec,
    { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
  ) {
    this.name = name
    this.#spec = spec
    this.#clock = clock
    this.#onError = onError
    this.#bus = new EventBus<Events>({ onError })
    this.#staleSinceMs = clock.now()
  }

  get copy(): ReplicaCopy | undefined {
    return this.#copy
  }

  get size(): number {
    return this.#copy?.size ?? 0
  }

  get cellCount(): number {
    return this.#copy?.cellCount ?? 0
  }

  get stale(): boolean {
    return this.#staleSinceMs !== undefined
  }

  get ageMs(): number {
    return this.#staleSinceMs === undefined ? 0 : this.#clock.now() - this.#staleSinceMs
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  get(id: string): Values | undefined {
    return this.#copy?.get(id)
  }

  *ids(): IterableIterator<string> {
    yield* this.#copy?.ids() ?? []
  }

  *values(): IterableIterator<Values> {
    for (const [, record] of this.entries()) yield record
  }

  *entries(): IterableIterator<[string, Values]> {
    yield* this.#copy?.entries() ?? []
  }

  [Symbol.iterator](): IterableIterator<[string, Values]> {
    return this.entries()
  }

  on<K extends keyof ReplicaEvents>(
    kind: K,
    listener: (event: ReplicaEvents[K]) => unknown,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#bus.on(kind, listener, options)
  }

  subscribe(listener: (update: ReplicaUpdate) => unknown, options?: ListenOptions): Unsubscribe {
    return this.#bus.on("update", listener, options)
  }

  held(): ReplicaHold | undefined {
    return this.#copy?.held()
  }

  detach(heardAtMs: number): void {
    this.#copy?.detach()
    this.#staleSinceMs ??= heardAtMs
  }

  /** False when these records cannot be shown by the contract of this client. */
  describe(schema: ReplicaSchema | undefined, epoch: string | undefined): boolean {
    const own = ReplicaSchema.of(this.#spec.fields)
    try {
      assertCompatible(this.name, own, schema ?? new ReplicaSchema([]))
    } catch (error) {
      this.#onError(error)
      return false
    }
    if (schema === undefined) return false
    // A replaced server may pack its records by other fields.
    if (
      this.#copy === undefined ||
      JSON.stringify(this.#copy.schema.shape) !== JSON.stringify(schema.shape)
    ) {
      const names = new Set(own.fields.map(({ name }) => name))
      const gone = this.#copy?.clear() ?? []
      this.#copy = new ReplicaCopy({ name: this.name, epoch, schema, names })
      if (gone.length > 0) this.#emit(gone)
    } else {
      this.#copy.enterEpoch(epoch)
    }
    return true
  }

  settle(isFresh: boolean): void {
    const events = this.#copy?.settle(isFresh) ?? []
    this.#staleSinceMs = undefined
    if (events.length > 0 || isFresh) this.#emit(events)
  }

  #emit(events: readonly ReplicaEvent[]): void {
    for (const event of events) this.#tell(event)
    this.#bus.emit("update", { events })
  }

  #tell(event: ReplicaEvent): void {
    switch (event.kind) {
      case "enter":
        this.#bus.emit("enter", event)
        return
      case "change":
        this.#bus.emit("change", event)
        return
      case "leave":
        this.#bus.emit("leave", event)
    }
  }
}
