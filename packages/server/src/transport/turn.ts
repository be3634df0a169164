// Releases the output of all connections of a server in turns of the event loop. A turn is sealed (later output
// belongs to the next turn), passes the gate, and is released (each connection writes once). Without a gate a sealed turn is
// released at once. Must not know frames, sockets or sessions.
//
// Invariants:
//  1. A connection writes only while its `release` is running. Any other write is an internal error: it is reported through
//     `onError`, and the connection is terminated.
//  2. Turns are released in the order in which they were sealed, each at most once.
//  3. At most one turn is at the gate. Output that is accepted meanwhile joins the open turn, which is sealed after the
//     release. So the number of sealed turns is bounded, and the bounds of each connection hold for its open part.
//  4. Output that is accepted after `seal` leaves with a later turn. Output of callbacks during a release is such output.
//  5. The output of one connection leaves in the order of acceptance, each message once. Nothing leaves after its close frame.
//  6. A connection that was terminated, or whose socket has ended, writes nothing, not even sealed output.
//  7. A turn that the gate rejects is never released. Its connections are terminated, because their output has a gap.
//  8. An error of one connection's write is reported and ends that connection alone.
//  9. No byte of a turn is written before the gate has kept that turn: `permits` compares both numbers before each write.
// 10. With a gate, frames that tell of no state leave at once (`ahead`): pings and pongs. In a turn that waits at the gate they would be
//     late: the peers of a server with a slow disk would take it for dead, and it them.
import type { Clock } from "@hawser/protocol"

/**
 * Output of one connection in its turn. The connection compares the number of the turn that it joined with the
 * number of the open turn, and swaps its queue when it joins a turn before the previous one was released. So a seal costs
 * nothing per connection where no output arises between seal and release.
 */
export interface Outlet {
  /** Writes the output of this turn, or nothing if the connection has ended. Must not call the application. */
  release(turn: number): void
  /** Ends the connection at once and drops its output. Idempotent. */
  terminate(): void
}

export interface SealedTurn {
  /** Number of the turn; the first sealed turn is 1. */
  readonly number: number
  /** Connections with output in this turn, each once, in the order in which they joined. */
  readonly outlets: readonly Outlet[]
}

/** Port between the seal and the release of a turn, for example a journal. */
export interface Gate {
  /** Number of the latest turn that was kept and may be released. */
  readonly kept: number
  /**
   * Called once for each turn, in order. Returns undefined to release the turn synchronously, or a promise to release it
   * when the promise resolves. A throw or a rejection discards the turn.
   */
  pass(turn: SealedTurn): Promise<void> | undefined
}

export interface TurnOptions {
  /** Decides when a turn is sealed: after the turn of the event loop in which its first output arose. */
  readonly clock: Pick<Clock, "afterTurn" | "now" | "schedule">
  /** Receives errors of writes and of the gate. */
  readonly onError: (error: unknown) => void
  /** Default: none; each turn is released when it is sealed. */
  readonly gate?: Gate
}

/** Time at the gate above which output counts as held, in milliseconds. */
const longHoldMs = 500

