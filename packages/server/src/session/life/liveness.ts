// Finds dead connections (no answer to a ping), and slow consumers (messages arrive, but no acknowledgements). One sweep for all
// connections, no timer per connection. A connection without any incoming message counts as dead, not as a slow consumer.
import { leastHeartbeatMs, probePatience } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { Base } from "../../base/create-base.ts"
import type { ConnectionSet } from "./connection-set.ts"
import type { RunningConnection } from "../opening/run-connection.ts"

/** Dependencies of the sweep. */
export interface LivenessOptions<User extends AuthenticatedUser> extends Base {
  readonly connections: ConnectionSet<User>
  /** Time for which the server has held its output back, in milliseconds, since its start. */
  readonly heldMs: () => number
}

/** Periodic sweep over all connections. */
export interface LivenessSweep {
  /** Starts or stops the sweep after a connection has opened or closed: it runs only while connections are open. */
  changed(): void
  /** Stops the sweep. */
  stop(): void
}

export function startLivenessSweep<User extends AuthenticatedUser>(
  options: LivenessOptions<User>,
): LivenessSweep {
  const { connections, timers, limits, clock } = options
  const everyMs = Math.max(leastHeartbeatMs, Math.min(limits.pingAfterMs, limits.pongTimeoutMs) / 10)
  const stalls = new Stalls(options)
  let cancel: (() => void) | undefined
  let dueAtMs = 0
  let heldBeforeMs = 0

  /** Excludes time in which the process did not run: messages of that time are still unread. */
  function sweep(): void {
    cancel = undefined
    const lateMs = Math.max(0, clock.now() - dueAtMs)
    const totalMs = options.heldMs()
    const heldMs = totalMs - heldBeforeMs
    heldBeforeMs = totalMs
    for (const connection of connections) {
      // The time of an answered ping does not change: after its answer it would count as unanswered.
      if (connection.pingedAtMs !== undefined && isUnanswered(connection)) connection.pingedAtMs += lateMs
      if (!stalls.check(connection, { lateMs, everyMs, heldMs })) check(options, connection)
    }
    stalls.swept()
    changed()
  }

  function changed(): void {
    if (connections.size === 0) {
      cancel?.()
      cancel = undefined
    } else if (cancel === undefined) {
      dueAtMs = clock.now() + everyMs
      cancel = timers.at(dueAtMs, sweep)
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

/** Time without an acknowledgement, of a session with unacknowledged messages. */
interface Stall {
  readonly sinceMs: number
  /** Part of that time that does not count: a ping was unanswered, output was held, or the process did not run. */
  excusedMs: number
  wasProbed: boolean
}

/** Socket buffer that has not become smaller from sweep to sweep. */
interface Backlog {
  readonly sinceMs: number
  bytes: number
}

/** Bytes below which a socket buffer is ignored: a healthy link empties it between two sweeps. */
const backlogLeastBytes = 16 * 1024

/**
 * Drops slow consumers: clients that acknowledge nothing, and clients with nothing to acknowledge whose socket buffer does not
 * shrink. A frozen page may answer WebSocket pings for a while; only acknowledgements prove that the application reads. Browsers
 * delay the timers of a hidden page by up to a minute, so the client first gets a PING, whose answer needs no timer.
 */
class Stalls<User extends AuthenticatedUser> {
  readonly #options: LivenessOptions<User>
  /** Usual time of an acknowledgement. Shorter stalls are ignored, so the maps are almost empty. */
  readonly #notedAfterMs: number
  #stalls = new Map<RunningConnection<User>, Stall>()
  #next = new Map<RunningConnection<User>, Stall>()
  #backlogs = new Map<RunningConnection<User>, Backlog>()
  #nextBacklogs = new Map<RunningConnection<User>, Backlog>()

  constructor(options: LivenessOptions<User>) {
    const { ackDelayMs, ackProgressMs } = options.limits
    this.#options = options
    this.#notedAfterMs = Math.min(2 * ackDelayMs, ackProgressMs / 2)
  }

  /** Returns true if it dropped the connection. The previous sweep was `everyMs + lateMs` ago; for `heldMs` output was held. */
  check(
    connection: RunningConnection<User>,
    {
      lateMs,
      everyMs,
      heldMs,
    }: { readonly lateMs: number; readonly everyMs: number; readonly heldMs: number },
  ): boolean {
    const { clock, limits, counters } = this.#options
    const { session } = connection
    const sinceMs = session?.stalledSinceMs ?? this.#unreadSinceMs(connection)
    const nowMs = clock.now()
    if (session === undefined || sinceMs === undefined || nowMs - sinceMs < this.#notedAfterMs) return false
    const stall = this.#stallOf(connection, sinceMs)
    stall.excusedMs += isUnanswered(connection) ? everyMs + lateMs : Math.max(lateMs, heldMs)
    const stalledMs = nowMs - sinceMs - stall.excusedMs
    if (stalledMs >= limits.ackProgressMs / 2 && !stall.wasProbed) {
      stall.wasProbed = true
      session.askForCounts()
    }
    if (stalledMs < limits.ackProgressMs || isUnanswered(connection)) return false
    counters.slowConsumersClosed += 1
    session.dropConnection(
      "slow_consumer",
      `no acknowledgement within ${limits.ackProgressMs} ms (limits.ackProgressMs)`,
    )
    return true
  }

  /** Ends a sweep. Stalls that it did not see again have ended. */
  swept(): void {
    this.#stalls = this.#next
    this.#next = new Map()
    this.#backlogs = this.#nextBacklogs
    this.#nextBacklogs = new Map()
  }

  /** Returns the time since which the socket buffer has not shrunk. Clients that do not count have a bound of bytes only (E3). */
  #unreadSinceMs(connection: RunningConnection<User>): number | undefined {
    const { session, connection: socket } = connection
    if (session === undefined || !session.dialect.counts || !session.attached) return undefined
    const bytes = socket.bufferedBytes
    if (bytes < backlogLeastBytes) return undefined
    let backlog = this.#backlogs.get(connection)
    if (backlog === undefined || bytes < backlog.bytes)
      backlog = { sinceMs: this.#options.clock.now(), bytes }
    else backlog.bytes = bytes
    this.#nextBacklogs.set(connection, backlog)
    return backlog.sinceMs
  }

  #stallOf(connection: RunningConnection<User>, sinceMs: number): Stall {
    const known = this.#stalls.get(connection)
    const stall = known?.sinceMs === sinceMs ? known : { sinceMs, excusedMs: 0, wasProbed: false }
    this.#next.set(connection, stall)
    return stall
  }
}

/** True while a ping has no answer and the server reads the socket. Unread bytes may contain the answer. */
function isUnanswered<User extends AuthenticatedUser>(connection: RunningConnection<User>): boolean {
  const { pingedAtMs, receivedAtMs, isPaused } = connection
  return !isPaused && pingedAtMs !== undefined && receivedAtMs < pingedAtMs
}

function check<User extends AuthenticatedUser>(
  options: LivenessOptions<User>,
  connection: RunningConnection<User>,
): void {
  const { clock, limits, counters } = options
  const nowMs = clock.now()
  if (!isUnanswered(connection)) connection.pingedAtMs = undefined
  if (connection.isPaused) return
  if (connection.pingedAtMs !== undefined) {
    if (nowMs - connection.pingedAtMs < pongTimeoutMs(limits, connection)) return
    // The close event follows later and ends the connection.
    connection.pingedAtMs = Number.POSITIVE_INFINITY
    counters.silentConnectionsClosed += 1
    connection.session?.missedPong()
    connection.connection.terminate()
    return
  }
  if (nowMs - connection.receivedAtMs < limits.pingAfterMs) return
  connection.pingedAtMs = nowMs
  connection.connection.ping?.()
}

function pongTimeoutMs<User extends AuthenticatedUser>(
  { pongTimeoutMs: leastMs, pongTimeoutMaxMs }: ServerLimits,
  { session }: RunningConnection<User>,
): number {
  const mostMs = Math.max(leastMs, pongTimeoutMaxMs)
  return session?.roundTrip?.timeoutMs({ leastMs, mostMs, patience: probePatience }) ?? leastMs
}
