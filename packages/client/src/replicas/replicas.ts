// The client's copies of all replicas: routes frames to copies, and emits the events of each frame. Reports records that do not
// match the contract. A topic owns the copies of its replicas. Must not know sessions and memberships.
import { ReplicaSchema, quoted, readReplicaFrame } from "@hawser/protocol/core"
import type { Clock, MessageLimits, ReplicaSpec } from "@hawser/protocol"
import type { ReplicaFrame, ReplicaHold, ReplicaPartsFrame } from "@hawser/protocol/core"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Store } from "../base/store.ts"
import type {
  ReplicaCopy,
  ReplicaEvent,
  ReplicaEvents,
  ReplicaFreshness,
  ReplicaSnapshot,
  ReplicaUpdate,
  Values,
} from "./replica-api.ts"
import { fittingHolds } from "./fitting-holds.ts"
import { ReplicaRecords, assertCompatible } from "./replica-records.ts"
import type { ReplicaCopies } from "../session/replica-copies.ts"

type Events = ReplicaEvents & { readonly update: ReplicaUpdate; readonly stale: ReplicaFreshness }

interface CopyOptions {
  readonly clock: Clock
  /** Returns wall-clock milliseconds since 1970. */
  readonly wallClockMs: () => number
  readonly onError: (error: unknown) => void
}

/** A replica of a topic. */
export interface TopicReplica {
  readonly topic: string
  readonly name: string
  readonly spec: ReplicaSpec
  /** Called before a listener is added. */
  readonly onUse: () => void
}

export interface ReplicasOptions extends CopyOptions {
  readonly replicas: Readonly<Record<string, ReplicaSpec>>
  /** Returns the copy of a topic's replica; undefined if the client is not in the topic, or its contract lacks the replica. */
  readonly copyOf: (topic: string, name: string) => ShownReplica | undefined
}

export class Replicas implements ReplicaCopies {
  readonly #options: ReplicasOptions
  readonly #shown = new Map<string, ShownReplica>()
  /** Copies of topics that the client is in. */
  readonly #ofTopics = new Set<ShownReplica>()
  /** Copies by the server's numbers on this connection. */
  readonly #numbers = new Map<number, ShownReplica>()

  constructor(options: ReplicasOptions) {
    this.#options = options
    for (const [name, spec] of Object.entries(options.replicas))
      this.#shown.set(name, new ShownReplica({ name, spec }, options))
  }

  get(name: string): ReplicaCopy | undefined {
    return this.#shown.get(name)
  }

