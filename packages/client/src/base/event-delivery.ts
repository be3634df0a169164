// Validates events and delivers them to listeners in order, also if a validator is asynchronous. Session events (`resumed`,
// `reset`) pass through the same queue, so they keep their order among application events. Must not know sessions.
import { HawserError } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type { EventSpec } from "@hawser/protocol"
import type { EventFrame, Frame, TopicEventFrame, VolatileFrame } from "@hawser/protocol/core"
import { check } from "./checked.ts"
import type { Checked } from "./checked.ts"
import type { EventBus } from "./event-bus.ts"

/** Origin of an event. */
export interface EventMeta {
  /** Name of the topic that published the event; undefined for an event outside of topics. */
  readonly topic: string | undefined
  /** Offset of the publication in its topic; undefined for volatile events and outside of topics. */
  readonly offset: number | undefined
}

export interface Delivered {
  readonly payload: unknown
  readonly meta: EventMeta
}

export interface EventDeliveryOptions {
  /** Events that the contract declares. */
  readonly events: ReadonlyMap<string, EventSpec>
  /** Events that are dropped, not reported, if the contract does not declare them. */
  readonly optionalEvents: ReadonlySet<string>
  readonly bus: EventBus<Record<string, Delivered>>
  /** Called with each publication of a topic, after the listeners of its event. */
  readonly onTopicEvent: (topic: string, event: string, delivered: Delivered) => void
  readonly onError: (error: unknown) => void
}

export class EventDelivery {
  readonly #options: EventDeliveryOptions
  /** Completion of the queued work; undefined if none is queued. */
  #tail: Promise<void> | undefined

  constructor(options: EventDeliveryOptions) {
    this.#options = options
  }

  /** Validates an event and delivers it to its listeners. Ignores other frames. */
  deliver(frame: Frame): void {
    this.run(() => this.#deliver(frame))
  }

  /**
   * Runs `work` after all earlier work: at once, unless an earlier event is still being validated. Never throws: errors go
   * to `onError`, and the message is settled.
   */
  run(work: () => void | Promise<void>): void {
    const done = this.#tail === undefined ? this.#start(work) : this.#tail.then(work)
    if (done === undefined) return
    const current = done.catch(this.#options.onError).finally(() => {
      if (this.#tail === current) this.#tail = undefined
    })
    this.#tail = current
  }

  #start(work: () => void | Promise<void>): void | Promise<void> {
    try {
      return work()
    } catch (error) {
      return this.#options.onError(error)
    }
  }

  #deliver(frame: Frame): void | Promise<void> {
    const { events, optionalEvents, onError } = this.#options
    if (frame.kind !== "event" && frame.kind !== "topicEvent" && frame.kind !== "volatile") return undefined
    const spec = events.get(frame.type)
    if (spec === undefined) {
      if (!optionalEvents.has(frame.type))
        onError(new HawserError("invalid_reply", { message: `unknown event ${quoted(frame.type)}` }))
      return undefined
    }
    const meta = metaOf(frame)
    const checked = check(spec.payload, frame.payload, `event "${frame.type}"`)
    if (checked instanceof Promise) return checked.then((late) => this.#emit(frame.type, late, meta))
    this.#emit(frame.type, checked, meta)
    return undefined
  }

  #emit(type: string, checked: Checked<unknown>, meta: EventMeta): void {
    const { bus, onTopicEvent, onError } = this.#options
    if (!checked.ok) {
      onError(checked.error)
      return
    }
    const delivered = { payload: checked.value, meta }
    bus.emit(type, delivered)
    if (meta.topic !== undefined) onTopicEvent(meta.topic, type, delivered)
  }
}

function metaOf(frame: EventFrame | TopicEventFrame | VolatileFrame): EventMeta {
  if (frame.kind === "topicEvent") return { topic: frame.topic, offset: frame.offset }
  return { topic: frame.kind === "volatile" ? frame.topic : undefined, offset: undefined }
}
