// Bounds of a client, each with its default, unit, reason and effect.
import { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
import type { MessageLimits } from "./wire/message-limits.ts"
import { defaultDeliveryLimits } from "./session/delivery-host.ts"
import type { DeliveryLimits } from "./session/delivery-host.ts"

/** Bounds of one client. Every one is an option of `createClient`. */
export interface ClientLimits extends DeliveryLimits {
  /** Inbound messages. Beyond: the session is reset (`sys_invalid_message`); in `2.0` the message is reported. */
  readonly message: MessageLimits
  /**
   * Limits of the server's reader, by which payloads are judged before the first WELCOME tells the real ones, and in `2.0`,
   * which does not tell them; default `serverMessageLimits`. Beyond: the call rejects.
   */
  readonly serverMessage: MessageLimits
  /**
   * Dial budget: the dials that a rested client may make at once; default 3. It bounds every strategy and every reason to
   * dial but the application's own `connect()`. Beyond: the status is `reconnecting` with the delay, at `dialsPerMinute`.
   */
  readonly dialBurst: number
  /** Refill of the dial budget, in dials per minute; default 12. A call of the token function costs one dial, with it. */
  readonly dialsPerMinute: number
  /**
   * Least time limit for a socket to open, in milliseconds; default 8,000. A long measured round trip raises it, and each
   * failed dial before doubles it, up to `dialTimeoutMaxMs`. Beyond: `connection_timeout`, then the strategy.
   */
  readonly dialTimeoutMs: number
  /** The same from HELLO to WELCOME. */
  readonly welcomeTimeoutMs: number
  /** The same for the `token` function's answer. */
  readonly tokenTimeoutMs: number
  /** The most to which the three limits above grow, in milliseconds; default 60,000. Below one of them: no growth of it. */
  readonly dialTimeoutMaxMs: number
  /** Messages held that arrive before WELCOME. Beyond: the attempt fails. */
  readonly earlyMaxCount: number
  /** Requests that wait for a session, or behind such; their bytes: `sendBufferMaxBytes`. Beyond: `buffer_full` at the call. */
  readonly sendQueueMaxCount: number
  /** How often the socket is asked whether it takes more, while messages wait for it: browsers do not tell. */
  readonly socketPollMs: number
  /** Items that a stream may be ahead of its reader when the caller names no `window`; `streamWindowMax` at most. */
  readonly streamWindow: number
  /** A request's time when the caller names none. */
  readonly requestTimeoutMs: number
  /** Silence after which the connection is probed, in milliseconds; default 30,000. */
  readonly probeAfterMs: number
  /**
   * Time for the answer to that probe, in milliseconds; default 10,000. On a link whose measured round trip is long or
   * uneven it is longer, up to `probeTimeoutMaxMs`. Beyond: the connection is abandoned, then reconnection. Nobody waits
   * for an idle connection, so it may take a few losses of the same segment.
   */
  readonly probeTimeoutMs: number
  /**
   * Upper bound of the time for the answer to any probe, in milliseconds; default 60,000. TCP repeats a segment for the
   * eighth time after 51 s, and on a link that loses a fifth one probe in 4,000 needs that.
   */
  readonly probeTimeoutMaxMs: number
  /** The least such time after a sleep, a change of network, a page shown again or `unansweredMs`; default 2,000. */
  readonly wakeProbeMs: number
  /**
   * Time from a reliable message to any sign of life of the server, in milliseconds; default 5,000. Beyond: the
   * connection is probed with `wakeProbeMs`. The status stays `open` until the probe's time has passed.
   */
  readonly unansweredMs: number
  /** Time without a connection after which the application is told that this takes long. */
  readonly prolongedOutageMs: number
  /** A pause of the process's timers by this much counts as a sleep. */
  readonly sleepMs: number
  /**
   * Age, in milliseconds, at which a new session that was not resumed resets the count of attempts; default 10,000. A
   * resume resets it at once. A session that ends younger is a failure among failures: the strategy's delays grow.
   */
  readonly stableAfterMs: number
  /** The most that a server's `retryAfter` can make a client wait, plus the tenth that spreads returns; a larger one is cut. */
  readonly retryAfterMaxMs: number
}

export const defaultClientLimits: ClientLimits = {
  message: clientMessageLimits,
  serverMessage: serverMessageLimits,
  dialBurst: 3,
  dialsPerMinute: 12,
  dialTimeoutMs: 8_000,
  welcomeTimeoutMs: 8_000,
  tokenTimeoutMs: 8_000,
  dialTimeoutMaxMs: 60_000,
  earlyMaxCount: 1_024,
  sendQueueMaxCount: 1_024,
  ...defaultDeliveryLimits,
  socketPollMs: 50,
  streamWindow: 32,
  requestTimeoutMs: 10_000,
  probeAfterMs: 30_000,
  probeTimeoutMs: 10_000,
  probeTimeoutMaxMs: 60_000,
  wakeProbeMs: 2_000,
  unansweredMs: 5_000,
  prolongedOutageMs: 15_000,
  sleepMs: 5_000,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 300_000,
}
