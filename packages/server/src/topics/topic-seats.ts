// Which sessions joined which topics by themselves, against the bounds of a session and of a user. Knows no permissions.
import { HawserError } from "@hawser/protocol"
import { Encoded } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { Seat } from "./presence-board.ts"
import type { SeatRecord, StateRecord } from "../session/life/session-record.ts"

export class TopicSeats<User extends AuthenticatedUser> {
  readonly #limits: Pick<ServerLimits, "topicsPerSession" | "topicsPerUser">
  readonly #bySession = new Map<Session<User>, Map<string, Seat<User>>>()
  readonly #countByUser = new Map<string, number>()
  #count = 0

  constructor(limits: Pick<ServerLimits, "topicsPerSession" | "topicsPerUser">) {
    this.#limits = limits
  }

  get size(): number {
    return this.#count
  }

  get(topic: string, session: Session<User>): Seat<User> | undefined {
    return this.#bySession.get(session)?.get(topic)
  }

  of(session: Session<User>): readonly Seat<User>[] {
    return [...(this.#bySession.get(session)?.values() ?? [])]
  }

  /** @throws HawserError `rate_limited` when the session, or its user, is in as many topics as it may be. */
  assertRoom(session: Session<User>): void {
    const { topicsPerSession, topicsPerUser } = this.#limits
    if ((this.#bySession.get(session)?.size ?? 0) >= topicsPerSession)
      throw new HawserError("rate_limited", { message: `a session has ${topicsPerSession} topics at most` })
    if ((this.#countByUser.get(session.user.id) ?? 0) >= topicsPerUser)
      throw new HawserError("rate_limited", { message: `a user has ${topicsPerUser} topics at most` })
  }

  add(seat: Seat<User>): void {
    const { session, topic } = seat
    const seats = this.#bySession.get(session) ?? new Map<string, Seat<User>>()
    this.#bySession.set(session, seats.set(topic, seat))
    this.#countUser(session.user.id, 1)
  }

  delete({ session, topic }: Seat<User>): void {
    const seats = this.#bySession.get(session)
    if (seats?.delete(topic) !== true) return
    if (seats.size === 0) this.#bySession.delete(session)
    this.#countUser(session.user.id, -1)
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  /** Returns the seats of one session, in order of their joins. */
  freeze(session: Session<User>): SeatRecord[] {
    return this.of(session).map(({ topic, id, state, away, isBehind }) => ({
      topic,
      session: session.id,
      member: id,
      state: state === undefined ? null : stateRecordOf(state),
      away,
      isBehind,
    }))
  }

  /**
   * Restores seats that `freeze` wrote, and returns them. Seats of other sessions than `session` are left out.
   * @param isShown true for a topic whose kind has presence.
   */
  thaw(
    records: readonly SeatRecord[],
    session: ServerSession<User>,
    isShown: (topic: string) => boolean,
  ): Seat<User>[] {
    return records.flatMap((record) => {
      if (record.session !== session.id) return []
      const { topic, member: id, state, away, isBehind } = record
      const seat: Seat<User> = {
        id,
        topic,
        session,
        user: session.user.id,
        state: state === null ? undefined : Encoded.of(undefined, { ...state }),
        away,
        isShown: isShown(topic),
        isBehind,
      }
      this.add(seat)
      return [seat]
    })
  }

  #countUser(userId: string, change: 1 | -1): void {
    this.#count += change
    const count = (this.#countByUser.get(userId) ?? 0) + change
    if (count === 0) this.#countByUser.delete(userId)
    else this.#countByUser.set(userId, count)
  }
}

function stateRecordOf(state: Encoded<unknown>): StateRecord {
  const { bytes, depth, elements, longestKeyBytes } = state.encoding(() => {
    throw new TypeError("the state of a member is encoded when it joins")
  })
  return { bytes, depth, elements, longestKeyBytes }
}
