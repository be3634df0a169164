// Registry of a server's open sessions, by id, user and dialect.
// Invariant: a session is in all maps or in none.
import { quoted } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Session } from "../../base/session.ts"
import type { Dialect } from "../conversation/dialect.ts"
import type { ServerSession } from "./server-session.ts"

/** Policy for a user above `limits.sessionsPerUser`. `newestWins`: an old session ends. `oldestWins`: the new one is refused. */
export type SessionPolicy = "newestWins" | "oldestWins"

export class SessionRegistry<User extends AuthenticatedUser> {
  readonly #sessions = new Set<ServerSession<User>>()
  readonly #byId = new Map<string, ServerSession<User>>()
  /** Sessions of each user, oldest first. A list of a few sessions is smaller than a set. */
  readonly #byUser = new Map<string, readonly ServerSession<User>[]>()
  /** Open sessions by dialect. */
  readonly #byDialect = new Map<Dialect<User>, number>()

  get size(): number {
    return this.#sessions.size
  }

  get all(): ReadonlySet<ServerSession<User>> {
    return this.#sessions
  }

  /** True while sessions of more than one dialect are open. */
  get isMixed(): boolean {
    return this.#byDialect.size > 1
  }

  get(id: string): ServerSession<User> | undefined {
    return this.#byId.get(id)
  }

  /** Returns the current sessions of a user, oldest first. */
  ofUser(userId: string): readonly ServerSession<User>[] {
    return this.#byUser.get(userId) ?? []
  }

  /**
   * Returns the session if it is open; undefined after its end. The one check of sessions that the application passes.
   * @param action verb for the error, as in `cannot subscribe session 7`. @throws TypeError for a session of another server, and
   * for a value that is none.
   */
  own(session: Session<User>, action: string): ServerSession<User> | undefined {
    if (this.#isOpen(session)) return session
    assertSession(session, action)
    if (!session.active) return undefined
    throw new TypeError(`cannot ${action} session ${session.id}: it belongs to another server`)
  }

  #isOpen(session: Session<User>): session is ServerSession<User> {
    const all: ReadonlySet<Session<User>> = this.#sessions
    return all.has(session)
  }

  add(session: ServerSession<User>): void {
    if (!this.#sessions.has(session)) this.#count(session, 1)
    this.#sessions.add(session)
    this.#byId.set(session.id, session)
    const others = this.ofUser(session.user.id)
    // A spread array has spare capacity, which most users do not need.
    this.#byUser.set(session.user.id, others.length === 0 ? [session] : [...others, session])
  }

  /** Removes this session object. */
  delete(session: ServerSession<User>): void {
    if (this.#sessions.delete(session)) this.#count(session, -1)
    this.#byId.delete(session.id)
    const others = this.ofUser(session.user.id).filter((other) => other !== session)
    if (others.length === 0) this.#byUser.delete(session.user.id)
    else this.#byUser.set(session.user.id, others)
  }

  #count({ dialect }: ServerSession<User>, change: number): void {
    const count = (this.#byDialect.get(dialect) ?? 0) + change
    if (count === 0) this.#byDialect.delete(dialect)
    else this.#byDialect.set(dialect, count)
  }
}

/** @throws TypeError for a value that untyped code passes in place of a session. */
function assertSession(given: unknown, action: string): void {
  if (typeof given === "object" && given !== null && "active" in given) return
  throw new TypeError(`cannot ${action} ${quoted(given)}: it is no session, such as that of onSession`)
}
