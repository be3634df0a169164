// Finds connections that have died without a close, and clients that answer but acknowledge nothing: one sweep for all
// connections, no timer per connection. The two are told apart: nothing at all was heard from the former, so it is no
// slow consumer.
import { leastHeartbeatMs, probePatience } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"
import type { TimerQueue } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../../base/authenticate.ts"
import type { ServerCounters } from "../../base/counters.ts"
import type { ConnectionSet } from "./connection-set.ts"
import type { RunningConnection } from "../opening/run-connection.ts"

export interface LivenessOptions<User extends AuthenticatedUser> {
  readonly connections: ConnectionSet<User>
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
  const { connections, timers, limits, clock } = options
  const everyMs = Math.max(leastHeartbeatMs, Math.min(limits.pingAfterMs, limits.pongTimeoutMs) / 10)
  const stalls = new Stalls(options)
  let cancel: (() => void) | undefined
  let dueAtMs = 0

  /** Time in which this process did not run counts for no connection: what arrived meanwhile has yet to be read. */
  function sweep(): void {
    cancel = undefined
    const lateMs = Math.max(0, clock.now() - dueAtMs)
    for (const connection of connections) {
      // An answered ping keeps its time: moved past its answer, it would count as unanswered.
      if (connection.pingedAtMs !== undefined && isUnanswered(connection)) connection.pingedAtMs += lateMs
      if (!stalls.check(connection, { lateMs, everyMs })) check(options, connection)
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

/** A session that acknowledges nothing of what it was given, for longer than acknowledgements take. */
interface Stall {
  readonly sinceMs: number
  /** Of that time: a ping waited for its answer and nothing was heard, or this process did not run. */
  excusedMs: number
  wasAsked: boolean
}

/** A socket's buffer that never became smaller from one sweep to the next. */
interface Backlog {
  readonly sinceMs: number
  bytes: number
}

/** A buffer that a healthy link empties within any two sweeps is not noted. */
const backlogLeastBytes = 16 * 1024

/**
 * Drops clients that are heard but settle nothing, or owe nothing and read nothing. A frozen page may answer pings for a
 * while: only acknowledgements prove that the application reads. A hidden page's timers are held back for up to a minute,
 * so the client is asked by a PING first: its answer is no timer's matter.
 */
class Stalls<User extends AuthenticatedUser> {
  readonly #options: LivenessOptions<User>
  /** Acknowledgements take this long as a rule: almost no connection is in the maps. */
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

  /** True if the connection was dropped. The sweep before was `everyMs` and `lateMs` ago. */
  check(
    connection: RunningConnection<User>,
    { lateMs, everyMs }: { readonly lateMs: number; readonly everyMs: number },
  ): boolean {
    const { clock, limits, counters } = this.#options
    const { session } = connection
    const sinceMs = session?.stalledSinceMs ?? this.#unreadSinceMs(connection)
    const nowMs = clock.now()
    if (session === undefined || sinceMs === undefined || nowMs - sinceMs < this.#notedAfterMs) return false
    const stall = this.#stallOf(connection, sinceMs)
    stall.excusedMs += isUnanswered(connection) ? everyMs + lateMs : lateMs
    const stalledMs = nowMs - sinceMs - stall.excusedMs
    if (stalledMs >= limits.ackProgressMs / 2 && !stall.wasAsked) {
      stall.wasAsked = true
      session.askForCounts()
    }
    if (stalledMs < limits.ackProgressMs || isUnanswered(connection)) return false
    counters.slowConsumersClosed += 1
    session.dropConnection("slow_consumer", "what was sent is not being acknowledged")
    return true
  }

  /** Those that were not seen again have made progress, or are gone. */
  swept(): void {
    const seen = this.#next
    this.#next = this.#stalls
    this.#next.clear()
    this.#stalls = seen
    const backlogs = this.#nextBacklogs
    this.#nextBacklogs = this.#backlogs
    this.#nextBacklogs.clear()
    this.#backlogs = backlogs
  }

  /** Since when the socket has taken nothing, of a client that owes nothing. Uncounted clients have a bound of bytes alone (E3). */
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
    const stall = known?.sinceMs === sinceMs ? known : { sinceMs, excusedMs: 0, wasAsked: false }
    this.#next.set(connection, stall)
    return stall
  }
}

/** True while a ping waits for any sign of life, and this end reads: what it does not read may hold the answer. */
function isUnanswered<User extends AuthenticatedUser>(connection: RunningConnection<User>): boolean {
  const { pingedAtMs, heardAtMs, isPaused } = connection
  return !isPaused && pingedAtMs !== undefined && heardAtMs < pingedAtMs
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
    // Its end follows from its own close event, which may take a while.
    connection.pingedAtMs = Number.POSITIVE_INFINITY
    counters.silentConnectionsClosed += 1
    connection.session?.missedPong()
    connection.connection.terminate()
    return
  }
  if (nowMs - connection.heardAtMs < limits.pingAfterMs) return
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
