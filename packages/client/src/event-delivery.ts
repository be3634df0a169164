// Events on their way to the listeners: validated, and one after another, also where a validator is asynchronous.
// What the client tells of its session takes its place among them.
import { HawserError, describeIssues, quoted, validate } from "@hawser/protocol"
import type {
  EventFrame,
  EventSpec,
  Frame,
  TopicEventFrame,
  Validated,
  VolatileFrame,
} from "@hawser/protocol"
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

  /** Runs after everything that came before: at once, unless that is still being validated. */
  run(work: () => void | Promise<void>): void {
    const done = this.#tail === undefined ? work() : this.#tail.then(work)
    if (done === undefined) return
    const current = done.catch(this.#options.onError).finally(() => {
      if (this.#tail === current) this.#tail = undefined
    })
    this.#tail = current
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
    const validated = validate(spec.payload, frame.payload)
    if (validated instanceof Promise) return validated.then((late) => this.#emit(frame.type, late, meta))
    this.#emit(frame.type, validated, meta)
    return undefined
  }

  #emit(type: string, validated: Validated<unknown>, meta: EventMeta): void {
    const { bus, onTopicEvent, onError } = this.#options
    if (validated.ok) {
      const delivered = { payload: validated.value, meta }
      bus.emit(type, delivered)
      if (meta.topic !== undefined) onTopicEvent(type, delivered)
      return
    }
    const message = `event "${type}": ${describeIssues(validated.issues)}`
    onError(new HawserError("invalid_reply", { message }))
  }
}

function metaOf(frame: EventFrame | TopicEventFrame | VolatileFrame): EventMeta {
  if (frame.kind === "topicEvent") return { topic: frame.topic, offset: frame.offset }
  return { topic: frame.kind === "volatile" ? frame.topic : undefined, offset: undefined }
}
