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
    let known = false
    let released = false
    const authenticated = (): void => {
      if (known) return
      known = true
      count.unauthenticated -= 1
      this.#unauthenticated -= 1
    }
    const release = (): void => {
      if (released) return
      released = true
      authenticated()
      count.connections -= 1
      if (count.connections === 0) this.#addresses.delete(address)
    }
    return { authenticated, release }
  }
}
