// Port of a session's page in the server's ledger: notes each change that another process needs to continue the session.
import type { OutboundMessage } from "@hawser/protocol/core"

export interface SessionPage {
  /** Notes a reliable message that the send buffer has accepted. */
  sent(message: OutboundMessage): void
  /** Notes the newest value of a key, which was sent or queued. */
  value(key: string, message: OutboundMessage): void
  /** Notes a handler that was started and has not settled its request. */
  started(count: number): void
  /** Notes a request that was settled with its outcome. */
  settled(count: number): void
  /** Notes that the settled prefix may have grown. */
  passed(): void
  /** Notes that the client may have acknowledged messages. Causes no append by itself. */
  acknowledged(): void
  /** Notes a stream that was opened or ended. */
  stream(reference: number, isOpen: boolean): void
  /** Notes a change of the claims, of the windows or of the address. */
  claimed(): void
  /** Notes a renewed user. */
  renewed(): void
  /** Notes the end. No other note follows. */
  ended(): void
}
