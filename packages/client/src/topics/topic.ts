// One topic at the client: its membership, its copy of the presence list, its listeners and iterations. Received items are
// delivered in the order of all events of the client. Must not know frames or sessions.
import { HawserError } from "@hawser/protocol"
import { assertOptionNames, assertOptions, assertType, quoted, unknownName } from "@hawser/protocol/core"
import type { Contract, Encoded, ReplicaSpec, Schema, TopicGap, TopicPosition } from "@hawser/protocol"
import type { JoinedEvent, OptionTable, PresenceEvent } from "@hawser/protocol/core"
import { callOptions } from "../calls/call-options.ts"
import type { CallOptions } from "../calls/requests.ts"
import { AsyncQueue, asItIs } from "../base/async-queue.ts"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Delivered, EventMeta } from "../base/event-delivery.ts"
import type { Replicas, ShownReplica } from "../replicas/replicas.ts"
import { hasConnection } from "../session/status.ts"
import type { ClientStatus } from "../session/status.ts"
import { PresenceMembers } from "./presence-members.ts"
import type { Store } from "../base/store.ts"
import type {
  JoinOptions,
  LogOptions,
  PublishOptions,
  Published,
  ClientTopic,
  TopicReplicas,
  TopicState,
} from "./topic-api.ts"
import { TopicLogs } from "./topic-logs.ts"
import { overrunAt, readerMaxCount } from "./topic-reader.ts"
import type { ReaderItem, TopicReader } from "./topic-reader.ts"
import { TopicMembership } from "./topic-membership.ts"
import type { MembershipCalls } from "./topic-membership.ts"

export interface TopicCalls extends MembershipCalls {
  publish(input: object, options: CallOptions): Promise<Published>
  setState(input: object, options: CallOptions): Promise<void>
  /** Encodes a member of a request's input. `what` names it in an error. */
  hold(value: unknown, what: string): Encoded<unknown> | undefined
}

/** Dependencies of all topics. */
export interface TopicHost {
  /** Returns the client's status. */
  readonly status: () => ClientStatus
  /** Runs `work` after all earlier events were delivered. */
  readonly inOrder: (work: () => void) => void
  /** Returns the feature `replicas`; undefined if the client lacks it. */
  readonly copies: () => Pick<Replicas, "make" | "clear"> | undefined
  readonly onError: (error: unknown) => void
}

export interface TopicOptions extends TopicHost {
  readonly name: string
  readonly schema: Schema | undefined
  /** Events that the contract declares for the topic's kind. */
  readonly events: readonly string[]
  /** Replicas that the contract declares for the topic's kind. */
  readonly replicas: Readonly<Record<string, ReplicaSpec>>
  readonly calls: TopicCalls
  /** Called before a join and before a listener is added. */
  readonly onUse: (topic: Topic) => void
}

interface TopicEvents {
  readonly gap: TopicGap
  readonly left: HawserError
}

const joinOptions: OptionTable<JoinOptions & { readonly state?: unknown }> = {
  signal: "object",
  since: "object",
  recent: "any",
  state: "any",
}

const publishOptions: OptionTable<PublishOptions> = { ...callOptions, echo: "boolean" }

export class Topic implements ClientTopic<Contract, string>, TopicReplicas<Contract, string> {
  readonly name: string
  readonly presence: PresenceMembers
  readonly membership: TopicMembership
  readonly #options: TopicOptions
  readonly #events: EventBus<Record<string, Delivered>>
  readonly #bus: EventBus<TopicEvents>
  readonly #readers = new Set<TopicReader>()
  readonly #logs: TopicLogs
  readonly #copies = new Map<string, ShownReplica>()
  /** Items since the call of `join`, for iterations that begin before the turn after its end; undefined outside of that time. */
  #backlog: ReaderItem[] | undefined

  constructor(options: TopicOptions) {
    const { name, schema, calls, status, inOrder, onUse, onError } = options
    this.name = name
    this.#options = options
    this.#events = new EventBus(options)
    this.#bus = new EventBus(options)
    this.#logs = new TopicLogs({ onUse: () => onUse(this), onError })
    const isLive = (): boolean => this.state === "in" && hasConnection(status())
    this.presence = new PresenceMembers({ topic: name, schema, isLive, onUse: () => onUse(this), onError })
    this.membership = new TopicMembership({
      topic: name,
      calls,
      onError,
      onJoinOver: () => this.#dropBacklogSoon(),
      onOut: (reason) =>
        inOrder(() => {
          this.#close()
          this.#bus.emit("left", reason)
        }),
    })
  }

