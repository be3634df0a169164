// A session as the server's ledger reads it. Exists only with a ledger. Must not know records.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Conversation } from "../conversation/conversation.ts"
import type { KeptMembership } from "../../base/session-page.ts"
import type { FollowedSession } from "./kept-session.ts"
import { encodeUser, wallClaims } from "./kept-session.ts"
import type { SessionHost } from "./session-host.ts"
import type { LifeState } from "./session.machine.ts"

/** Session that is followed. */
interface Followable<User extends AuthenticatedUser> {
  readonly id: string
  readonly clientId: string
  readonly user: User
  readonly address: string
}

interface FollowedParts<User extends AuthenticatedUser, S extends Followable<User>> {
  readonly session: S
  readonly conversation: Conversation<User>
  readonly host: SessionHost<User, S>
  readonly life: () => LifeState<unknown>
}

export function followed<User extends AuthenticatedUser, S extends Followable<User>>({
  session,
  conversation,
  host,
  life,
}: FollowedParts<User, S>): FollowedSession {
  const { clock, wallClockMs, userRecord } = host
  const followedSession: FollowedSession = {
    id: session.id,
    get address() {
      return session.address
    },
    get keptCounts() {
      const { acknowledged, acknowledgedDigest, handled, handledDigest } = conversation.delivery
      return { base: acknowledged, baseDigest: acknowledgedDigest, handled, handledDigest }
    },
    get keptClaims() {
      return wallClaims(life(), { nowMs: clock.now(), wallMs: wallClockMs() })
    },
    get keptUser() {
      return encodeUser(userRecord.pack(session.user))
    },
    statement() {
      const { delivery, streams, running } = conversation.record()
      const { sent, received, values } = delivery
      return {
        id: session.id,
        clientId: session.clientId,
        user: followedSession.keptUser,
        address: session.address,
        claims: followedSession.keptClaims,
        base: sent.base,
        baseDigest: sent.baseDigest,
        messages: [...sent.messages],
        firstMessage: 0,
        handled: received.handled,
        handledDigest: received.handledDigest,
        ahead: new Set(received.settledAhead),
        started: new Map(running.map((count) => [count, 1])),
        values: new Map(values.map(({ key, bytes }) => [key, bytes])),
        streams: new Set(streams),
        memberships: membershipsOf(host, session),
      }
    },
  }
  return followedSession
}

function membershipsOf<User extends AuthenticatedUser, S extends Followable<User>>(
  { onStated }: SessionHost<User, S>,
  session: S,
): Map<string, KeptMembership> {
  return new Map(
    onStated(session).map(({ topic, member, state, away, isBehind }) => [
      topic,
      { member, state, away, isBehind },
    ]),
  )
}
