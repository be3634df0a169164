// How many connections an address and the whole server may hold, and how fast an address may dial. Asked before the
// upgrade, when nothing is known of the client but its address: so an address gets places for as many clients as it has
// sessions that can be resumed, beyond what newcomers get (decision 0055). Knows no frames.
//
// Invariants:
//  1. An address is remembered while it has a connection or a session, and not longer.
//  2. The places for sessions of an address are at most `connectionsPerAddress`.
//  3. `#newcomers` is the sum, over all addresses, of unauthenticated connections beyond the places for sessions.
import { RateLimiter } from "@hawser/protocol/core"
import type { Clock, ServerLimits } from "@hawser/protocol"

export type CapVerdict = "allowed" | "tooManyOfAddress" | "tooManyUnauthenticated"

/** One connection's place in the counts. Both methods are idempotent. */
export interface CapTicket {
  /** True while more connections of this address are authenticated than `connectionsPerAddress`. */
  readonly isOver: boolean
  /** The user is known: the connection no longer counts as unauthenticated. */
  authenticated(): void
  release(): void
}

interface AddressCount {
  connections: number
  unauthenticated: number
  /** Sessions whose client was here last and can come back. */
  sessions: number
}

/** One client dials no faster: three times at once, then twelve times a minute (its own default budget). */
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

  /** Addresses with a connection or a session; 0 on an idle server. */
  get size(): number {
    return this.#addresses.size
  }

  check(address: string, exempt: boolean): CapVerdict {
    const count = this.#addresses.get(address) ?? none
    const isExpected = count.unauthenticated < this.#places(count)
    if (!isExpected && this.#newcomers >= this.#limits.unauthenticatedTotal) return "tooManyUnauthenticated"
    if (exempt) return "allowed"
    return this.#isFull(count) || this.#dialsTooFast(address, count) ? "tooManyOfAddress" : "allowed"
  }

  /** Places for clients that come back. */
  #places({ sessions }: AddressCount): number {
    return Math.min(sessions, this.#limits.connectionsPerAddress)
  }

  #newcomersOf(count: AddressCount): number {
    return Math.max(0, count.unauthenticated - this.#places(count))
  }

  /** A client that comes back may have a second connection until the server has found the first one dead. */
  #isFull(count: AddressCount): boolean {
    const { connectionsPerAddress, unauthenticatedPerAddress } = this.#limits
    return (
      count.connections >= connectionsPerAddress + this.#places(count) ||
      this.#newcomersOf(count) >= unauthenticatedPerAddress
    )
  }

  /** Each dial costs a verified token: an address that dials on and on would keep the server busy with those alone. */
  #dialsTooFast(address: string, count: AddressCount): boolean {
    const { dialsPerAddressPerSecond, dialBurstPerAddress } = this.#limits
    const places = this.#places(count)
    const limit = {
      everyMs: 1_000 / (dialsPerAddressPerSecond + places * sessionDialsPerSecond),
      burst: dialBurstPerAddress + places * sessionDialBurst,
    }
    return this.#dials.take(address, limit, this.#clock.now()) > 0
  }

  /** A peer that is not capped counts, and is never over. */
  enter(address: string, isCapped = false): CapTicket {
    this.#change(address, { connections: 1, unauthenticated: 1, sessions: 0 })
    return isCapped ? new Ticket(this, address) : new ExemptTicket(this, address)
  }

  /** A session has its client at this address: it was opened or resumed from there. */
  expect(address: string): void {
    this.#change(address, { connections: 0, unauthenticated: 0, sessions: 1 })
  }

  /** Undoes one `expect`: the session has ended, or its client came back from another address. */
  forget(address: string): void {
    this.#change(address, { connections: 0, unauthenticated: 0, sessions: -1 })
  }

  /** For tickets alone. */
  isOver(address: string): boolean {
    const { connections, unauthenticated } = this.#addresses.get(address) ?? none
    return connections - unauthenticated > this.#limits.connectionsPerAddress
  }

  /** For tickets alone, each at most once. */
  authenticated(address: string): void {
    this.#change(address, { connections: 0, unauthenticated: -1, sessions: 0 })
  }

  /** For tickets alone, each once. */
  leave(address: string): void {
    this.#change(address, { connections: -1, unauthenticated: 0, sessions: 0 })
  }

  #change(address: string, by: AddressCount): void {
    const count = this.#addresses.get(address) ?? { ...none }
    this.#newcomers -= this.#newcomersOf(count)
    count.connections += by.connections
    count.unauthenticated += by.unauthenticated
    count.sessions += by.sessions
    this.#newcomers += this.#newcomersOf(count)
    if (count.connections === 0 && count.sessions === 0) this.#addresses.delete(address)
    else this.#addresses.set(address, count)
  }
}

class Ticket implements CapTicket {
  readonly #caps: ConnectionCaps
  readonly #address: string
  #stands: "unauthenticated" | "authenticated" | "released" = "unauthenticated"

  constructor(caps: ConnectionCaps, address: string) {
    this.#caps = caps
    this.#address = address
  }

  get isOver(): boolean {
    return this.#caps.isOver(this.#address)
  }

  authenticated(): void {
    if (this.#stands !== "unauthenticated") return
    this.#stands = "authenticated"
    this.#caps.authenticated(this.#address)
  }

  release(): void {
    if (this.#stands === "released") return
    this.authenticated()
    this.#stands = "released"
    this.#caps.leave(this.#address)
  }
}

class ExemptTicket extends Ticket {
  override get isOver(): boolean {
    return false
  }
}
