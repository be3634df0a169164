// Decides whether an address may register or try a password: limits per address, and for passwords per address and
// name. Log-ins that succeed are not counted. Must not know why a log-in fails.
import { RateLimiter } from "@hawser/protocol/core"
import type { RateLimit } from "@hawser/protocol"
import type { ClientAddress } from "./client-address.ts"
import type { DoorLimits } from "./door-limits.ts"

/** Milliseconds until the same request may be sent again. */
interface Wait {
  readonly retryAfterMs: number
}

export interface AccountLimits {
  /** Counts a registration; or returns the time to wait, and counts nothing. */
  readonly register: (address: ClientAddress) => Wait | undefined
  /** Begins a log-in attempt, which the caller must end; or returns the time to wait. */
  readonly beginLogin: (address: ClientAddress, username: string) => Wait | LoginAttempt
}

interface LoginAttempt {
  /** `failed` counts. `unknown`: the attempt ended before the password was compared. */
  end(outcome: "right" | "failed" | "unknown"): void
}

export type AccountBounds = Pick<
  DoorLimits,
  | "registrationsPerMinute"
  | "registrationBurst"
  | "failedLoginsPerMinute"
  | "failedLoginBurst"
  | "failedLoginsPerName"
  | "loopbackFactor"
>

const minuteMs = 60_000
const leastWaitMs = 1_000

/**
 * Creates the limits. `nowMs` is monotonic. Keeps 100,000 addresses, and as many pairs of address and name, see
 * `RateLimiter`.
 */
export function createAccountLimits(bounds: AccountBounds, nowMs: () => number): AccountLimits {
  const registrations = new RateLimiter()
  const failures = new FailureLimit(nowMs)
  const factorOf = ({ isLocal }: ClientAddress): number => (isLocal ? bounds.loopbackFactor : 1)
  const perMinute = (count: number, burst: number): RateLimit => ({ everyMs: minuteMs / count, burst })

  return {
    register(address) {
      const factor = factorOf(address)
      const limit = perMinute(bounds.registrationsPerMinute * factor, bounds.registrationBurst * factor)
      const retryAfterMs = registrations.take(address.key, limit, nowMs())
      return retryAfterMs === 0 ? undefined : { retryAfterMs }
    },
    beginLogin(address, username) {
      const factor = factorOf(address)
      const ofAddress = perMinute(bounds.failedLoginsPerMinute * factor, bounds.failedLoginBurst * factor)
      const ofName = perMinute(bounds.failedLoginsPerName, bounds.failedLoginsPerName)
      return failures.begin([
        { key: address.key, limit: ofAddress },
        { key: `${address.key} ${username.toLowerCase()}`, limit: ofName },
      ])
    },
  }
}

interface Counted {
  readonly key: string
  readonly limit: RateLimit
}

/** Failures, each counted under several keys. An attempt under way counts as one that may fail. */
class FailureLimit {
  readonly #limiter = new RateLimiter()
  readonly #nowMs: () => number
  readonly #underWay = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  begin(counted: readonly Counted[]): Wait | LoginAttempt {
    const waits = counted.map((one) => this.#waitMs(one))
    const longestMs = Math.max(...waits)
    if (longestMs > 0) return { retryAfterMs: Math.max(leastWaitMs, longestMs) }
    for (const { key } of counted) this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1)
    let isOver = false
    return {
      end: (outcome) => {
        if (isOver) return
        isOver = true
        for (const one of counted) this.#end(one, outcome === "failed")
      },
    }
  }

  /** Returns the milliseconds until one more attempt may fail under this key. Spends no permit. */
  #waitMs({ key, limit }: Counted): number {
    const { everyMs, burst = 1 } = limit
    if ((this.#underWay.get(key) ?? 0) >= burst) return leastWaitMs
    // One permit fewer than the allowed failures: a key in debt by one has failed `burst` times.
    return this.#limiter.take(key, { everyMs, burst: Math.max(1, burst - 1) }, this.#nowMs(), 0)
  }

  #end({ key, limit }: Counted, hasFailed: boolean): void {
    const left = (this.#underWay.get(key) ?? 1) - 1
    if (left === 0) this.#underWay.delete(key)
    else this.#underWay.set(key, left)
    const { everyMs, burst = 1 } = limit
    if (hasFailed) this.#limiter.debit(key, { everyMs, burst: Math.max(1, burst - 1) }, this.#nowMs(), 1)
  }
}
