// Declares the bounds of a client: unit, default, reason, effect at the bound.
import { clientMessageLimits, serverMessageLimits } from "./wire/message-limits.ts"
import type { MessageLimits } from "./wire/message-limits.ts"
import { defaultDeliveryLimits } from "./session/delivery-host.ts"
import type { DeliveryLimits } from "./session/delivery-host.ts"

/** Bounds of one client. Each is an option of `createClient`. */
export interface ClientLimits extends DeliveryLimits {
  /**
   * Bounds of one inbound message; default `clientMessageLimits`. A message outside them resets the session
   * (`sys_invalid_message`); in `2.0` it is reported.
   */
  readonly message: MessageLimits
  /**
   * Bounds of the server's reader until the first WELCOME reports the actual ones, and always in `2.0`, which reports none;
   * default `serverMessageLimits`. For a payload outside them the call rejects.
   */
  readonly serverMessage: MessageLimits
  /**
   * Capacity of the dial budget, in dials at once; default 3. It bounds every strategy and every cause of a dial except the
   * application's `connect()`. With an empty budget the status is `reconnecting` with the delay until the next dial.
   */
  readonly dialBurst: number
  /** Refill of the dial budget, in dials per minute; default 12. The call of the token function and its dial cost one. */
  readonly dialsPerMinute: number
  /**
   * Least time limit for a socket to open, in milliseconds; default 8,000. A long measured round trip raises it, and each
   * failed dial doubles it, up to `dialTimeoutMaxMs`. Later: `connection_timeout`, and the strategy chooses the next dial.
   */
  readonly dialTimeoutMs: number
  /** Least time limit from HELLO to WELCOME, in milliseconds; default 8,000. Raised and exceeded as `dialTimeoutMs`. */
  readonly welcomeTimeoutMs: number
  /** Least time limit of the `token` function, in milliseconds; default 8,000. Raised and exceeded as `dialTimeoutMs`. */
  readonly tokenTimeoutMs: number
  /** Upper bound of the three limits above, in milliseconds; default 60,000. A limit that is larger does not grow. */
  readonly dialTimeoutMaxMs: number
  /** Messages that arrive before WELCOME and wait for it; default 1,024. One more: the attempt fails. */
  readonly earlyMaxCount: number
  /**
   * Capacity of the request queue, in requests that wait for a session or behind such a request; default 1,024. Their bytes:
   * `sendBufferMaxBytes`. At capacity the call rejects with `buffer_full`.
   */
  readonly sendQueueMaxCount: number
  /**
   * Interval at which the client reads the socket's buffer while messages wait for it, in milliseconds; default 50. Browsers
   * have no event for it.
   */
  readonly socketPollMs: number
  /** Window of a stream if the caller passes no `window`, in items; default 32, at most `streamWindowMax`. */
  readonly streamWindow: number
  /** Time limit of a request if the caller passes none, in milliseconds; default 10,000. Then it rejects with `timeout`. */
  readonly requestTimeoutMs: number
  /** Silence after which the client probes the connection, in milliseconds; default 30,000. */
  readonly probeAfterMs: number
  /**
   * Time for the answer to that probe, in milliseconds; default 10,000. A long or uneven measured round trip raises it, up to
   * `probeTimeoutMaxMs`. Later: the client drops the connection and reconnects. No request waits on an idle connection, so
   * the time covers a few losses of the same segment.
   */
  readonly probeTimeoutMs: number
  /**
   * Upper bound of the time for the answer to any probe, in milliseconds; default 60,000. TCP sends the eighth
   * retransmission of a segment after 51 s. On a link that loses a fifth of its segments one probe in 4,000 needs it.
   */
  readonly probeTimeoutMaxMs: number
  /**
   * Least time for the answer to a probe after a sleep, a change of network, a page shown again or `unansweredMs`, in
   * milliseconds; default 2,000.
   */
  readonly wakeProbeMs: number
  /**
   * Time from a reliable message to the next message of the server, in milliseconds; default 5,000. Later: the client probes
   * the connection with `wakeProbeMs`. The status stays `open` until the probe's time has passed.
   */
  readonly unansweredMs: number
  /**
   * Least time without a message, while an answer or acknowledgement is due, after which the status is `doubtful`, in
   * milliseconds; default 1,000. Two smoothed round trips replace it if they are longer. Each unacknowledged byte adds 1 ms, the
   * time of its upload at 8 kbit/s.
   */
  readonly doubtMs: number
  /** Time without a connection after which the session event `prolonged` is emitted, in milliseconds; default 15,000. */
  readonly prolongedOutageMs: number
  /** Delay of the process's timers that counts as a sleep, in milliseconds; default 5,000. */
  readonly sleepMs: number
  /**
   * Age at which a new session that was not resumed resets the count of attempts, in milliseconds; default 10,000. A resume
   * resets it at once. A session that ends sooner counts as a failed attempt: the strategy's delays grow.
   */
  readonly stableAfterMs: number
  /**
   * Upper bound of a server's `retryAfter`, in milliseconds; default 300,000. A longer one is cut. Up to a tenth is added to
   * spread the reconnections.
   */
  readonly retryAfterMaxMs: number
}

/** Defaults of all client limits; each is described in `ClientLimits`. */
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
  doubtMs: 1_000,
  prolongedOutageMs: 15_000,
  sleepMs: 5_000,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 300_000,
}
