// Statement of a session for the server's ledger: plain data with wall-clock times, because another process has another clock.
// Must not know records, sockets and handlers.
import { createPayloadCodec } from "@hawser/protocol/core"
import type { KeptMembership, SessionPage } from "../../base/session-page.ts"
import type { Tombstone } from "./tombstones.ts"
import { claimsAt, detachedSince } from "./session.machine.ts"
import type { LifeState } from "./session.machine.ts"

/** Claims and windows of a session, with times in milliseconds since 1970. */
export interface KeptClaims {
  readonly generation: number
  readonly isConfirmed: boolean
  readonly lastDial: number
  readonly takeoversAtMs: readonly number[]
  readonly windowMs: number
  readonly spentMs: number
  /** Start of the current wait for a resume; undefined while attached. */
  readonly detachedAtMs: number | undefined
}

/** One session. */
export interface KeptSession {
  readonly id: string
  readonly clientId: string
  /** MessagePack of the packed user. */
  user: Uint8Array
  address: string
  claims: KeptClaims
  /** Last acknowledged message to the client, and the digest up to it. */
  base: number
  baseDigest: number
  /** Unacknowledged messages, oldest first, from index `firstMessage` on. Sessions share the bytes of a broadcast. */
  messages: Uint8Array[]
  firstMessage: number
  handled: number
  handledDigest: number
  /** Settled requests above `handled`. */
  readonly ahead: Set<number>
  /** Requests that have begun and are not settled, with the number of processes in which they have begun. */
  readonly started: Map<number, number>
  /** Keyed volatile values, by key. */
  readonly values: Map<string, Uint8Array>
  /** References of open streams. */
  readonly streams: Set<number>
  /** By topic. */
  readonly memberships: Map<string, KeptMembership>
}

/** Counts of a session's messages, in both directions. */
interface KeptCounts {
  readonly base: number
  readonly baseDigest: number
  readonly handled: number
  readonly handledDigest: number
}

/** Session that a ledger follows. */
export interface FollowedSession {
  readonly id: string
  readonly address: string
  readonly keptCounts: KeptCounts
  readonly keptClaims: KeptClaims
  /** MessagePack of the packed user. */
  readonly keptUser: Uint8Array
  /** Returns the whole session. */
  statement(): KeptSession
}

/** Number of a restored session in its ledger. */
export interface RestoredNumber {
  readonly number: number
  /** True if the restore has changed the session, so that it must be stated. */
  readonly isChanged: boolean
  /** Requests that have begun and are not settled, with the number of processes in which they have begun. */
  readonly started: ReadonlyMap<number, number>
}

/** Ledger of a server: what another process needs to continue its sessions. */
export interface SessionLedger {
  /** Follows a new session, or a restored one. */
  follow(session: FollowedSession, restored?: RestoredNumber): SessionPage
  /** Notes the end of a session, for claims that follow. `untilMs`: on the clock of the server. */
  buried(sessionId: string, stone: Tombstone): void
}

/** Returns the claims of a session with wall-clock times. */
export function wallClaims<Link>(
  state: LifeState<Link>,
  { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number },
): KeptClaims {
  const { takeoversAgoMs, ...claims } = claimsAt({ kind: "moved", claims: state.claims }, nowMs)
  const sinceMs = detachedSince(state)
  return {
    ...claims,
    takeoversAtMs: takeoversAgoMs.map((agoMs) => wallMs - agoMs),
    detachedAtMs: sinceMs === undefined ? undefined : wallMs - (nowMs - sinceMs),
  }
}

const userCodec = createPayloadCodec({
  maxBytes: 2 ** 31,
  maxDepth: 64,
  maxElements: 2 ** 31,
  maxKeyBytes: 2 ** 31,
})

/** Encodes a packed user. @throws UnsendableError for a user that is not plain data. */
export function encodeUser(packed: unknown): Uint8Array {
  return userCodec.encode(packed)
}

/** Decodes a packed user. @throws TypeError for bytes that are no MessagePack value. */
export function decodeUser(bytes: Uint8Array): unknown {
  const decoded = userCodec.decode(bytes, 0)
  if (!decoded.ok) throw new TypeError("a kept session holds no readable user")
  return decoded.value
}
