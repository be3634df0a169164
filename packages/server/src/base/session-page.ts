// Port of a session's page in the server's ledger: notes each change that another process needs to continue the session.
import type { OutboundMessage } from "@hawser/protocol/core"

/**
 * Processes in which one request may begin before one of them settles it. A request that ends its process each time must not end
 * each later one, too.
 */
export const runsMax = 3

/** Membership of a session in a topic. */
export interface KeptMembership {
  readonly member: number
  /** Encoded presence state, with the members of the protocol's `Encoding`; null if the member has none. */
  readonly state: {
    readonly bytes: Uint8Array
    readonly depth: number
    readonly elements: number
    readonly longestKeyBytes: number
  } | null
  readonly away: boolean
  readonly isBehind: boolean
}

export interface SessionPage {
  /** Notes a reliable message that the send buffer has accepted. */
  sent(message: OutboundMessage): void
  /** Notes the newest value of a key, which was sent or queued. */
  value(key: string, message: OutboundMessage): void
  /** Notes a handler that was started and has not settled its request. */
  started(count: number): void
  /** Notes the first resume after a restart: the client has sent this many messages before it. */
  resumed(sent: number): void
  /** True for a request that an earlier process may have begun. */
  isRerun(count: number): boolean
  /**
   * Notes that a request runs again. Resolves when the note is kept: the handler may start. `spent`: it has begun in `runsMax`
   * processes that have ended, and must not run. Undefined for a request that no earlier process has begun.
   */
  rerun(count: number): Promise<void> | "spent" | undefined
  /** Notes a request that was settled with its outcome. */
  settled(count: number): void
  /** Notes that the settled prefix may have grown. */
  passed(): void
  /** Notes that the client may have acknowledged messages. Causes no append by itself. */
  acknowledged(): void
  /** Notes a stream that was opened or ended. */
  stream(reference: number, isOpen: boolean): void
  /** Notes a new membership, or one that has changed. */
  member(topic: string, membership: KeptMembership): void
  /** Notes the end of a membership. */
  left(topic: string): void
  /** Notes a change of the claims, of the windows or of the address. */
  claimed(): void
  /** Notes a renewed user. */
  renewed(): void
  /** Notes the end. No other note follows. */
  ended(): void
}
