// Finds connections that have died without telling: one sweep for all, no timer per connection.
import { leastHeartbeatMs } from "@hawser/protocol"
import type { Clock, ServerLimits, TimerQueue } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { OpenConnections } from "./open-connections.ts"
import type { RunningConnection } from "./run-connection.ts"

export interface LivenessOptions<User extends AuthenticatedUser> {
  readonly connections: OpenConnections<User>
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ServerLimits
}

export interface LivenessSweep {
  /** A connection came or went: the sweep runs only while there are any. */
  changed(): void
  stop(): void
}

export function startLivenessSweep<User extends AuthenticatedUser>(
  options: LivenessOptions<User>,
): LivenessSweep {
  const { connections, timers, limits } = options
  const everyMs = Math.max(leastHeartbeatMs, Math.min(limits.pingAfterMs, limits.pongTimeoutMs) / 10)
  let cancel: (() => void) | undefined

  function sweep(): void {
    cancel = undefined
    for (const connection of connections) check(options, connection)
    changed()
  }

  function changed(): void {
    if (connections.size === 0) {
      cancel?.()
      cancel = undefined
    } else {
      cancel ??= timers.after(everyMs, sweep)
    }
  }

  return {
    changed,
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}

function check<User extends AuthenticatedUser>(
  options: LivenessOptions<User>,
  connection: RunningConnection<User>,
): void {
  const { clock, limits } = options
  const nowMs = clock.now()
  const { pingedAtMs } = connection
  // While this end does not read, the answer may wait in the socket.
  if (connection.isPaused || (pingedAtMs !== undefined && connection.heardAtMs >= pingedAtMs)) {
    connection.pingedAtMs = undefined
  }
  if (connection.isPaused) return
  if (connection.pingedAtMs !== undefined) {
    if (nowMs - connection.pingedAtMs >= limits.pongTimeoutMs) connection.accepted.connection.terminate()
    return
  }
  if (nowMs - connection.heardAtMs < limits.pingAfterMs) return
  connection.pingedAtMs = nowMs
  connection.accepted.connection.ping?.()
}
