// Ports between a session and its views of replicas.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Dialect } from "./dialect.ts"
import type { OutboundMessage, ReplicaHold } from "@hawser/protocol/core"

/** Dialect, as the views use it. */
export type ReplicaDialect = Pick<Dialect<AuthenticatedUser>, "profile" | "replicaChange">

/** Session, as its views use it. */
export interface StateSink {
  readonly attached: boolean
  readonly dialect: ReplicaDialect
  /**
   * True if about `bytes` of state may be sent now: no reliable message is queued, and socket and link are below their high-water
   * marks. `isFirst`: no view was sent on this connection.
   */
  takesState(bytes: number, isFirst: boolean): boolean
  /** Sends a state frame. Returns false if it was not sent. */
  sendState(message: OutboundMessage): boolean
  /** Sends keyed values that waited for the views. */
  pumpValues(): void
}

/** Views of a session, as the session uses them. */
export interface StateSource {
  /** Time since which changes wait for the socket or the link; undefined without waiting changes. */
  readonly waitingSinceMs: number | undefined
  /** Continues after the socket has drained. */
  drained(): void
  /** Called after a resume. The client then sends HAVE. */
  resumed(): void
  /** Receives the cells and versions that the client holds. */
  have(held: readonly ReplicaHold[]): void
}
