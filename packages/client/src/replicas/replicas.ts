// The client's copies of all replicas: routes frames to copies, and emits the events of each frame. Reports records that do not
// match the contract. Must not know sessions.
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

export interface ReplicasOptions extends CopyOptions {
  readonly replicas: Readonly<Record<string, ReplicaSpec>>
}

export class Replicas implements ReplicaCopies {
  readonly #shown = new Map<string, ShownReplica>()
  /** Copies by the server's numbers on this connection. */
  readonly #numbers = new Map<number, ShownReplica>()

  constructor(options: ReplicasOptions) {
    for (const [name, spec] of Object.entries(options.replicas))
      this.#shown.set(name, new ShownReplica(name, spec, options))
  }

  get(name: string): ReplicaCopy | undefined {
    return this.#shown.get(name)
  }

  /** Returns the cells of all copies with their versions, for HAVE: those that fit into a message of these limits. */
  held(limits: MessageLimits): ReplicaHold[] {
    const held = [...this.#shown.values()].flatMap((shown) => shown.held() ?? [])
    return fittingHolds(held, limits)
  }

  /** Marks all copies as stale since `receivedAtMs`, the time of the last message of the lost connection. */
  detach(receivedAtMs: number): void {
    this.#numbers.clear()
    for (const shown of this.#shown.values()) shown.detach(receivedAtMs)
  }

  /** Notes the server's description of a replica's records. */
  describe({ replica, name, schema, epoch }: ReplicaFrame): void {
    const shown = this.#shown.get(name)
    // A replica that the client's contract lacks is ignored.
    if (shown?.describe(ReplicaSchema.from(schema), epoch) === true) this.#numbers.set(replica, shown)
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

class ShownReplica implements ReplicaCopy {
  readonly name: string
  readonly #spec: ReplicaSpec
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

  constructor(name: string, spec: ReplicaSpec, options: CopyOptions) {
    this.name = name
    this.#spec = spec
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
    return this.#bus.on(kind, listener, options)
  }

  readonly subscribe = (listener: (update: ReplicaUpdate) => unknown, options?: ListenOptions): Unsubscribe =>
    this.#bus.on("update", listener, options)

  readonly snapshot = (): ReplicaSnapshot => {
    this.#shownRecords ??= new Map(this.entries())
    return (this.#snapshot ??= Object.freeze({ records: this.#shownRecords, stale: this.stale }))
  }

  record(id: string): Store<Values | undefined> {
    return {
      snapshot: () => this.get(id),
      subscribe: (changed) => this.#recordBus.on(id, () => changed()),
    }
  }

  onStale(listener: (change: ReplicaFreshness) => unknown, options?: ListenOptions): Unsubscribe {
    return this.#bus.on("stale", listener, options)
  }

  held(): ReplicaHold | undefined {
    return this.#records?.held()
  }

  detach(receivedAtMs: number): void {
    this.#records?.detach()
    if (this.stale) return
    this.#staleSinceMs = receivedAtMs
    this.#emit([])
    const { clock, wallClockMs } = this.#options
    const heardAtMs = Math.round(wallClockMs() - (clock.now() - receivedAtMs))
    this.#bus.emit("stale", { kind: "stale", heardAtMs })
  }

  /** Notes the schema of the server's records. Returns false, and reports it, if it does not match the client's contract. */
  describe(schema: ReplicaSchema | undefined, epoch: string | undefined): boolean {
    const own = ReplicaSchema.of(this.#spec.fields)
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
