// The end of a server: announce, let requests finish, close, and drop whoever does not answer in time.
import { closeCode, errorTable } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ConnectionSet } from "./connection-set.ts"
import type { SessionRegistry } from "./session-registry.ts"

export interface CloseOptions {
  /**
   * Time from the end of the connections to the moment at which a server accepts clients again, in milliseconds. Clients of
   * `hawser.1` are told it, and dial then, once, instead of as often as their strategy says. Default: none is told.
   */
  readonly backInMs?: number
  /** Clients return spread over this time beyond `backInMs`, in milliseconds; default 5 for each session: 200 a second. */
  readonly spreadMs?: number
}

/** Time for one client's return: the log-in, and what an application sends to a player who comes. */
const returnMs = 5

export interface ShutDownOptions<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly connections: ConnectionSet<User>
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ServerLimits
  readonly how: CloseOptions
}

/** Resolves when every connection is gone, after `limits.shutdownMs` at the latest. */
export async function shutDown<User extends AuthenticatedUser>(
  options: ShutDownOptions<User>,
): Promise<void> {
  const { registry, connections, clock, timers, limits, how } = options
  const startedAtMs = clock.now()
  // At most half of the time is for running requests, the rest for buffers and closing handshakes.
  const requestsMs = Math.round(limits.shutdownMs / 2)
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
  for (const session of [...registry.all]) session.finish("server_shutdown", { message: reason })
  // Each of them drops its peer by itself when nothing is left to send and the peer does not answer.
  for (const connection of connections) connection.close("server_shutdown", reason)
  await until(timers, startedAtMs + limits.shutdownMs, connections.emptied())
  for (const connection of connections) {
    connection.connection.terminate()
    connection.closed(closeCode.abnormal, "")
  }
}

/** Resolves when the work is done, at `atMs` at the latest. */
function until(timers: TimerQueue, atMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = timers.at(atMs, resolve)
    work.then(() => {
      cancel()
      resolve()
    }, reject)
  })
}
