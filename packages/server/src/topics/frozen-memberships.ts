// Memberships of frozen sessions. They keep their topics and presence until the session is thawed; at the end of its window
// they leave. Must not know messages and permissions.
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { MembershipRecord } from "../session/life/session-record.ts"
import type { Membership } from "./membership.ts"
import type { TopicParts } from "./topic-parts.ts"

type FrozenParts<User extends AuthenticatedUser> = Pick<
  TopicParts<User>,
  "hub" | "index" | "board" | "replicas" | "kinds" | "timers" | "limits"
>

interface Frozen<User extends AuthenticatedUser> {
  readonly memberships: readonly Membership<User>[]
  readonly cancel: () => void
}

/** `isOver`: true at the end of `resumeWindowMs`, false if the server stops earlier. */
type Leave<User extends AuthenticatedUser> = (membership: Membership<User>, isOver: boolean) => void

export class FrozenMemberships<User extends AuthenticatedUser> {
  readonly #parts: FrozenParts<User>
  readonly #leave: Leave<User>
  /** By session id. */
  readonly #frozen = new Map<string, Frozen<User>>()

  /** @param leave removes the membership of a session that was not thawed. */
  constructor(parts: FrozenParts<User>, leave: Leave<User>) {
    this.#parts = parts
    this.#leave = leave
  }

  /** Returns the memberships of a session as plain data, and keeps them until `thaw` or the end of the window. */
  freeze(session: ServerSession<User>): readonly MembershipRecord[] {
    const { index, board, timers, limits } = this.#parts
    const records = index.freeze(session)
    const kept = index.of(session)
    if (kept.length === 0) return records
    for (const membership of kept) {
      membership.away = true
      board.changed(membership)
    }
    this.#frozen.set(session.id, {
      memberships: kept,
      cancel: timers.after(limits.resumeWindowMs, () => this.#drop(session.id, true)),
    })
    return records
  }

  /** Restores the memberships of a thawed session, with their views. Memberships that this process kept get the new session object. */
  thaw(session: ServerSession<User>, records: readonly MembershipRecord[]): void {
    const { hub, index, board, replicas, kinds } = this.#parts
    const frozen = this.#frozen.get(session.id)
    if (frozen === undefined) {
      for (const membership of index.thaw(records, session, (topic) => kinds.hasPresence(topic))) {
        membership.away = true
        hub.join(membership.topic, session)
        board.add(membership)
        replicas.enter(membership)
      }
      return
    }
    frozen.cancel()
    this.#frozen.delete(session.id)
    for (const membership of frozen.memberships) {
      const old = membership.session
      index.delete(membership)
      membership.session = session
      hub.join(membership.topic, session)
      hub.leave(membership.topic, old)
      index.add(membership)
      replicas.enter(membership)
    }
  }

  /** Removes the memberships. Another process may continue their sessions. */
  stop(): void {
    for (const id of [...this.#frozen.keys()]) this.#drop(id, false)
  }

  #drop(id: string, isOver: boolean): void {
    const frozen = this.#frozen.get(id)
    this.#frozen.delete(id)
    frozen?.cancel()
    for (const membership of frozen?.memberships ?? []) this.#leave(membership, isOver)
  }
}
