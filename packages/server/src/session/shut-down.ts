// The end of a server: announce, let requests finish, close, and drop whoever does not answer in time.
import { errorTable } from "@hawser/protocol"
import type { ServerLimits, TimerQueue } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { RunningConnection } from "./run-connection.ts"
import type { SessionRegistry } from "./session-registry.ts"

export interface ShutDownOptions<User extends AuthenticatedUser> {
  readonly registry: SessionRegistry<User>
  readonly connections: ReadonlySet<RunningConnection<User>>
  readonly timers: TimerQueue
  readonly limits: ServerLimits
}

/** Resolves when every connection is gone, after `limits.shutdownMs` at the latest. */
export async function shutDown<User extends AuthenticatedUser>(
  options: ShutDownOptions<User>,
): Promise<void> {
  const { registry, connections, timers, limits } = options
  // Half of the time is for running requests, the rest for buffers and closing handshakes.
  const requestsMs = limits.shutdownMs / 2
  const reason = errorTable.server_shutdown.sentence
  for (const session of [...registry.all]) {
    session.sendFrame({ kind: "goaway", reason, startInMs: 0, deadlineMs: requestsMs })
  }
  await within(timers, requestsMs, Promise.all([...registry.all].map((session) => session.idle())))
  for (const session of [...registry.all]) session.finish("server_shutdown", { message: reason })
  for (const connection of [...connections]) connection.close("server_shutdown", reason)
  await within(
    timers,
    Math.min(limits.closeTimeoutMs * 2, limits.shutdownMs - requestsMs),
    gone(connections, timers),
  )
  for (const connection of [...connections]) {
    connection.accepted.connection.terminate()
    connection.closed()
  }
}

function within(timers: TimerQueue, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(timeoutMs, resolve)
    void work.then(() => {
      cancel()
      resolve()
    })
  })
}

/** Polls: this happens once in a server's life, and a set has no event for becoming empty. */
function gone(connections: ReadonlySet<unknown>, timers: TimerQueue): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (connections.size === 0) resolve()
      else timers.after(10, check)
    }
    check()
  })
}
