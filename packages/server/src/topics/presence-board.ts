// Tells the members of topics who is there: what changed within a tick goes out as one event, encoded once for all of
// them. A member whose client is away is told everything when it is back, so that nothing piles up for it.
import { presencePayload } from "@hawser/protocol"
import type { EventSpec, PresenceEvent, TimerQueue } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { ServerCounters } from "../counters.ts"
import type { ServerSession } from "../session/server-session.ts"
import type { FanOut } from "./fan-out.ts"
import { Presence } from "./presence.ts"
import type { Present } from "./presence.ts"
import { Publication } from "./publication.ts"
import type { Encoders } from "./publication.ts"

/** A session in a topic that it joined itself. */
export interface Seat<User extends AuthenticatedUser> extends Present {
  readonly topic: string
  readonly session: ServerSession<User>
  /** True where members are told of each other. */
  readonly isShown: boolean
  /** True when it was away while others were told of changes. */
  isBehind: boolean
}

export interface PresenceBoardOptions {
  readonly encoders: Encoders
  readonly fanOut: FanOut
  readonly timers: Pick<TimerQueue, "after">
  readonly counters: ServerCounters
  readonly tickMs: number
  readonly listMaxCount: number
}

/** What the protocol itself tells clients, without a schema of the application. */
export const ownEvent: EventSpec = {
  payload: { "~standard": { version: 1, vendor: "hawser", validate: (value) => ({ value }) } },
}

export class PresenceBoard<User extends AuthenticatedUser> {
  readonly #options: PresenceBoardOptions
  readonly #topics = new Map<string, Presence<Seat<User>>>()
  readonly #changed = new Set<string>()
  #cancelTick: (() => void) | undefined

  constructor(options: PresenceBoardOptions) {
    this.#options = options
  }

  list(topic: string): ReturnType<Presence<Seat<User>>["list"]> | undefined {
    return this.#topics.get(topic)?.list()
  }

  add(seat: Seat<User>): void {
    const presence = this.#topics.get(seat.topic) ?? new Presence<Seat<User>>(this.#options.listMaxCount)
    this.#topics.set(seat.topic, presence)
    presence.add(seat)
    this.#touch(seat.topic)
  }

  delete(seat: Seat<User>): void {
    const presence = this.#topics.get(seat.topic)
    presence?.delete(seat)
    if (presence?.size === 0) this.#topics.delete(seat.topic)
    else this.#touch(seat.topic)
  }

  /** Its state, or whether its client is away. */
  changed(seat: Seat<User>): void {
    this.#topics.get(seat.topic)?.changed(seat)
    this.#touch(seat.topic)
  }

  /** Its client is back. */
  catchUp(seat: Seat<User>): void {
    const list = this.list(seat.topic)
    if (!seat.isBehind || list === undefined) return
    seat.isBehind = false
    this.#tell([seat], { topic: seat.topic, isFull: true, ...list, gone: [] })
  }

  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#changed.clear()
  }

  #touch(topic: string): void {
    this.#changed.add(topic)
    this.#cancelTick ??= this.#options.timers.after(this.#options.tickMs, () => this.#tick())
  }

  #tick(): void {
    this.#cancelTick = undefined
    const topics = [...this.#changed]
    this.#changed.clear()
    for (const topic of topics) {
      const presence = this.#topics.get(topic)
      const change = presence?.takeChange()
      if (presence === undefined || change === undefined) continue
      const here: Seat<User>[] = []
      for (const seat of presence.members()) {
        if (seat.session.attached) here.push(seat)
        else seat.isBehind = true
      }
      this.#tell(here, { topic, isFull: false, ...change })
    }
  }

  #tell(seats: readonly Seat<User>[], event: PresenceEvent): void {
    const { encoders, fanOut, counters } = this.#options
    if (seats.length === 0) return
    counters.presenceUpdates += 1
    const payload = presencePayload(event)
    const publication = new Publication(encoders, {
      name: "$presence",
      spec: ownEvent,
      payload,
      source: undefined,
    })
    fanOut.run(() => {
      for (const seat of seats) seat.session.publish(publication)
    })
  }
}
