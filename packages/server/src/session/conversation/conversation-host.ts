// Parts of a server that all conversations share.
import type { Clock, EventSpec, ServerLimits } from "@hawser/protocol"
import type { DeliveryHost, RateLimiter, TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerCounters } from "../../base/counters.ts"
import type { Health } from "../../base/health.ts"
import type { CallRouter } from "../../calls/call-router.ts"
import type { StartSchedule } from "../../calls/start-schedule.ts"
import type { AckSchedule } from "./ack-schedule.ts"
import type { FanOut } from "./fan-out.ts"
import type { InboundHost } from "./inbound.ts"
import type { ReplayMemory } from "./replay-memory.ts"

export interface ConversationHost<User extends AuthenticatedUser> {
  readonly limits: ServerLimits
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limiter: RateLimiter
  readonly userRates: InboundHost["userRates"]
  readonly delivery: DeliveryHost
  readonly counters: ServerCounters
  readonly health: Health
  readonly events: ReadonlyMap<string, EventSpec>
  readonly router: CallRouter<User>
  readonly acks: AckSchedule
  readonly starts: StartSchedule
  readonly replayMemory: ReplayMemory
  readonly fanOut: FanOut
  readonly onError: (error: unknown) => void
}
