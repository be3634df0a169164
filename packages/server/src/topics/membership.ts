// Membership of a session in a topic, and its notes in the server's ledger. Must not know permissions.
import type { Encoded } from "@hawser/protocol"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { ServerSession } from "../session/life/server-session.ts"
import type { PresenceStateRecord } from "../session/life/session-record.ts"
import type { PresenceMember } from "./presence.ts"

/** Membership of a session in a topic that its client joined. */
export interface Membership<User extends AuthenticatedUser> extends PresenceMember {
  readonly topic: string
  /** Replaced when the session is thawed. */
  session: ServerSession<User>
  /** True if the topic's kind has presence. */
  readonly isShown: boolean
  /** True if changes were published while the session was detached. */
  isBehind: boolean
}

/** Notes a membership in the ledger, and each change of it. */
export function note<User extends AuthenticatedUser>({
  session,
  topic,
  id,
  state,
  away,
  isBehind,
}: Membership<User>): void {
  const { page } = session
  if (page === undefined) return
  page.member(topic, { member: id, state: state === undefined ? null : stateRecordOf(state), away, isBehind })
}

/** Returns an encoded state as plain data. */
export function stateRecordOf(state: Encoded<unknown>): PresenceStateRecord {
  const { bytes, depth, elements, longestKeyBytes } = state.encoding(() => {
    throw new TypeError("internal: the state of a member is not encoded")
  })
  return { bytes, depth, elements, longestKeyBytes }
}
