// All topics of a client: routes received frames to their topics, and sends the topics' requests. Must not know sockets.
import { HawserError } from "@hawser/protocol"
import {
  errorWithCode,
  readJoined,
  readLeft,
  readPresenceEvent,
  topicReplies,
  topicKindOf,
} from "@hawser/protocol/core"
import type { Schema, TopicSpecs } from "@hawser/protocol"
import type { EventFrame, Frame, TopicCall } from "@hawser/protocol/core"
import { check } from "../base/checked.ts"
import type { CallStats } from "../calls/call-stats.ts"
import type { CallOptions, Requests } from "../calls/requests.ts"
import type { Delivered } from "../base/event-delivery.ts"
import type { Dependencies } from "../session/run-client-options.ts"
import type { ShownReplica } from "../replicas/replicas.ts"
import type { SessionEvent } from "../session/session-event.ts"
import type { ClientStatus } from "../session/status.ts"
import { TopicShelf } from "./topic-shelf.ts"
import { Topic } from "./topic.ts"
import type { TopicCalls, TopicHost } from "./topic.ts"

export interface TopicsOptions
  extends TopicHost, Pick<Dependencies, "dialect" | "limits" | "timers" | "validateReplies"> {
  /** Kinds of topics that the contract declares. */
  readonly topics: TopicSpecs
  readonly callStats: CallStats
  readonly requests: () => Requests
}

interface TopicCallOptions extends CallOptions {
  /** Sends before all waiting requests. */
  readonly ahead?: boolean
  /** Sets no deadline. */
  readonly isUntimed?: boolean
}

export class Topics {
  readonly #options: TopicsOptions
  readonly #kinds: ReadonlyMap<string, TopicSpecs[string]>
  readonly #topics = new TopicShelf()
  readonly #calls: TopicCalls

  constructor(options: TopicsOptions) {
    this.#options = options
    const { $join, $leave, $publish, $presence } = topicReplies
    this.#kinds = new Map(Object.entries(options.topics))
    this.#calls = {
      join: (input, how) => this.#call("$join", $join, { input, how }),
      leave: async (topic) => {
        await this.#call("$leave", $leave, { input: { topic }, how: { isUntimed: true } })
      },
      requestTimeoutMs: options.limits.requestTimeoutMs,
      publish: async (input, how) => {
        const { offset } = await this.#call("$publish", $publish, { input, how })
        return { offset: offset ?? undefined }
      },
      setState: async (input, how) => void (await this.#call("$presence", $presence, { input, how })),
      hold: (value, what) => options.requests().hold(value, what),
      after: (delayMs, callback) => options.timers.after(delayMs, callback),
    }
  }

  /** Returns undefined for a name of an undeclared kind, and for an invalid name. */
  topic(name: string): Topic | undefined {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const spec = this.#kinds.get(topicKindOf(name) ?? "")
    if (spec === undefined) return undefined
    const topic = new Topic({
      ...this.#options,
      name,
      schema: this.#options.validateReplies ? spec.presence : undefined,
      events: spec.events,
      replicas: spec.replicas,
      calls: this.#calls,
      onUse: (used) => this.#topics.use(used),
    })
    this.#topics.use(topic)
    return topic
  }

  /** Returns the copy of a topic's replica that a REPLICA describes. */
  copyOf(topic: string, name: string): ShownReplica | undefined {
    return this.#topics.get(topic)?.described(name)
  }

  /** Handles a frame of a topic. Returns true for a frame that must not be delivered to the client's listeners. */
  receive(frame: Frame): boolean {
    if (frame.kind === "topicEvent")
      return this.#topics.get(frame.topic)?.membership.onPublication(frame.offset) === false
    if (frame.kind !== "event") return false
    switch (frame.type) {
      case "$join":
        this.#find(readJoined(frame.payload), frame, (topic, event) => topic.onJoined(event))
        return true
      case "$leave":
        this.#find(readLeft(frame.payload), frame, (topic, { code, message }) =>
          topic.membership.onRemoved(errorWithCode(code, { message })),
        )
        return true
      case "$presence":
        this.#find(readPresenceEvent(frame.payload), frame, (topic, event) => topic.onPresence(event))
        return true
      default:
        return false
    }
  }

  /** Delivers a publication to its topic, after the client's own listeners. */
  onDelivered(topic: string, event: string, delivered: Delivered): void {
    this.#topics.get(topic)?.onDelivered(event, delivered)
  }

  onSession(event: SessionEvent): void {
    if (event.kind !== "reset") return
    const cause = errorWithCode(event.cause)
    for (const topic of this.#topics.all()) topic.onReset(cause)
  }

  /** Joins all topics again in a new session. */
  onFresh(): void {
    for (const topic of this.#topics.all()) topic.membership.onFresh()
  }

  /** Reports changes of `stale`. Ends all iterations, and rejects joins under way, if the client is closed. */
  onStatus(status: ClientStatus): void {
    for (const topic of this.#topics.all()) {
      if (status.state === "closed") {
        topic.membership.onClosed(status.error)
        topic.onClosed()
      }
      topic.presence.checkStale()
    }
  }

  #find<E extends { readonly topic: string }>(
    event: E | undefined,
    { type }: EventFrame,
    then: (topic: Topic, event: E) => void,
  ): void {
    const topic = event && this.topic(event.topic)
    if (event !== undefined && topic !== undefined) then(topic, event)
    else this.#options.onError(new HawserError("invalid_reply", { message: `"${type}" cannot be read` }))
  }

  async #call<Reply>(
    name: TopicCall,
    replies: Schema<unknown, Reply>,
    { input, how }: { readonly input: object; readonly how: TopicCallOptions },
  ): Promise<Reply> {
    const { callStats, dialect, requests } = this.#options
    const message = dialect.topicsRefusal
    if (message !== undefined) throw new HawserError("not_available", { message })
    const { ahead = false, isUntimed = false, ...options } = how
    const watch = callStats.watch(name)
    const request = { name, reply: undefined, input, options, ahead, isUntimed, watch }
    const reply = await requests().call({ call: "command", ...request })
    const checked = await check(replies, reply, `"${name}"`)
    if (checked.ok) return checked.value
    throw checked.error
  }
}
