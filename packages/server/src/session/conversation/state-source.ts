// How a session and the views of replicas that it has speak to each other.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "./dialect.ts"
import type { OutboundMessage, ReplicaHold } from "@hawser/protocol/core"

/** Dialect, as views of replicas use it. */
export type ReplicaDialect = Pick<Dialect<AuthenticatedUser>, "profile" | "replicaChange">

/** What is needed of a session. */
export interface StateSink {
  readonly attached: boolean
  readonly dialect: ReplicaDialect
  /**
   * True if about `bytes` of state may be sent now: nothing reliable is queued, and neither the socket nor the link holds too
   * much. `isFirst`: the connection was sent no view yet.
   */
  takesState(bytes: number, isFirst: boolean): boolean
  /** False when the connection takes nothing any more. */
  sendState(message: OutboundMessage): boolean
  /** Sends keyed values that waited for the views. */
  pumpValues(): void
}

/** What a session tells of itself. */
export interface StateSource {
  /** Since when the connection has kept this source waiting. */
  readonly waitingSinceMs: number | undefined
  drained(): void
  /** The client is back on another connection, and will say what it holds. */
  resumed(): void
  have(held: readonly ReplicaHold[]): void
}
