// How many connections an address and the whole server may hold, and how fast an address may dial. Asked before the
// upgrade; knows no frames.
import { RateLimiter } from "@hawser/protocol"
import type { Clock, ServerLimits } from "@hawser/protocol"

export type CapVerdict = "allowed" | "tooManyOfAddress" | "tooManyUnauthenticated"

/** One connection's place in the counts. Both methods are idempotent. */
export interface CapTicket {
  /** The user is known: the connection no longer counts as unauthenticated. */
  authenticated(): void
  release(): void
}

interface AddressCount {
  connections: number
  unauthenticated: number
}

export class ConnectionCaps {
  readonly #limits: ServerLimits
  readonly #clock: Clock
  readonly #dials = new RateLimiter()
  readonly #addresses = new Map<string, AddressCount>()
  #unauthenticated = 0

  constructor(limits: ServerLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Addresses with a connection; 0 on an idle server. */
  get size(): number {
    return this.#addresses.size
  }

  check(address: string, exempt: boolean): CapVerdict {
    if (this.#unauthenticated >= this.#limits.unauthenticatedTotal) return "tooManyUnauthenticated"
    if (exempt) return "allowed"
    return this.#isFull(address) || this.#dialsTooFast(address) ? "tooManyOfAddress" : "allowed"
  }

  #isFull(address: string): boolean {
    const count = this.#addresses.get(address)
    if (count === undefined) return false
    const { connectionsPerAddress, unauthenticatedPerAddress } = this.#limits
    return count.connections >= connectionsPerAddress || count.unauthenticated >= unauthenticatedPerAddress
  }

  /** Each dial costs a verified token: an address that dials on and on would keep the server busy with those alone. */
  #dialsTooFast(address: string): boolean {
    const { dialsPerAddressPerSecond, dialBurstPerAddress } = this.#limits
    const limit = { everyMs: 1_000 / dialsPerAddressPerSecond, burst: dialBurstPerAddress }
    return this.#dials.take(address, limit, this.#clock.now()) > 0
  }

  enter(address: string): CapTicket {
    const count = this.#addresses.get(address) ?? { connections: 0, unauthenticated: 0 }
    this.#addresses.set(address, count)
    count.connections += 1
    count.unauthenticated += 1
    this.#unauthenticated += 1
    return new Ticket(this, address)
  }

  /** For tickets alone, each at most once. */
  authenticated(address: string): void {
    const count = this.#addresses.get(address)
    if (count === undefined) return
    count.unauthenticated -= 1
    this.#unauthenticated -= 1
  }

  /** For tickets alone, each once. */
  leave(address: string): void {
    const count = this.#addresses.get(address)
    if (count === undefined) return
    count.connections -= 1
    if (count.connections === 0) this.#addresses.delete(address)
  }
}

class Ticket implements CapTicket {
  readonly #caps: ConnectionCaps
  readonly #address: string
  #known = false
  #released = false

  constructor(caps: ConnectionCaps, address: string) {
    this.#caps = caps
    this.#address = address
  }

  authenticated(): void {
    if (this.#known) return
    this.#known = true
    this.#caps.authenticated(this.#address)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.authenticated()
    this.#caps.leave(this.#address)
  }
}
