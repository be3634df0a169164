// Delivers events to listeners, and validates them first if the application asked for it. Must not know sessions.
import type { Author, EventSpec } from "@hawser/protocol"
import type { EventFrame, Frame, TopicEventFrame, VolatileFrame } from "@hawser/protocol/core"
import { checkNow } from "./checked.ts"
import type { ClientCounters } from "./counters.ts"
import type { EventBus } from "./event-bus.ts"

/** Origin of an event. */
export interface EventMeta {
  /** Name of the topic that published the event; undefined for an event outside of topics. */
  readonly topic: string | undefined
  /**
   * Offset of the publication in its topic; undefined for volatile events and outside of topics. Offsets may repeat after a gap of
   * reason `restarted`.
   */
  readonly offset: number | undefined
  /**
   * Client that published to the topic: the id of its user, and of its member in the presence list if it had joined. The server
   * writes it. Absent or undefined: the server published.
   */
  readonly author?: Author | undefined
}

export interface Delivered {
  readonly payload: unknown
  readonly meta: EventMeta
}

export interface EventDeliveryOptions {
  /** Events that the contract declares. */
  readonly events: ReadonlyMap<string, EventSpec>
  /** Events that are dropped, not counted, if the contract does not declare them. */
  readonly optionalEvents: ReadonlySet<string>
  readonly counters: Pick<ClientCounters, "eventsUnknown">
  /** True: events are validated by the contract. */
  readonly validateReplies: boolean
  readonly bus: EventBus<Record<string, Delivered>>
  /** Called with each publication of a topic, after the listeners of its event. */
  readonly onTopicEvent: (topic: string, event: string, delivered: Delivered) => void
  readonly onError: (error: unknown) => void
}

export class EventDelivery {
  readonly #options: EventDeliveryOptions

  constructor(options: EventDeliveryOptions) {
    this.#options = options
  }

  /** Delivers an event to its listeners. Ignores other frames. */
  deliver(frame: Frame): void {
    this.run(() => this.#deliver(frame))
  }

  /** Runs `work`. Never throws: errors go to `onError`, and the message is settled. */
  run(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #deliver(frame: Frame): void {
    const { counters, events, optionalEvents, validateReplies, onError } = this.#options
    if (frame.kind !== "event" && frame.kind !== "topicEvent" && frame.kind !== "volatile") return
    const { type, payload } = frame
    const spec = events.get(type)
    if (spec === undefined) {
      // A newer server may have more events.
      if (!optionalEvents.has(type)) counters.eventsUnknown += 1
      return
    }
    if (!validateReplies) {
      this.#emit(type, { payload, meta: metaOf(frame) })
      return
    }
    const checked = checkNow(spec.payload, payload, `event "${type}"`)
    if (checked.ok) this.#emit(type, { payload: checked.value, meta: metaOf(frame) })
    else onError(checked.error)
  }

  #emit(type: string, delivered: Delivered): void {
    const { bus, onTopicEvent } = this.#options
    bus.emit(type, delivered)
    const { topic } = delivered.meta
    if (topic !== undefined) onTopicEvent(topic, type, delivered)
  }
}

function metaOf(frame: EventFrame | TopicEventFrame | VolatileFrame): EventMeta {
  if (frame.kind === "event") return { topic: undefined, offset: undefined, author: undefined }
  const { topic, author } = frame
  return { topic, offset: frame.kind === "topicEvent" ? frame.offset : undefined, author }
}
