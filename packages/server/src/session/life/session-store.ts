// Where a returning client's session is looked up: the seam behind which sessions may one day live outside of this
// process. Knows no tokens; the claim was proven before it is asked.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerSession } from "./server-session.ts"
import type { SessionRegistry } from "./session-registry.ts"
import type { EndCause } from "../../base/session.ts"
import type { Tombstones } from "./tombstones.ts"

export type Claim<User extends AuthenticatedUser> =
  /** This process holds the session. */
  | { readonly kind: "here"; readonly session: ServerSession<User> }
  /** It has ended, and this is why; `isFinal` when its client is to stay away. */
  | { readonly kind: "ended"; readonly cause: EndCause; readonly isFinal: boolean }
  /** Nothing is known of it, or it is not this user's to know. */
  | { readonly kind: "unknown" }

export interface SessionStore<User extends AuthenticatedUser> {
  claim(sessionId: string, userId: string): Claim<User>
}

/** All sessions in this process's memory: they end with it. */
export function memoryStore<User extends AuthenticatedUser>(
  registry: SessionRegistry<User>,
  tombstones: Tombstones,
): SessionStore<User> {
  return {
    claim(sessionId, userId) {
      const session = registry.get(sessionId)
      if (session !== undefined) return { kind: "here", session }
      const stone = tombstones.find(sessionId, userId)
      if (stone === undefined) return { kind: "unknown" }
      return { kind: "ended", cause: stone.cause, isFinal: stone.isFinal }
    },
  }
}
