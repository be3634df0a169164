// Parts of a server that all conversations share.
import type { DeliveryHost } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import type { Calls } from "../../calls/create-calls.ts"
import type { AckSchedule } from "./ack-schedule.ts"
import type { FanOut } from "./fan-out.ts"
import type { InboundHost } from "./inbound.ts"
import type { ReplayMemory } from "./replay-memory.ts"

export interface ConversationHost<User extends AuthenticatedUser>
  extends Base, Omit<Calls<User>, "idempotency">, Pick<InboundHost, "userRates"> {
  readonly delivery: DeliveryHost
  readonly acks: AckSchedule
  readonly replayMemory: ReplayMemory
  readonly fanOut: FanOut
}
