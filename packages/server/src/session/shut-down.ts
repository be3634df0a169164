// The end of a server: announce, let requests finish, close, and drop whoever does not answer in time.
import { closeCode, errorTable } from "@hawser/protocol"
import type { Clock, ServerLimits, TimerQueue } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { OpenConnections } from "./open-connections.ts"
import type { SessionRegistry } from "./session-registry.ts"

export interface ShutDownOptions<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly connections: OpenConnections<User>
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ServerLimits
}

/** Resolves when every connection is gone, after `limits.shutdownMs` at the latest. */
export async function shutDown<User extends AuthenticatedUser>(
  options: ShutDownOptions<User>,
): Promise<void> {
  const { registry, connections, clock, timers, limits } = options
  const startedAtMs = clock.now()
  // At most half of the time is for running requests, the rest for buffers and closing handshakes.
  const requestsMs = Math.round(limits.shutdownMs / 2)
  const reason = errorTable.server_shutdown.sentence
  for (const session of [...registry.all]) {
    session.sendControl({
      kind: "goaway",
      reason,
      startInMs: requestsMs,
      deadlineMs: requestsMs,
      intent: "shutdown",
    })
  }
  const idle = Promise.all([...registry.all].map((session) => session.idle()))
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
