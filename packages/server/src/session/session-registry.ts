// Every open session, by itself and by user. The only registry; created once per server and passed in.
// Invariant: a session is in both maps or in neither.
import type { AuthenticatedUser } from "../authenticate.ts"
import type { ServerSession } from "./server-session.ts"

/** Who wins when a user has too many sessions. */
export type SessionPolicy = "newestWins" | "oldestWins"

export class SessionRegistry<User extends AuthenticatedUser> {
  readonly #sessions = new Set<ServerSession<User>>()
  readonly #byUser = new Map<string, Set<ServerSession<User>>>()

  get size(): number {
    return this.#sessions.size
  }

  get all(): ReadonlySet<ServerSession<User>> {
    return this.#sessions
  }

  ofUser(userId: string): ReadonlySet<ServerSession<User>> {
    return this.#byUser.get(userId) ?? new Set()
  }

  /** The user's oldest sessions that must go so that one more fits. */
  surplus(userId: string, maxCount: number): ServerSession<User>[] {
    const sessions = [...this.ofUser(userId)]
    return sessions.slice(0, Math.max(0, sessions.length + 1 - maxCount))
  }

  add(session: ServerSession<User>): void {
    this.#sessions.add(session)
    const sessions = this.#byUser.get(session.user.id) ?? new Set()
    this.#byUser.set(session.user.id, sessions.add(session))
  }

  /** Compares by identity: a successor of the same user stays. */
  delete(session: ServerSession<User>): void {
    this.#sessions.delete(session)
    const sessions = this.#byUser.get(session.user.id)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#byUser.delete(session.user.id)
  }
}
