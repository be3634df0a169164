// A session as plain data: everything of it that outlives its process. Values that MessagePack and JSON hold, and bytes.
// Made by freezing a session, read by thawing it; nothing here refers to sockets, handlers or other objects.
import { isMap, quoted } from "@hawser/protocol/core"
import type { DeliveryRecord } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ClaimsRecord } from "./session.machine.ts"

/** Encoding of a member's presence state, as `Encoding` of the protocol. */
export interface PresenceStateRecord {
  readonly bytes: Uint8Array
  readonly depth: number
  readonly elements: number
  readonly longestKeyBytes: number
}

/** Membership of a session in a topic that its client joined. */
export interface MembershipRecord {
  readonly topic: string
  /** Id of the session. */
  readonly session: string
  /** Id of the member in presence lists. */
  readonly member: number
  readonly state: PresenceStateRecord | null
  readonly away: boolean
  readonly isBehind: boolean
}

export interface SessionRecord {
  readonly id: string
  /** Identity of the client, from the HELLO that opened the session. */
  readonly clientId: string
  /** The user, as the option `userRecord` packs it; without that option the user itself. */
  readonly user: unknown
  /** Address of the last connection, as the caps count it. */
  readonly address: string
  readonly claims: ClaimsRecord
  readonly delivery: DeliveryRecord
  /** References of streams that were open: each ends with `server_restarted`. */
  readonly streams: readonly number[]
  /** Topics that the client joined. */
  readonly memberships: readonly MembershipRecord[]
}

/** Packing of a user whose object is not plain data, for sessions that are written. */
export interface UserPacking<User> {
  readonly pack: (user: User) => unknown
  /** @throws if the packed form cannot be read; the session is not restored then. */
  readonly unpack: (packed: unknown) => User
}

/** Packing of users that are plain data: the user itself. */
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
