// What a running client is given.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type { Dial, Frame, Profile } from "@hawser/protocol/core"
import type { ClientCounters, ClientTallies } from "../base/counters.ts"
import type { ClientStatus } from "./status.ts"
import type { ReplicaCopies } from "./replica-copies.ts"
import type { LeaveSource } from "./leave.ts"
import type { ReconnectOptions } from "./reconnect-state.ts"
import type { SessionEvent } from "./session-event.ts"
import type { WakeSource } from "./wake.ts"

export interface RunClientOptions {
  readonly url: string
  readonly profile: Profile
  readonly dial: Dial
  readonly clock: Clock
  readonly random: () => number
  readonly wallClockMs: () => number
  readonly limits: ClientLimits
  readonly counters: ClientCounters
  readonly tallies: ClientTallies
  readonly reconnect: ReconnectOptions
  readonly wakeSource: WakeSource
  readonly leaveSource: LeaveSource
  readonly replicas: ReplicaCopies
  readonly onStatus: (status: ClientStatus) => void
  readonly onSession: (event: SessionEvent) => void
  readonly onFrame: (frame: Frame) => void
  /** A session has begun: what it must be asked before anything that waits. */
  readonly onFresh: () => void
  readonly onError: (error: unknown) => void
}
