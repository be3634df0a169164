// Memberships of frozen sessions: their topics and presence stay as they are until the session is thawed or its window has
// passed. Must not know messages and permissions.
import type { TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { SeatRecord } from "../session/life/session-record.ts"
import type { Hub } from "./hub.ts"
import type { PresenceBoard, Seat } from "./presence-board.ts"
import type { TopicSeats } from "./topic-seats.ts"

export interface FrozenSeatsOptions<User extends AuthenticatedUser> {
  readonly hub: Hub<ServerSession<User>>
  readonly seats: TopicSeats<User>
  readonly board: PresenceBoard<User>
  readonly timers: Pick<TimerQueue, "after">
  /** Time for a frozen session to be thawed, in milliseconds. Beyond: it leaves its topics. */
  readonly windowMs: number
  /** True for a topic whose kind has presence. */
  readonly isShown: (topic: string) => boolean
  readonly leave: (seat: Seat<User>) => void
}

interface Frozen<User extends AuthenticatedUser> {
  readonly seats: readonly Seat<User>[]
  readonly cancel: () => void
}

export class FrozenSeats<User extends AuthenticatedUser> {
  readonly #options: FrozenSeatsOptions<User>
  /** By session id. */
  readonly #frozen = new Map<string, Frozen<User>>()

  constructor(options: FrozenSeatsOptions<User>) {
    this.#options = options
  }

  /** Records the topics of a session that is being frozen, and keeps its places in them. */
  freeze(session: ServerSession<User>): readonly SeatRecord[] {
    const { seats, board, timers, windowMs } = this.#options
    const records = seats.freeze(session)
    const kept = seats.of(session)
    if (kept.length === 0) return records
    for (const seat of kept) {
      seat.away = true
      if (seat.isShown) board.changed(seat)
    }
    this.#frozen.set(session.id, {
      seats: kept,
      cancel: timers.after(windowMs, () => this.#drop(session.id)),
    })
    return records
  }

  /** Gives a thawed session its places. Those that this process kept have another session object from now on. */
  thaw(session: ServerSession<User>, records: readonly SeatRecord[]): void {
    const { hub, seats, board, isShown } = this.#options
    const frozen = this.#frozen.get(session.id)
    if (frozen === undefined) {
      for (const seat of seats.thaw(records, session, isShown)) {
        seat.away = true
        hub.join(seat.topic, session)
        if (seat.isShown) board.add(seat)
      }
      return
    }
    frozen.cancel()
    this.#frozen.delete(session.id)
    for (const seat of frozen.seats) {
      const old = seat.session
      seats.delete(seat)
      seat.session = session
      hub.join(seat.topic, session)
      hub.leave(seat.topic, old)
      seats.add(seat)
    }
  }

  stop(): void {
    for (const id of [...this.#frozen.keys()]) this.#drop(id)
  }

  #drop(id: string): void {
    const frozen = this.#frozen.get(id)
    this.#frozen.delete(id)
    frozen?.cancel()
    for (const seat of frozen?.seats ?? []) this.#options.leave(seat)
  }
}
