// Moves all clients to new connections, for example before a listener or a load balancer's target is removed. Sessions continue, and
// no message is lost.
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import type { ConnectionSet } from "./connection-set.ts"
import { until } from "./shut-down.ts"

/** Options of `server.drain()`. */
export interface DrainOptions {
  /** Time over which the moves of clients are spread, in milliseconds; default 10,000. */
  readonly spreadMs?: number
  /** Time after the spread, in milliseconds; default 20,000. Then remaining connections are closed, and their clients resume. */
  readonly graceMs?: number
}

/** Parts of a server that `drain` uses. */
export interface DrainHost<User extends AuthenticatedUser> extends Base {
  readonly connections: ConnectionSet<User>
}

/** Resolves when all connections with a resumable session at the time of the call have closed. */
export async function drain<User extends AuthenticatedUser>(
  { connections, clock, timers, counters }: DrainHost<User>,
  { spreadMs = 10_000, graceMs = 20_000 }: DrainOptions,
): Promise<void> {
  counters.drains += 1
  const leaving = [...connections].filter(({ session }) => session?.resumable === true)
  for (const [index, connection] of leaving.entries()) {
    const startInMs = Math.round((spreadMs * index) / leaving.length)
    const deadlineMs = Math.round(spreadMs + graceMs)
    connection.session?.sendControl({
      kind: "goaway",
      reason: "moving",
      startInMs,
      deadlineMs,
      intent: "drain",
    })
  }
  await until(timers, clock.now() + spreadMs + graceMs, connections.closed(leaving))
  const here = new Set(connections)
  for (const connection of leaving) {
    if (!here.has(connection)) continue
    counters.drainOverdue += 1
    connection.session?.dropConnection("server_shutdown", "this connection is being drained", connection)
  }
}
