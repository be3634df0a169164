// Moves every client to a new connection, so that what stands behind their old one can be taken away: a listener, a
// load balancer's target. Sessions stay; nobody loses a message.
import type { TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerCounters } from "../../base/counters.ts"
import type { ConnectionSet } from "./connection-set.ts"

export interface DrainOptions {
  /** The clients begin to move spread over this time, so that they do not arrive all at once. Default 10 s. */
  readonly spreadMs?: number
  /** After this time beyond the spread, connections that are still there are closed; their clients resume. Default 20 s. */
  readonly graceMs?: number
}

export interface DrainHost<User extends AuthenticatedUser> {
  readonly connections: ConnectionSet<User>
  readonly timers: TimerQueue
  readonly counters: ServerCounters
}

/** Resolves when every connection of the moment of the call that can resume elsewhere is gone. */
export async function drain<User extends AuthenticatedUser>(
  { connections, timers, counters }: DrainHost<User>,
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
  await new Promise<void>((resolve, reject) => {
    const stopWaiting = timers.after(spreadMs + graceMs, () => {
      const here = new Set(connections)
      for (const connection of leaving) {
        if (!here.has(connection)) continue
        counters.drainOverdue += 1
        connection.session?.dropConnection("server_shutdown", "this connection is being drained", connection)
      }
      resolve()
    })
    connections.gone(leaving).then(() => {
      stopWaiting()
      resolve()
    }, reject)
  })
}
