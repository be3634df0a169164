// Index of memberships: the topics that each session joined by itself. At `topicsPerSession` or `topicsPerUser` a join is
// rejected with `rate_limited`. Must not know permissions.
import { HawserError } from "@hawser/protocol"
import { Encoded, createPayloadCodec } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { PayloadCodec } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Session } from "../base/session.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import { note, stateRecordOf } from "./membership.ts"
import type { Membership } from "./membership.ts"
import type { MembershipRecord, PresenceStateRecord } from "../session/life/session-record.ts"

type IndexLimits = Pick<ServerLimits, "topicsPerSession" | "topicsPerUser" | "clientMessage">

export class MembershipIndex<User extends AuthenticatedUser> {
  readonly #limits: IndexLimits
  readonly #states: Pick<PayloadCodec, "decode">
  readonly #bySession = new Map<Session<User>, Map<string, Membership<User>>>()
  readonly #countByUser = new Map<string, number>()
  #count = 0

  constructor(limits: IndexLimits) {
    this.#limits = limits
    this.#states = createPayloadCodec(limits.clientMessage)
  }

  get size(): number {
    return this.#count
  }

  get(topic: string, session: Session<User>): Membership<User> | undefined {
    return this.#bySession.get(session)?.get(topic)
  }

  of(session: Session<User>): readonly Membership<User>[] {
    return [...(this.#bySession.get(session)?.values() ?? [])]
  }

  /** Yields all memberships. */
  *all(): Generator<Membership<User>, void> {
    for (const memberships of this.#bySession.values()) yield* memberships.values()
  }

  /** @throws HawserError `rate_limited` if the session has `topicsPerSession` memberships, or its user `topicsPerUser`. */
  assertCapacity(session: Session<User>): void {
    const { topicsPerSession, topicsPerUser } = this.#limits
    if ((this.#bySession.get(session)?.size ?? 0) >= topicsPerSession)
      throw new HawserError("rate_limited", {
        message: `the session has joined ${topicsPerSession} topics (limits.topicsPerSession); leave one first`,
      })
    if ((this.#countByUser.get(session.user.id) ?? 0) >= topicsPerUser)
      throw new HawserError("rate_limited", {
        message: `the user's sessions have joined ${topicsPerUser} topics (limits.topicsPerUser); leave one first`,
      })
  }

  add(membership: Membership<User>): void {
    const { session, topic } = membership
    const memberships = this.#bySession.get(session) ?? new Map<string, Membership<User>>()
    this.#bySession.set(session, memberships.set(topic, membership))
    this.#countUser(session.user.id, 1)
    note(membership)
  }

  delete({ session, topic }: Membership<User>): void {
    const memberships = this.#bySession.get(session)
    if (memberships?.delete(topic) !== true) return
    if (memberships.size === 0) this.#bySession.delete(session)
    this.#countUser(session.user.id, -1)
    session.page?.left(topic)
  }

  // --- as plain data --------------------------------------------------------------------------------------------

  /** Returns the memberships of one session as plain data, in order of their joins. */
  freeze(session: Session<User>): MembershipRecord[] {
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
   * Restores memberships that `freeze` wrote, and returns them. Skips records of other sessions.
   * @param isShown returns true for a topic whose kind has presence.
   */
  thaw(
    records: readonly MembershipRecord[],
    session: ServerSession<User>,
    isShown: (topic: string) => boolean,
  ): Membership<User>[] {
    return records.flatMap((record) => {
      if (record.session !== session.id) return []
      const { topic, member: id, state, away, isBehind } = record
      const membership: Membership<User> = {
        id,
        topic,
        session,
        user: session.user.id,
        state: state === null ? undefined : this.#stateOf(state),
        away,
        isShown: isShown(topic),
        isBehind,
      }
      this.add(membership)
      return [membership]
    })
  }

  #stateOf(record: PresenceStateRecord): Encoded<unknown> {
    const decoded = this.#states.decode(record.bytes, 0)
    return Encoded.of(decoded.ok ? decoded.value : undefined, { ...record })
  }

  #countUser(userId: string, change: 1 | -1): void {
    this.#count += change
    const count = (this.#countByUser.get(userId) ?? 0) + change
    if (count === 0) this.#countByUser.delete(userId)
    else this.#countByUser.set(userId, count)
  }
}
