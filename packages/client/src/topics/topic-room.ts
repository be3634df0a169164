// One topic as an application holds it: its stay, who else is there, and who listens. What arrives takes its place in the
// order of all events of the client.
import { HawserError } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type { Contract, Encoded, Schema, TopicGap, TopicPosition } from "@hawser/protocol"
import type { JoinedEvent, PresenceEvent } from "@hawser/protocol/core"
import type { CallOptions } from "../calls/requests.ts"
import { EventBus } from "../base/event-bus.ts"
import type { ListenOptions, Unsubscribe } from "../base/event-bus.ts"
import type { Delivered, EventMeta } from "../base/event-delivery.ts"
import { PresenceCopy } from "./presence-copy.ts"
import type { JoinOptions, PublishOptions, Published, TopicRoom, TopicState } from "./topic-api.ts"
import { TopicReader } from "./topic-reader.ts"
import type { ReaderItem } from "./topic-reader.ts"
import { TopicStay } from "./topic-stay.ts"
import type { TopicCalls } from "./topic-stay.ts"

export interface RoomCalls extends TopicCalls {
  publish(input: object, options: CallOptions): Promise<Published>
  setState(input: object, options: CallOptions): Promise<void>
  /** Encodes a value that is a member of a request's input. */
  hold(value: unknown, what: string): Encoded<unknown> | undefined
}

export interface RoomOptions {
  readonly name: string
  readonly schema: Schema | undefined
  readonly calls: RoomCalls
  readonly isOnline: () => boolean
  /** True while the client is closed: an iteration that begins then ends at once. */
  readonly isClosed: () => boolean
  /** Runs after everything that came before was given to its listeners. */
  readonly inOrder: (work: () => void) => void
  /** Before somebody is in, or listens. */
  readonly onUse: (room: Room) => void
  readonly onError: (error: unknown) => void
}

interface RoomEvents {
  readonly gap: TopicGap
  readonly left: HawserError
}

export class Room implements TopicRoom<Contract, string> {
  readonly name: string
  readonly presence: PresenceCopy
  readonly #options: RoomOptions
  readonly #stay: TopicStay
  readonly #events: EventBus<Record<string, Delivered>>
  readonly #bus: EventBus<RoomEvents>
  readonly #readers = new Set<TopicReader>()

  constructor(options: RoomOptions) {
    const { name, schema, calls, isOnline, inOrder, onUse, onError } = options
    this.name = name
    this.#options = options
    this.#events = new EventBus({ onError })
    this.#bus = new EventBus({ onError })
    const isLive = (): boolean => this.state === "in" && isOnline()
    this.presence = new PresenceCopy({ topic: name, schema, isLive, onUse: () => onUse(this), onError })
    this.#stay = new TopicStay({
      topic: name,
      calls,
      onOut: (reason) =>
        inOrder(() => {
          this.#close()
          this.#bus.emit("left", reason)
        }),
    })
  }

  get state(): TopicState {
    return this.#stay.state
  }

  get position(): TopicPosition | undefined {
    return this.#stay.position
  }

  /** True while somebody is in, wants to be, or listens. */
  get isUsed(): boolean {
    const isHeard = !this.#events.isEmpty || !this.#bus.isEmpty || !this.presence.isUnheard
    return !this.#stay.isOver || isHeard || this.#readers.size > 0
  }

  join(options: JoinOptions & { readonly state?: unknown } = {}): Promise<void> {
    const { since, recent = 0, signal } = options
    if (signal?.aborted === true)
      return Promise.reject(new HawserError("cancelled", { cause: signal.reason }))
    let state
    try {
      if (!Number.isSafeInteger(recent) || recent < 0)
        throw new RangeError(`recent of a join must be a whole number from 0, not ${quoted(recent)}`)
      state = this.#held(options.state, "state")
    } catch (error) {
      return Promise.reject(error)
    }
    this.#options.onUse(this)
    const joined = this.#stay.join({ state, since, recent })
    if (signal === undefined) return joined
    const onAbort = (): void => {
      if (this.state !== "joining") return
      const reason = new HawserError("cancelled", { cause: signal.reason })
      this.#leave(reason).catch(this.#options.onError)
    }
    signal.addEventListener("abort", onAbort, { once: true })
    return joined.finally(() => signal.removeEventListener("abort", onAbort))
  }

  leave(): Promise<void> {
    return this.#leave(new HawserError("cancelled", { message: `"${this.name}" was left` }))
  }

  async publish(
    event: string,
    payload: unknown,
    { echo = true, ...options }: PublishOptions = {},
  ): Promise<Published> {
    const held = this.#held(payload, `payload of "${event}"`) ?? null
    const input = { topic: this.name, event, payload: held, ...(echo ? {} : { echo }) }
    return await this.#options.calls.publish(input, options)
  }

  async setState(state: unknown, options: CallOptions = {}): Promise<void> {
    const held = this.#held(state, "state")
    await this.#options.calls.setState({ topic: this.name, state: held }, options)
    this.#stay.setState(held)
  }

  /**
   * The value as it is now: a later join sends it again.
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
    const reader = new TopicReader((left) => this.#readers.delete(left))
    if (this.#options.isClosed()) reader.end()
    else this.#readers.add(reader)
    return reader
  }

  // --- from the server ------------------------------------------------------------------------------------------

  onJoined(event: JoinedEvent): void {
    const before = this.#stay.position
    const joinedOf = this.#stay.onJoined(event)
    if (joinedOf === "givenUp" && !event.more) this.#stay.tellLeft().catch(this.#options.onError)
    if (joinedOf === "skipped") return
    const { gap, presence, self } = event
    this.#options.inOrder(() => {
      if (gap !== undefined) {
        const epoch = gap.reason === "restarted" ? (before?.epoch ?? event.epoch) : event.epoch
        this.#onGap({ topic: this.name, epoch, ...gap })
      }
      if (presence !== undefined && joinedOf === "current") this.presence.replace(presence, self)
    })
  }

  onPutOut(reason: HawserError): void {
    this.#stay.onLeft(reason)
  }

  onPresence({ isFull, gone, ...list }: PresenceEvent): void {
    if (this.state !== "in") return
    this.#options.inOrder(() => {
      if (isFull) this.presence.replace(list)
      else this.presence.update(list, gone)
    })
  }

  /** A publication has arrived and will be delivered in its turn, unless this returns false. */
  onPublication(offset: number): boolean {
    return this.#stay.onPublication(offset)
  }

  onDelivered(event: string, { payload, meta }: Delivered): void {
    this.#events.emit(event, { payload, meta })
    this.#read({ kind: "message", event, payload, meta })
  }

  onReset(cause: HawserError): void {
    this.#stay.onReset(cause)
  }

  onFresh(): void {
    this.#stay.onFresh()
  }

  /** The client is closed: iterations end when everything that came before has been read. */
  onClosed(): void {
    this.#options.inOrder(() => this.#endReaders())
  }

  #leave(reason: HawserError): Promise<void> {
    const left = this.#stay.leave(reason)
    this.#close()
    return left
  }

  #endReaders(): void {
    for (const reader of [...this.#readers]) reader.end()
    this.#readers.clear()
  }

  #close(): void {
    this.#endReaders()
    this.presence.replace({ count: 0, members: [] }, 0)
  }

  #onGap(gap: TopicGap): void {
    this.#bus.emit("gap", gap)
    this.#read({ kind: "gap", gap })
  }

  #read(item: ReaderItem): void {
    const place = { topic: this.name, epoch: this.#stay.position?.epoch ?? "" }
    for (const reader of [...this.#readers]) reader.push(item, place)
  }
}
