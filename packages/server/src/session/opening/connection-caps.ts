// Caps the connections of one address and of the server, and the dial rate of one address. Called before the upgrade, when only the
// address of the client is known. Each resumable session reserves one slot at its client's address, in addition to the slots for
// newcomers (decision 0055). Must not know frames.
//
// Invariants:
//  1. An address has an entry exactly while it has a connection or a session.
//  2. The reserved slots of an address are at most `connectionsPerAddress`.
//  3. `#newcomers` is the sum, over all addresses, of unauthenticated connections beyond the reserved slots.
import { RateLimiter } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"

/** Verdict on a new connection. */
export type CapVerdict = "allowed" | "tooManyOfAddress" | "tooManyUnauthenticated"

interface AddressCount {
  connections: number
  unauthenticated: number
  /** Resumable sessions whose last connection came from this address. */
  sessions: number
}

/** Dials of one client that resumes: its default dial budget of 3 at once, then 12 a minute. */
const sessionDialBurst = 3
const sessionDialsPerSecond = 12 / 60

const none: Readonly<AddressCount> = { connections: 0, unauthenticated: 0, sessions: 0 }

export class ConnectionCaps {
  readonly #limits: ServerLimits
  readonly #clock: Clock
  readonly #dials = new RateLimiter()
  readonly #addresses = new Map<string, AddressCount>()
  #newcomers = 0

  constructor(limits: ServerLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Number of addresses with a connection or a session; 0 on an idle server. */
  get size(): number {
    return this.#addresses.size
  }

  /** Judges a new connection. @param exempt true if the caps of its address do not apply. */
  check(address: string, exempt: boolean): CapVerdict {
    const count = this.#addresses.get(address) ?? none
    const isExpected = count.unauthenticated < this.#reserved(count)
    if (!isExpected && this.#newcomers >= this.#limits.unauthenticatedTotal) return "tooManyUnauthenticated"
    if (exempt) return "allowed"
    return this.#isFull(count) || this.#dialsTooFast(address, count) ? "tooManyOfAddress" : "allowed"
  }

  /** Returns the reserved slots, for clients that resume. */
  #reserved({ sessions }: AddressCount): number {
    return Math.min(sessions, this.#limits.connectionsPerAddress)
  }

  #newcomersOf(count: AddressCount): number {
    return Math.max(0, count.unauthenticated - this.#reserved(count))
  }

  /** A resuming client may hold a second connection until the server has detected that the first one is dead. */
  #isFull(count: AddressCount): boolean {
    const { connectionsPerAddress, unauthenticatedPerAddress } = this.#limits
    return (
      count.connections >= connectionsPerAddress + this.#reserved(count) ||
      this.#newcomersOf(count) >= unauthenticatedPerAddress
    )
  }

  /** Limits the dial rate of an address, because each dial costs the verification of a token. */
  #dialsTooFast(address: string, count: AddressCount): boolean {
    const { dialsPerAddressPerSecond, dialBurstPerAddress } = this.#limits
    const reserved = this.#reserved(count)
    const limit = {
      everyMs: 1_000 / (dialsPerAddressPerSecond + reserved * sessionDialsPerSecond),
      burst: dialBurstPerAddress + reserved * sessionDialBurst,
    }
    return this.#dials.take(address, limit, this.#clock.now()) > 0
  }

  /** Counts a new connection. The ticket of a connection that is not capped is never over. */
  enter(address: string, isCapped = false): CapTicket {
    this.#change(address, { connections: 1, unauthenticated: 1 })
    return isCapped ? new CapTicket(this, address) : new ExemptTicket(this, address)
  }

  /** Reserves a slot for a session that was opened or resumed from this address. */
  expect(address: string): void {
    this.#change(address, { sessions: 1 })
  }

  /** Undoes one `expect`: the session has ended, or was resumed from another address. */
  forget(address: string): void {
    this.#change(address, { sessions: -1 })
  }

  /** Called by tickets only. */
  isOver(address: string): boolean {
    const { connections, unauthenticated } = this.#addresses.get(address) ?? none
    return connections - unauthenticated > this.#limits.connectionsPerAddress
  }

  /** Called by tickets only, at most once each. */
  authenticated(address: string): void {
    this.#change(address, { unauthenticated: -1 })
  }

  /** Called by tickets only, once each. */
  leave(address: string): void {
    this.#change(address, { connections: -1 })
  }

  #change(
    address: string,
    { connections = 0, unauthenticated = 0, sessions = 0 }: Partial<AddressCount>,
  ): void {
    const count = this.#addresses.get(address) ?? { ...none }
    this.#newcomers -= this.#newcomersOf(count)
    count.connections += connections
    count.unauthenticated += unauthenticated
    count.sessions += sessions
    this.#newcomers += this.#newcomersOf(count)
    if (count.connections === 0 && count.sessions === 0) this.#addresses.delete(address)
    else this.#addresses.set(address, count)
  }
}

/** Slot of one connection. Both methods are idempotent. */
export class CapTicket {
  readonly #caps: ConnectionCaps
  readonly #address: string
  #phase: "unauthenticated" | "authenticated" | "released" = "unauthenticated"

  constructor(caps: ConnectionCaps, address: string) {
    this.#caps = caps
    this.#address = address
  }

  /** True while more connections of this address are authenticated than `connectionsPerAddress`. */
  get isOver(): boolean {
    return this.#caps.isOver(this.#address)
  }

  /** Counts the connection as authenticated from now on. */
  authenticated(): void {
    if (this.#phase !== "unauthenticated") return
    this.#phase = "authenticated"
    this.#caps.authenticated(this.#address)
  }

  /** Frees the slot when the connection has closed. */
  release(): void {
    if (this.#phase === "released") return
    this.authenticated()
    this.#phase = "released"
    this.#caps.leave(this.#address)
  }
}

class ExemptTicket extends CapTicket {
  override get isOver(): boolean {
    return false
  }
}
