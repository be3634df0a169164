// Finds connections that have died without telling: one sweep for all, no timer per connection.
import { leastHeartbeatMs } from "@hawser/protocol"
import type { Clock, ServerLimits, TimerQueue } from "@hawser/protocol"
import type { AuthenticatedUser } from "../authenticate.ts"
import type { ServerCounters } from "../counters.ts"
import type { OpenConnections } from "./open-connections.ts"
import type { RunningConnection } from "./run-connection.ts"

export interface LivenessOptions<User extends AuthenticatedUser> {
  readonly connections: OpenConnections<User>
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly limits: ServerLimits
  readonly counters: ServerCounters
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
  const { clock, limits, counters } = options
  const nowMs = clock.now()
  const { pingedAtMs, session } = connection
  // A frozen page may answer pings for a while: only acknowledgements prove that somebody reads.
  if (session?.stalledSinceMs !== undefined && nowMs - session.stalledSinceMs >= limits.ackProgressMs) {
    counters.slowConsumersClosed += 1
    session.dropConnection("slow_consumer", "what was sent is not being acknowledged")
    return
  }
  // While this end does not read, the answer may wait in the socket.
  if (connection.isPaused || (pingedAtMs !== undefined && connection.heardAtMs >= pingedAtMs)) {
    connection.pingedAtMs = undefined
  }
  if (connection.isPaused) return
  if (connection.pingedAtMs !== undefined) {
    if (nowMs - connection.pingedAtMs < limits.pongTimeoutMs) return
    // Its end follows from its own close event, which may take a while.
    connection.pingedAtMs = Number.POSITIVE_INFINITY
    counters.silentConnectionsClosed += 1
    connection.accepted.connection.terminate()
    return
  }
  if (nowMs - connection.heardAtMs < limits.pingAfterMs) return
  connection.pingedAtMs = nowMs
  connection.accepted.connection.ping?.()
}
