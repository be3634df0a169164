// Shuts a server down: announces it, waits for running requests, ends sessions, closes connections, and drops peers that do not
// answer within `shutdownMs`.
import { closeCode, errorTable } from "@hawser/protocol/core"
import type { TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import type { ConnectionSet } from "./connection-set.ts"
import type { SessionRegistry } from "./session-registry.ts"

/** Options of `server.close()`. */
export interface CloseOptions {
  /**
   * Expected time from the end of the connections until a server accepts clients again, in milliseconds. Clients of `hawser.1`
   * receive it with the announcement and dial once at that time, instead of by their retry strategy. Default: not announced.
   */
  readonly backInMs?: number
  /** Time after `backInMs` over which the dials are spread, in milliseconds; default 5 for each session, 200 dials a second. */
  readonly spreadMs?: number
}

/** Estimated work for one returning client, in milliseconds: its log-in, and the application's first messages. */
const returnMs = 5

/** Time for running requests of sessions that another process continues, in milliseconds. It runs the others again. */
const parkedRequestsMs = 500

/** Dependencies of `shutDown`. */
export interface ShutDownOptions<User extends AuthenticatedUser> extends Pick<
  Base,
  "clock" | "timers" | "limits"
> {
  readonly registry: SessionRegistry<User>
  readonly connections: ConnectionSet<User>
  readonly how: CloseOptions
  /** True if another process continues the sessions: they are detached, and no hook is called. */
  readonly parks: boolean
}

/** Resolves when all connections have closed, at the latest after `limits.shutdownMs`. */
export async function shutDown<User extends AuthenticatedUser>(
  options: ShutDownOptions<User>,
): Promise<void> {
  const { registry, connections, clock, timers, limits, how, parks } = options
  const startedAtMs = clock.now()
  // At most half of the time is for running requests, the rest for socket buffers and closing handshakes.
  const requestsMs = Math.min(
    Math.round(limits.shutdownMs / 2),
    parks ? parkedRequestsMs : Number.POSITIVE_INFINITY,
  )
  const reason = errorTable.server_shutdown.sentence
  const sessions = [...registry.all]
  const { backInMs, spreadMs = returnMs * sessions.length } = how
  for (const [index, session] of sessions.entries()) {
    session.sendControl({
      kind: "goaway",
      reason,
      startInMs: requestsMs,
      deadlineMs: requestsMs,
      intent: "shutdown",
      ...(backInMs === undefined ? {} : { backInMs: backInMs + (spreadMs * index) / sessions.length }),
    })
  }
  const idle = Promise.all(sessions.map((session) => session.idle()))
  await until(timers, startedAtMs + requestsMs, idle)
  for (const session of [...registry.all]) {
    if (parks && session.resumable) session.dropConnection("server_shutdown", reason)
    else session.finish("server_shutdown", { message: reason })
  }
  // Each connection drops a peer that has all bytes and does not answer the close.
  for (const connection of connections) connection.close("server_shutdown", reason)
  await until(timers, startedAtMs + limits.shutdownMs, connections.emptied())
  for (const connection of connections) {
    connection.connection.terminate()
    connection.closed(closeCode.abnormal, "")
  }
}

/** Resolves when the work has resolved, at the latest at `atMs`. */
export function until(timers: TimerQueue, atMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = timers.at(atMs, resolve)
    work.then(() => {
      cancel()
      resolve()
    }, reject)
  })
}