export class Turn {
  readonly #options: TurnOptions
  #open = 1
  /** Connections with output in the open turn. */
  #outlets: Outlet[] = []
  #isArmed = false
  /** True if the open turn is sealed although it may have no output. */
  #isTouched = false
  #sealed: SealedTurn | undefined
  /** Connection that is permitted to write. */
  #writing: Outlet | undefined
  /** Time since which a turn is at the gate; undefined without one. */
  #atGateSinceMs: number | undefined
  /** Sum of the long holds that have ended. */
  #heldMs = 0
  readonly #end = (): void => {
    this.#isArmed = false
    this.#pass(this.seal())
  }

  /** Creates a turn with number 1 open and no output. */
  constructor(options: TurnOptions) {
    this.#options = options
  }

  /** Number of the open turn, from 1. No output belongs to turn 0. */
  get open(): number {
    return this.#open
  }

  /** Time for which output was held, in milliseconds: the sum of all holds above 500 ms, with the current one. */
  get heldMs(): number {
    return this.#heldMs + this.#holdMs()
  }

  #holdMs(): number {
    if (this.#atGateSinceMs === undefined) return 0
    const ms = this.#options.clock.now() - this.#atGateSinceMs
    return ms < longHoldMs ? 0 : ms
  }

  /** Lets a connection write frames that tell of no state. Returns false, without a call, if there is no gate: the turn is as fast. */
  ahead(write: () => void): boolean {
    if (this.#options.gate === undefined) return false
    write()
    return true
  }

  /** Adds a connection to the open turn. It must not have joined this turn before. */
  join(outlet: Outlet): void {
    this.#outlets.push(outlet)
    if (!this.#isArmed) this.#arm()
  }

  /** Has the open turn pass the gate, with or without output. */
  touch(): void {
    this.#isTouched = true
    if (!this.#isArmed) this.#arm()
  }

  /**
   * Seals the open turn and opens the next one.
   * @throws Error if the sealed turn before has not been released.
   */
  seal(): SealedTurn {
    if (this.#sealed !== undefined)
      throw new Error(`internal: turn ${this.#sealed.number} is sealed and not released`)
    const sealed: SealedTurn = { number: this.#open, outlets: this.#outlets }
    this.#open += 1
    this.#outlets = []
    this.#isTouched = false
    this.#sealed = sealed
    return sealed
  }

  /**
   * Lets the connections of the sealed turn write, then continues with the open turn.
   * @throws Error if this turn is not the sealed one.
   */
  release(turn: SealedTurn): void {
    if (turn !== this.#sealed)
      throw new Error(`internal: turn ${turn.number} is not sealed, or is released already`)
    const { number, outlets } = turn
    this.#leaveGate()
    for (const outlet of outlets) {
      this.#writing = outlet
      try {
        outlet.release(number)
      } catch (error) {
        this.#writing = undefined
        this.#fail(outlet, error)
      }
    }
    this.#writing = undefined
    this.#next()
  }

  /**
   * Returns true while `outlet` is being released and its output of this turn was kept. Otherwise reports the error and terminates
   * the connection.
   */
  permits(outlet: Outlet, turn: number): boolean {
    const { gate } = this.#options
    const isKept = gate === undefined || turn <= gate.kept
    if (isKept && this.#writing === outlet) return true
    const text = isKept
      ? "a connection wrote outside the release of its turn"
      : `a connection wrote output of turn ${turn}; the gate has kept ${gate.kept}`
    this.#fail(outlet, new Error(`internal: ${text}`))
    return false
  }

  #pass(turn: SealedTurn): void {
    let passing: Promise<void> | undefined
    try {
      passing = this.#options.gate?.pass(turn)
    } catch (error) {
      this.#discard(turn, error)
      return
    }
    if (passing === undefined) {
      this.release(turn)
      return
    }
    this.#atGateSinceMs = this.#options.clock.now()
    passing.then(
      () => this.release(turn),
      (error: unknown) => this.#discard(turn, error),
    )
  }

  #leaveGate(): void {
    this.#heldMs += this.#holdMs()
    this.#atGateSinceMs = undefined
  }

  #discard(turn: SealedTurn, error: unknown): void {
    this.#leaveGate()
    this.#options.onError(error)
    for (const outlet of turn.outlets) outlet.terminate()
    this.#next()
  }

  #fail(outlet: Outlet, error: unknown): void {
    this.#options.onError(error)
    outlet.terminate()
  }

  #next(): void {
    this.#sealed = undefined
    if (this.#outlets.length > 0 || this.#isTouched) this.#arm()
  }

  #arm(): void {
    if (this.#isArmed || this.#sealed !== undefined) return
    this.#isArmed = true
    const { clock } = this.#options
    if (clock.afterTurn === undefined) clock.schedule(0, this.#end)
    else clock.afterTurn(this.#end)
  }
}
