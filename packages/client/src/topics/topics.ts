// All topics of a client: finds the room that a frame is for, and sends the rooms' requests. Knows no sockets.
import { HawserError } from "@hawser/protocol"
import { readJoined, readLeft, readPresenceEvent, topicCalls, topicKindOf } from "@hawser/protocol/core"
import type { Schema, TopicSpecs } from "@hawser/protocol"
import type { EventFrame, Frame, TimerQueue, TopicCall } from "@hawser/protocol/core"
import { check } from "../base/checked.ts"
import type { CallStats } from "../calls/call-stats.ts"
import type { CallOptions, Requests } from "../calls/requests.ts"
import type { Delivered } from "../base/event-delivery.ts"
import type { SessionEvent } from "../session/session-event.ts"
import { RoomShelf } from "./room-shelf.ts"
import { Room } from "./topic-room.ts"
import type { RoomCalls } from "./topic-room.ts"

export interface TopicsOptions {
  readonly topics: TopicSpecs
  /** False in `2.0`, which has no topics for clients. */
  readonly isServed: boolean
  readonly callStats: CallStats
  readonly requests: () => Requests
  readonly requestTimeoutMs: number
  readonly timers: () => TimerQueue
  readonly isOnline: () => boolean
  readonly isClosed: () => boolean
  readonly inOrder: (work: () => void) => void
  readonly onError: (error: unknown) => void
}

interface TopicCallOptions extends CallOptions {
  readonly ahead?: boolean
  readonly isUntimed?: boolean
}

export class Topics {
  readonly #options: TopicsOptions
  readonly #kinds: ReadonlyMap<string, TopicSpecs[string]>
  readonly #rooms = new RoomShelf()
  readonly #calls: RoomCalls

  constructor(options: TopicsOptions) {
    this.#options = options
    const { $join, $leave, $publish, $presence } = topicCalls
    this.#kinds = new Map(Object.entries(options.topics))
    this.#calls = {
      join: (input, how) => this.#call("$join", $join.output, { input, how }),
      leave: async (topic) => {
        await this.#call("$leave", $leave.output, { input: { topic }, how: { isUntimed: true } })
      },
      requestTimeoutMs: options.requestTimeoutMs,
      publish: async (input, how) => {
        const { offset } = await this.#call("$publish", $publish.output, { input, how })
        return { offset: offset ?? undefined }
      },
      setState: async (input, how) => void (await this.#call("$presence", $presence.output, { input, how })),
      hold: (value, what) => options.requests().hold(value, what),
      after: (delayMs, callback) => options.timers().after(delayMs, callback),
    }
  }

  /** Undefined for a name of no kind, or that no topic may have. */
  room(name: string): Room | undefined {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const spec = this.#kinds.get(topicKindOf(name) ?? "")
    if (spec === undefined) return undefined
    const { isOnline, isClosed, inOrder, onError } = this.#options
    const schema = spec.presence
    const onUse = (used: Room): void => this.#rooms.use(used)
    const room = new Room({ name, schema, calls: this.#calls, isOnline, isClosed, inOrder, onUse, onError })
    this.#rooms.use(room)
    return room
  }

  /** Returns true for a frame that no listener of the client gets. */
  receive(frame: Frame): boolean {
    if (frame.kind === "topicEvent")
      return this.#rooms.get(frame.topic)?.onPublication(frame.offset) === false
    if (frame.kind !== "event") return false
    switch (frame.type) {
      case "$join":
        this.#find(readJoined(frame.payload), frame, (room, event) => room.onJoined(event))
        return true
      case "$leave":
        this.#find(readLeft(frame.payload), frame, (room, { code, message }) =>
          room.onPutOut(new HawserError(code, { message })),
        )
        return true
      case "$presence":
        this.#find(readPresenceEvent(frame.payload), frame, (room, event) => room.onPresence(event))
        return true
      default:
        return false
    }
  }

  /** In its turn, after the listeners of the client itself. */
  onDelivered(event: string, delivered: Delivered): void {
    const { topic } = delivered.meta
    if (topic !== undefined) this.#rooms.get(topic)?.onDelivered(event, delivered)
  }

  onSession(event: SessionEvent): void {
    if (event.kind !== "reset") return
    const cause = new HawserError(event.cause)
    for (const room of this.#rooms.all()) room.onReset(cause)
  }

  onFresh(): void {
    for (const room of this.#rooms.all()) room.onFresh()
  }

  onClosed(): void {
    for (const room of this.#rooms.all()) room.onClosed()
  }

  #find<E extends { readonly topic: string }>(
    event: E | undefined,
    { type }: EventFrame,
    then: (room: Room, event: E) => void,
  ): void {
    const room = event && this.room(event.topic)
    if (event !== undefined && room !== undefined) then(room, event)
    else this.#options.onError(new HawserError("invalid_reply", { message: `"${type}" cannot be read` }))
  }

  async #call<Reply>(
    name: TopicCall,
    replies: Schema<unknown, Reply>,
    { input, how }: { readonly input: object; readonly how: TopicCallOptions },
  ): Promise<Reply> {
    const { callStats, isServed, requests } = this.#options
    if (!isServed)
      throw new HawserError("not_available", { message: "protocol 2.0 has no topics for clients" })
    const { ahead = false, isUntimed = false, ...options } = how
    const watch = callStats.watch(name)
    const reply = await requests().call({
      call: "command",
      name,
      spec: anyCall,
      input,
      options,
      ahead,
      isUntimed,
      watch,
    })
    const checked = await check(replies, reply, `"${name}"`)
    if (checked.ok) return checked.value
    throw checked.error
  }
}

const anything: Schema = {
  "~standard": { version: 1, vendor: "hawser", validate: (value) => ({ value }) },
}
const anyCall = { input: anything, output: anything }
