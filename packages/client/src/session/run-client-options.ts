// Dependencies of a client from the application's options, and those of `RunningClient`.
import type { ClientLimits, Clock } from "@hawser/protocol"
import type { Dial, Frame, ItemFrame, RoundTrip, TimerQueue } from "@hawser/protocol/core"
import type { ClientCounters, ClientTallies } from "../base/counters.ts"
import type { Dialect } from "./dialect.ts"
import type { LeaveSource } from "./leave.ts"
import type { ReconnectOptions } from "./reconnect-state.ts"
import type { ReplicaCopies } from "./replica-copies.ts"
import type { SessionEvent } from "./session-event.ts"
import type { ClientStatus } from "./status.ts"
import type { WakeSource } from "./wake.ts"

/** Dependencies of a client, from its options. */
export interface Dependencies {
  readonly url: string
  readonly dialect: Dialect
  /** True: replies, items, events and presence states are validated. */
  readonly validateReplies: boolean
  readonly dial: Dial
  readonly clock: Clock
  readonly timers: TimerQueue
  /** Returns a number from 0 up to 1. */
  readonly random: () => number
  /** Returns wall-clock milliseconds since 1970. */
  readonly wallClockMs: () => number
  readonly limits: ClientLimits
  readonly reconnect: ReconnectOptions
  readonly wakeSource: WakeSource
  readonly leaveSource: LeaveSource
  readonly onError: (error: unknown) => void
}

export interface RunClientOptions extends Dependencies {
  readonly counters: ClientCounters
  readonly tallies: ClientTallies
  /** Id of this client in HELLO. */
  readonly clientId: string
  /** Name of the client's contract in HELLO. */
  readonly contractName: string
  /** Round trip to the server, measured over all connections. */
  readonly roundTrip: RoundTrip
  readonly replicas: ReplicaCopies
  /** Called with each new status. */
  readonly onStatus: (status: ClientStatus) => void
  /** Called with each event of the session. */
  readonly onSession: (event: SessionEvent) => void
  /** Called with events, publications and GOAWAY. */
  readonly onFrame: (frame: Frame) => void
  /** Called with each item of a stream. */
  readonly onItem: (frame: ItemFrame) => void
  /** Called after each change of the pending requests. */
  readonly onPending: () => void
  /** Called when a session has begun, before waiting requests go out. */
  readonly onFresh: () => void
}