  get state(): TopicState {
    return this.membership.state
  }

  get position(): TopicPosition | undefined {
    return this.membership.position
  }

  /** True from a join until the server has confirmed the leave, and while listeners or iterations exist. */
  get isUsed(): boolean {
    const hasListeners = !this.#events.isEmpty || !this.#bus.isEmpty || this.presence.hasListeners
    const areCopiesUsed = [...this.#copies.values()].some((copy) => copy.hasListeners)
    return (
      !this.membership.isOver ||
      hasListeners ||
      areCopiesUsed ||
      this.#readers.size > 0 ||
      this.#logs.areWatched
    )
  }

  join(options: JoinOptions & { readonly state?: unknown } = {}): Promise<void> {
    const { since, recent = 0, signal } = options
    if (signal?.aborted === true)
      return Promise.reject(new HawserError("cancelled", { cause: signal.reason }))
    let state
    try {
      assertOptions(`join of "${this.name}"`, options, joinOptions)
      if (!Number.isSafeInteger(recent) || recent < 0)
        throw new RangeError(`recent of a join must be a whole number from 0, not ${quoted(recent)}`)
      state = this.#held(options.state, "state")
    } catch (error) {
      return Promise.reject(error)
    }
    this.#options.onUse(this)
    if (this.state === "out" && since === undefined) this.#logs.clear()
    if (this.state === "out") this.#backlog = []
    const joined = this.membership.join({ state, since, recent })
    if (signal === undefined) return joined
    const onAbort = (): void => {
      if (this.state !== "joining") return
      const reason = new HawserError("cancelled", { cause: signal.reason })
      this.#leave(reason).catch(this.#options.onError)
    }
    signal.addEventListener("abort", onAbort, { once: true })
    return joined.finally(() => signal.removeEventListener("abort", onAbort))
  }

  /** Keeps the items of a join until the turn of the event loop after it: an iteration that begins then yields them first. */
  #dropBacklogSoon(): void {
    const backlog = this.#backlog
    this.#options.calls.after(0, () => {
      if (this.#backlog === backlog) this.#backlog = undefined
    })
  }

  leave(): Promise<void> {
    return this.#leave(new HawserError("cancelled", { message: `"${this.name}" was left` }))
  }

  async publish(event: string, payload: unknown, how: PublishOptions = {}): Promise<Published> {
    assertOptions(`publish to "${this.name}"`, how, publishOptions)
    this.#assertEvent(event)
    const { echo = true, ...options } = how
    const held = this.#held(payload, `payload of "${event}"`) ?? null
    const input = { topic: this.name, event, payload: held, ...(echo ? {} : { echo }) }
    return await this.#options.calls.publish(input, options)
  }

  async setState(state: unknown, options: CallOptions = {}): Promise<void> {
    assertOptionNames(`setState of "${this.name}"`, options, callOptions)
    const held = this.#held(state, "state")
    await this.#options.calls.setState({ topic: this.name, state: held }, options)
    this.membership.setState(held)
  }

  /**
   * Encodes a value at once, so a later join sends the same value.
   * @throws UnsendableError
   */
  #held(value: unknown, what: string): Encoded<unknown> | undefined {
    return this.#options.calls.hold(value, `the ${what} in "${this.name}"`)
  }

  on(
    event: string,
    listener: (payload: unknown, meta: EventMeta) => unknown,
    options?: ListenOptions,
  ): Unsubscribe {
    this.#assertEvent(event)
    assertType(`the listener of "${event}"`, "function", listener)
    this.#options.onUse(this)
    return this.#events.on(event, ({ payload, meta }) => listener(payload, meta), options)
  }

  onGap(listener: (gap: TopicGap) => unknown, options?: ListenOptions): Unsubscribe {
    this.#options.onUse(this)
    return this.#bus.on("gap", listener, options)
  }

  onLeft(listener: (reason: HawserError) => unknown, options?: ListenOptions): Unsubscribe {
    this.#options.onUse(this)
    return this.#bus.on("left", listener, options)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ReaderItem, undefined> {
    this.#options.onUse(this)
    const reader: TopicReader = new AsyncQueue({
      maxCount: readerMaxCount,
      read: asItIs,
      onReturn: () => this.#readers.delete(reader),
    })
    // On a closed client the iteration ends at once.
    if (this.#options.status().state === "closed") reader.end()
    else this.#readers.add(reader)
    for (const item of this.#backlog ?? []) reader.push(item)
    return reader
  }

  log(options: LogOptions = {}): Store<readonly ReaderItem[]> {
    assertOptionNames(`log of "${this.name}"`, options, { size: 0 })
    this.#options.onUse(this)
    return this.#logs.get(options.size)
  }

  replica(name: string): ShownReplica {
    const known = this.#copies.get(name)
    if (known !== undefined) return known
    const { copies, onUse, replicas } = this.#options
    const maker = copies()
    if (maker === undefined)
      throw new TypeError("this client has no replicas: add replicas() to its option use")
    const spec = Object.hasOwn(replicas, name) ? replicas[name] : undefined
    if (spec === undefined) throw this.#lacking("replica", name, Object.keys(replicas))
    const copy = maker.make({ topic: this.name, name, spec, onUse: () => onUse(this) })
    this.#copies.set(name, copy)
    return copy
  }

  // --- from the server ------------------------------------------------------------------------------------------

  onJoined(event: JoinedEvent): void {
    const before = this.membership.position
    const joinedOf = this.membership.onJoined(event)
    if (joinedOf === "abandoned" && !event.more) this.membership.abandon()
    if (joinedOf === "skipped") return
    const { gap, presence, self } = event
    this.#options.inOrder(() => {
      if (gap !== undefined) {
        const epoch = gap.reason === "restarted" ? (before?.epoch ?? event.epoch) : event.epoch
        this.#onGap({ topic: this.name, epoch, ...gap })
      }
      if (presence !== undefined && joinedOf === "current") this.presence.replace(presence, self)
      else this.presence.checkStale()
    })
  }

  onPresence({ isFull, gone, ...list }: PresenceEvent): void {
    if (this.state !== "in") return
    this.#options.inOrder(() => {
      if (isFull) this.presence.replace(list)
      else this.presence.update(list, gone)
    })
  }

  onDelivered(event: string, delivered: Delivered): void {
    this.#events.emit(event, delivered)
    this.#read({ kind: "message", event, ...delivered })
  }

  /** Returns the copy that a REPLICA describes; undefined for one of an earlier membership, or that the contract lacks. */
  described(name: string): ShownReplica | undefined {
    return this.state === "in" && Object.hasOwn(this.#options.replicas, name) ? this.replica(name) : undefined
  }

  /** Ends the membership of a session that has ended. The next session joins again. */
  onReset(cause: HawserError): void {
    this.membership.onReset(cause)
    this.presence.checkStale()
  }

  /** Ends iterations after all earlier items: the client is closed. */
  onClosed(): void {
    this.#options.inOrder(() => this.#endReaders())
  }

  #lacking(what: "event" | "replica", name: string, names: readonly string[]): TypeError {
    return unknownName(`the topic "${this.name}" has no ${what}`, name, names)
  }

  #assertEvent(event: string): void {
    const { events } = this.#options
    if (!events.includes(event)) throw this.#lacking("event", event, events)
  }

  #leave(reason: HawserError): Promise<void> {
    const left = this.membership.leave(reason)
    this.#close()
    return left
  }

  #endReaders(): void {
    this.#backlog = undefined
    for (const reader of [...this.#readers]) reader.end()
    this.#readers.clear()
  }

  #close(): void {
    this.#endReaders()
    this.presence.replace({ count: 0, members: [] }, 0)
    this.presence.checkStale()
    for (const copy of this.#copies.values()) this.#options.copies()?.clear(copy)
  }

  #onGap(gap: TopicGap): void {
    this.#bus.emit("gap", gap)
    this.#read({ kind: "gap", gap })
  }

  #read(item: ReaderItem): void {
    const overrun = overrunAt({ topic: this.name, epoch: this.membership.position?.epoch ?? "" })
    for (const reader of [...this.#readers]) reader.push(item, overrun)
    this.#logs.push(item)
    if (this.#backlog !== undefined && this.#backlog.push(item) > readerMaxCount) overrun(this.#backlog)
  }
}
