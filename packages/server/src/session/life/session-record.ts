// Type of a session as plain data: the parts that survive its process. Freezing a session creates a record, thawing restores it.
// Values are those of MessagePack; none refers to sockets, handlers or other objects.
import { isMap, quoted } from "@hawser/protocol/core"
import type { DeliveryRecord } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ClaimsRecord } from "./session.machine.ts"

/** Encoded presence state of a member, with the members of the protocol's `Encoding`. */
export interface PresenceStateRecord {
  /** MessagePack of the state. */
  readonly bytes: Uint8Array
  /** Nesting depth, in containers. */
  readonly depth: number
  /** Elements of all its containers. */
  readonly elements: number
  /** UTF-8 bytes of its longest key. */
  readonly longestKeyBytes: number
}

/** Membership of a session in a topic that its client joined. */
export interface MembershipRecord {
  /** Name of the topic. */
  readonly topic: string
  /** Id of the session. */
  readonly session: string
  /** Number of the member in presence lists. */
  readonly member: number
  /** Presence state; null if the member has none. */
  readonly state: PresenceStateRecord | null
  /** True if presence lists showed the member as away. */
  readonly away: boolean
  /** True if the client needs the whole member list, because it missed a change. */
  readonly isBehind: boolean
}

/** Session as plain data. */
export interface SessionRecord {
  /** Id of the session. */
  readonly id: string
  /** Identity of the client, from the HELLO that opened the session. */
  readonly clientId: string
  /** User, packed by the option `userRecord`. */
  readonly user: unknown
  /** Address of the last connection, as the caps count it. */
  readonly address: string
  /** Accepted claims and resume windows. */
  readonly claims: ClaimsRecord
  /** Send buffer, and counts of both directions. */
  readonly delivery: DeliveryRecord
  /** References of open streams. The restored session ends each with `server_restarted`. */
  readonly streams: readonly number[]
  /** Topics that the client joined. */
  readonly memberships: readonly MembershipRecord[]
}

/** Serialization of users, for session records. */
export interface UserPacking<User> {
  /** Returns the user as plain data. */
  readonly pack: (user: User) => unknown
  /** Returns the user of packed data. @throws if the data is invalid; then the session is not restored. */
  readonly unpack: (packed: unknown) => User
}

/** Serialization of users that are plain data: the user itself. */
export const plainUser: UserPacking<AuthenticatedUser> = {
  pack: (user) => user,
  unpack(packed) {
    if (!isMap(packed)) throw new TypeError("a session record holds no user: its packed form must be a map")
    const { id, expiresAtMs } = packed
    if (typeof id !== "string")
      throw new TypeError(`a session record holds a user without an id: ${quoted(id)}`)
    return typeof expiresAtMs === "number" ? { ...packed, id, expiresAtMs } : { ...packed, id }
  },
}
