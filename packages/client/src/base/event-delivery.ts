// Events on their way to the listeners: validated, and one after another, also where a validator is asynchronous.
// What the client tells of its session takes its place among them.
import { HawserError } from "@hawser/protocol"
import { quoted } from "@hawser/protocol/core"
import type { EventSpec } from "@hawser/protocol"
import type { EventFrame, Frame, TopicEventFrame, VolatileFrame } from "@hawser/protocol/core"
import { check } from "./checked.ts"
import type { Checked } from "./checked.ts"
import type { EventBus } from "./event-bus.ts"

/** Where an event came from. */
export interface EventMeta {
  /** The topic that published it, if one did. */
  readonly topic: string | undefined
  /** Its number in that topic; volatile events have none. */
  readonly offset: number | undefined
}

export interface Delivered {
  readonly payload: unknown
  readonly meta: EventMeta
}

export interface EventDeliveryOptions {
  readonly events: ReadonlyMap<string, EventSpec>
  readonly bus: EventBus<Record<string, Delivered>>
  /** What a topic published, after it went to the listeners of its event. */
  readonly onTopicEvent: (event: string, delivered: Delivered) => void
  readonly onError: (error: unknown) => void
}

export class EventDelivery {
  readonly #options: EventDeliveryOptions
  /** What is still being validated; undefined when nothing is. */
  #tail: Promise<void> | undefined

  constructor(options: EventDeliveryOptions) {
    this.#options = options
  }

  /** Hands an event to its listeners; other frames are nobody's. */
  deliver(frame: Frame): void {
    this.run(() => this.#deliver(frame))
  }

  /**
   * Runs after everything that came before: at once, unless that is still being validated. Never throws: a message whose
   * delivery fails is settled like any other.
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
    const { events, onError } = this.#options
    if (frame.kind !== "event" && frame.kind !== "topicEvent" && frame.kind !== "volatile") return undefined
    const spec = events.get(frame.type)
    if (spec === undefined) {
      // A welcome payload of `2.0` is for contracts that declare the event.
      if (frame.type !== "welcome")
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
    if (meta.topic !== undefined) onTopicEvent(type, delivered)
  }
}

function metaOf(frame: EventFrame | TopicEventFrame | VolatileFrame): EventMeta {
  if (frame.kind === "topicEvent") return { topic: frame.topic, offset: frame.offset }
  return { topic: frame.kind === "volatile" ? frame.topic : undefined, offset: undefined }
}