  /** Makes the copy of a topic's replica. Its topic calls `clear` at the end of each membership. */
  make(replica: TopicReplica): ShownReplica {
    return new ShownReplica(replica, this.#options)
  }

  /** Empties the copy of a topic that the client has left. Later frames of its replica are skipped. */
  clear(shown: ShownReplica): void {
    this.#ofTopics.delete(shown)
    for (const [number, other] of this.#numbers) if (other === shown) this.#numbers.delete(number)
    shown.clear()
  }

  #all(): ShownReplica[] {
    return [...this.#shown.values(), ...this.#ofTopics]
  }

  /** Returns the cells of all copies with their versions, for HAVE: those that fit into a message of these limits. */
  held(limits: MessageLimits): ReplicaHold[] {
    const held = this.#all().flatMap((shown) => shown.held() ?? [])
    return fittingHolds(held, limits)
  }

  /** Marks all copies as stale since `receivedAtMs`, the time of the last message of the lost connection. */
  detach(receivedAtMs: number): void {
    this.#numbers.clear()
    for (const shown of this.#all()) shown.detach(receivedAtMs)
  }

  /** Notes the server's description of a replica's records. */
  describe({ replica, name, topic, schema, epoch }: ReplicaFrame): void {
    const shown = topic === undefined ? this.#shown.get(name) : this.#options.copyOf(topic, name)
    // A replica that the client's contract lacks is ignored, and one of a topic that the client has left.
    if (shown?.describe(ReplicaSchema.from(schema), epoch) !== true) return
    this.#numbers.set(replica, shown)
    if (topic !== undefined) this.#ofTopics.add(shown)
  }

  /** Applies snapshots and deltas. @throws RangeError for bytes that contradict earlier frames of this connection. */
  receive({ bytes }: ReplicaPartsFrame): void {
    let target: ShownReplica | undefined
    let isFresh = false
    readReplicaFrame(bytes, (head) => {
      target = this.#numbers.get(head.replica)
      isFresh = head.isFresh
      if (isFresh) target?.records?.detach()
      return target?.records
    })
    target?.settle(isFresh)
  }
}

const recordEvents: ReadonlySet<string> = new Set(["enter", "change", "leave"])

/** The copy of one replica. */
export class ShownReplica implements ReplicaCopy {
  readonly name: string
  readonly #replica: Pick<TopicReplica, "name" | "spec"> & Partial<TopicReplica>
  readonly #options: CopyOptions
  readonly #bus: EventBus<Events>
  /** Subscribers of single records, by id. */
  readonly #recordBus: EventBus<Record<string, undefined>>
  #snapshot: ReplicaSnapshot | undefined
  /** Records of the last snapshot; undefined after a change of a record. */
  #shownRecords: ReadonlyMap<string, Values> | undefined
  #records: ReplicaRecords | undefined
  /** Time of the last message of the lost connection; undefined while the copy is up to date. */
  #staleSinceMs: number | undefined
  /** The same in milliseconds since 1970; undefined while the copy is up to date, and before the first connection. */
  #heardAtMs: number | undefined

  constructor(replica: Pick<TopicReplica, "name" | "spec"> & Partial<TopicReplica>, options: CopyOptions) {
    this.name = replica.name
    this.#replica = replica
    this.#options = options
    this.#bus = new EventBus<Events>(options)
    this.#recordBus = new EventBus(options)
    this.#staleSinceMs = options.clock.now()
  }

  get records(): ReplicaRecords | undefined {
    return this.#records
  }

  get size(): number {
    return this.#records?.size ?? 0
  }

  get stale(): boolean {
    return this.#staleSinceMs !== undefined
  }

  get ageMs(): number {
    return this.#staleSinceMs === undefined ? 0 : this.#options.clock.now() - this.#staleSinceMs
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  get(id: string): Values | undefined {
    return this.#records?.get(id)
  }

  *ids(): IterableIterator<string> {
    yield* this.#records?.ids() ?? []
  }

  *values(): IterableIterator<Values> {
    for (const [, record] of this.entries()) yield record
  }

  *entries(): IterableIterator<[string, Values]> {
    yield* this.#records?.entries() ?? []
  }

  [Symbol.iterator](): IterableIterator<[string, Values]> {
    return this.entries()
  }

  on<K extends keyof ReplicaEvents>(
    kind: K,
    listener: (event: ReplicaEvents[K]) => unknown,
    options?: ListenOptions,
  ): Unsubscribe {
    if (!recordEvents.has(kind))
      throw new TypeError(
        `a replica has no event ${quoted(kind)}; its events: ${[...recordEvents].join(", ")}, and subscribe() for each update`,
      )
    return this.#used.on(kind, listener, options)
  }

  readonly subscribe = (listener: (update: ReplicaUpdate) => unknown, options?: ListenOptions): Unsubscribe =>
    this.#used.on("update", listener, options)

  readonly snapshot = (): ReplicaSnapshot => {
    this.#shownRecords ??= new Map(this.entries())
    return (this.#snapshot ??= Object.freeze({
      records: this.#shownRecords,
      stale: this.stale,
      heardAtMs: this.#heardAtMs,
    }))
  }

  record(id: string): Store<Values | undefined> {
    return {
      snapshot: () => this.get(id),
      subscribe: (changed) => {
        this.#replica.onUse?.()
        return this.#recordBus.on(id, () => changed())
      },
    }
  }

  onStale(listener: (change: ReplicaFreshness) => unknown, options?: ListenOptions): Unsubscribe {
    return this.#used.on("stale", listener, options)
  }

  /** The listeners, before one is added. */
  get #used(): EventBus<Events> {
    this.#replica.onUse?.()
    return this.#bus
  }

  get hasListeners(): boolean {
    return !this.#bus.isEmpty || !this.#recordBus.isEmpty
  }

  held(): ReplicaHold | undefined {
    const { topic } = this.#replica
    return this.#records && { ...this.#records.held(), ...(topic === undefined ? {} : { topic }) }
  }

  /** Removes all records. The copy is stale until its next frame. */
  clear(): void {
    const gone = this.#records?.clear() ?? []
    this.#records = undefined
    if (gone.length > 0) this.#emit(gone)
    this.detach(this.#options.clock.now())
  }

  detach(receivedAtMs: number): void {
    this.#records?.detach()
    if (this.stale) return
    const { clock, wallClockMs } = this.#options
    const heardAtMs = Math.round(wallClockMs() - (clock.now() - receivedAtMs))
    this.#staleSinceMs = receivedAtMs
    this.#heardAtMs = heardAtMs
    this.#emit([])
    this.#bus.emit("stale", { kind: "stale", heardAtMs })
  }

  /** Notes the schema of the server's records. Returns false, and reports it, if it does not match the client's contract. */
  describe(schema: ReplicaSchema | undefined, epoch: string | undefined): boolean {
    const own = ReplicaSchema.of(this.#replica.spec.fields)
    try {
      assertCompatible(this.name, own, schema ?? new ReplicaSchema([]))
    } catch (error) {
      this.#options.onError(error)
      return false
    }
    if (schema === undefined) return false
    // A replaced server may pack its records by other fields.
    if (
      this.#records === undefined ||
      JSON.stringify(this.#records.schema.shape) !== JSON.stringify(schema.shape)
    ) {
      const names = new Set(own.fields.map(({ name }) => name))
      const gone = this.#records?.clear() ?? []
      this.#records = new ReplicaRecords({ name: this.name, epoch, schema, names })
      if (gone.length > 0) this.#emit(gone)
    } else {
      this.#records.enterEpoch(epoch)
    }
    return true
  }

  settle(isFresh: boolean): void {
    const events = this.#records?.settle(isFresh) ?? []
    const wasStale = this.stale
    this.#staleSinceMs = undefined
    this.#heardAtMs = undefined
    if (events.length > 0 || isFresh || wasStale) this.#emit(events)
    if (wasStale) this.#bus.emit("stale", { kind: "fresh" })
  }

  #emit(events: readonly ReplicaEvent[]): void {
    this.#snapshot = undefined
    if (events.length > 0) this.#shownRecords = undefined
    for (const event of events) {
      this.#bus.emit(event.kind, event)
      if (!this.#recordBus.isEmpty) this.#recordBus.emit(event.id, undefined)
    }
    this.#bus.emit("update", { events })
  }
}
