// Tells the members of topics who is there: what changed within a tick goes out as one event, encoded once for all of
// them. A member whose client is away is told everything when it is back, so that nothing piles up for it.
import { presencePayload } from "@hawser/protocol/core"
import type { EventSpec, ServerLimits } from "@hawser/protocol"
import type { PresenceEvent, PresenceList, TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerCounters } from "../base/counters.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { FanOut } from "../session/conversation/fan-out.ts"
import { Presence } from "./presence.ts"
import type { PresenceLimits, Present } from "./presence.ts"
import type { TopicPresenceRecord } from "./topic-records.ts"
import { Publication } from "../session/conversation/publication.ts"

/** A session in a topic that it joined itself. */
export interface Seat<User extends AuthenticatedUser> extends Present {
  readonly topic: string
  /** Another object after the session was thawed. */
  session: ServerSession<User>
  /** True where members are told of each other. */
  readonly isShown: boolean
  /** True when it was away while others were told of changes. */
  isBehind: boolean
}

export interface PresenceBoardOptions {
  readonly fanOut: FanOut
  readonly timers: Pick<TimerQueue, "after">
  readonly counters: ServerCounters
  readonly limits: Pick<
    ServerLimits,
    | "clientMessage"
    | "presenceListMaxCount"
    | "presenceStateMaxBytes"
    | "presenceTickMs"
    | "sendBufferMaxBytes"
  >
  readonly onError: (error: unknown) => void
}

/** Elements of a listed member beside its state: its own array with four items, as one item of the list. */
const memberElements = 5
/** Bytes of the id of a member that has gone. */
const goneBytes = 9

/**
 * So that every EVENT fits into one message, three quarters of it for the list and an eighth for those who have gone; the
 * list also into half of a send buffer.
 */
function boundsOf(limits: PresenceBoardOptions["limits"]): {
  readonly list: PresenceLimits
  readonly goneMaxCount: number
} {
  const { clientMessage, presenceListMaxCount, presenceStateMaxBytes, sendBufferMaxBytes } = limits
  const { maxBytes, maxElements } = clientMessage
  // A state has no more elements than bytes.
  const fitting = Math.floor((0.75 * maxElements) / (memberElements + presenceStateMaxBytes))
  return {
    list: {
      listMaxCount: Math.min(presenceListMaxCount, fitting),
      listMaxBytes: Math.min(0.75 * maxBytes, 0.5 * sendBufferMaxBytes),
      stateMaxBytes: presenceStateMaxBytes,
    },
    goneMaxCount: Math.max(1, Math.floor(Math.min(maxBytes / goneBytes, maxElements) / 8)),
  }
}

/** What the protocol itself tells clients, without a schema of the application. */
export const ownEvent: EventSpec = {
  payload: { "~standard": { version: 1, vendor: "hawser", validate: (value) => ({ value }) } },
}

export class PresenceBoard<User extends AuthenticatedUser> {
  readonly #options: PresenceBoardOptions
  readonly #bounds: ReturnType<typeof boundsOf>
  readonly #topics = new Map<string, Presence<Seat<User>>>()
  readonly #changed = new Set<string>()
  #cancelTick: (() => void) | undefined

  constructor(options: PresenceBoardOptions) {
    this.#options = options
    this.#bounds = boundsOf(options.limits)
  }

  list(topic: string): ReturnType<Presence<Seat<User>>["list"]> | undefined {
    return this.#topics.get(topic)?.list()
  }

  /** As it will be when this seat has been added. */
  listWith(seat: Seat<User>): PresenceList {
    return (this.#topics.get(seat.topic) ?? this.#empty()).listWith(seat)
  }

  /** At most so many bytes of a message list the members of a topic. */
  listedBytes(topic: string): number {
    return this.#topics.get(topic)?.listedBytes ?? 0
  }

  add(seat: Seat<User>): void {
    const presence = this.#topics.get(seat.topic) ?? this.#empty()
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

  // --- as plain data --------------------------------------------------------------------------------------------

  freeze(): TopicPresenceRecord[] {
    return [...this.#topics].map(([topic, presence]) => ({ topic, ...presence.freeze() }))
  }

  /**
   * Restores what `freeze` wrote, in a board without members. Changes that were not published go out with the next tick.
   * @param seatOf returns the restored seat of this member in this topic; undefined if its session was not restored.
   */
  thaw(
    records: readonly TopicPresenceRecord[],
    seatOf: (topic: string, member: number) => Seat<User> | undefined,
  ): void {
    for (const record of records) {
      const { topic } = record
      const presence = this.#empty()
      presence.thaw(record, (member) => seatOf(topic, member))
      if (presence.size === 0) continue
      this.#topics.set(topic, presence)
      if (presence.hasChange) this.#touch(topic)
    }
  }

  stop(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#changed.clear()
  }

  #empty(): Presence<Seat<User>> {
    return new Presence<Seat<User>>(this.#bounds.list)
  }

  #touch(topic: string): void {
    const { limits, timers } = this.#options
    this.#changed.add(topic)
    this.#cancelTick ??= timers.after(limits.presenceTickMs, () => this.#tick())
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
      this.#tellChange(here, { topic, isFull: false, ...change })
    }
  }

  /** Those who have gone may be more than one message holds. */
  #tellChange(seats: readonly Seat<User>[], change: PresenceEvent): void {
    const { goneMaxCount } = this.#bounds
    const first = change.gone.slice(0, goneMaxCount)
    this.#tell(seats, { ...change, gone: first })
    for (let from = goneMaxCount; from < change.gone.length; from += goneMaxCount)
      this.#tell(seats, { ...change, members: [], gone: change.gone.slice(from, from + goneMaxCount) })
  }

  #tell(seats: readonly Seat<User>[], event: PresenceEvent): void {
    const { fanOut, counters, onError } = this.#options
    if (seats.length === 0) return
    counters.presenceUpdates += 1
    const payload = presencePayload(event)
    const publication = new Publication(counters, {
      name: "$presence",
      spec: ownEvent,
      payload,
      source: undefined,
    })
    try {
      fanOut.run(() => {
        for (const seat of seats) seat.session.publish(publication)
      })
    } catch (error) {
      // Its states were judged before; other topics of this tick must not pay for a fault of this server.
      onError(error)
    }
  }
}
