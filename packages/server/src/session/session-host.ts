// What a session is given: by its server, by its connection, and at its birth.
import type {
  Clock,
  Codec,
  Connection,
  DeliveryHost,
  EventSpec,
  OutboundMessage,
  RateLimiter,
  ServerLimits,
  TimerQueue,
} from "@hawser/protocol"
import type { Authenticate, AuthenticatedUser } from "../authenticate.ts"
import type { CallRouter } from "../calls/call-router.ts"
import type { StartSchedule } from "../calls/start-schedule.ts"
import type { ServerCounters } from "../counters.ts"
import type { Health } from "../metrics/health.ts"
import type { FanOut } from "../topics/fan-out.ts"
import type { Encoders } from "../topics/publication.ts"
import type { AckSchedule } from "./ack-schedule.ts"
import type { ConnectionCaps } from "./connection-caps.ts"
import type { Farewell } from "./farewell.ts"
import type { InboundHost } from "./inbound.ts"
import type { ReplayMemory } from "./replay-memory.ts"
import type { ServerSession } from "./server-session.ts"
import type { EndCause } from "./session.ts"

/** What all sessions of a server share. */
export interface SessionHost<User extends AuthenticatedUser> {
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limiter: RateLimiter
  readonly userRates: InboundHost["userRates"]
  readonly delivery: DeliveryHost
  readonly counters: ServerCounters
  readonly health: Health
  readonly events: ReadonlyMap<string, EventSpec>
  readonly encoders: Encoders
  readonly router: CallRouter<User>
  readonly acks: AckSchedule
  readonly starts: StartSchedule
  readonly replayMemory: ReplayMemory
  readonly caps: Pick<ConnectionCaps, "expect" | "forget">
  readonly fanOut: FanOut
  readonly authenticate: Authenticate<User>
  readonly wallClockMs: () => number
  readonly onError: (error: unknown) => void
  /** Its client is away, or back. */
  readonly onAttachment: (session: ServerSession<User>) => void
  /** Its user has shown a fresh token on the live connection. */
  readonly onRenewed: (session: ServerSession<User>) => void
  /** Called exactly once per session, after it has become inert. */
  readonly onEnded: (session: ServerSession<User>, end: SessionEnd<User>) => void
}

interface SessionEnd<User extends AuthenticatedUser> {
  readonly cause: EndCause
  /** The session that took over, when the cause is `replaced`. */
  readonly successor: ServerSession<User> | undefined
  /** Reliable messages that the client has not acknowledged: it may or may not have seen them. */
  readonly unacknowledged: readonly OutboundMessage[]
  /** True when the client was told to stay away. */
  readonly isFinal: boolean
}

/** The connection of a session, as the session sees it. */
export interface SessionLink {
  readonly connection: Connection
  readonly address: string
  /** Closes by the profile's rules; afterwards nothing of it reaches the session. */
  close(code: string, message: string): void
}

export interface SessionOptions<User extends AuthenticatedUser> {
  readonly id: string
  readonly user: User
  /** Of the HELLO that opened it. */
  readonly clientId: string
  readonly dial: number
  readonly codec: Codec
  readonly link: SessionLink
  /** True if the client acknowledges state (N9). */
  readonly countsState: boolean
}

/** How a session ends, where its cause does not say. */
export interface FinishOptions<User extends AuthenticatedUser> {
  readonly message?: string | undefined
  readonly successor?: ServerSession<User>
  readonly farewell?: Farewell
}
