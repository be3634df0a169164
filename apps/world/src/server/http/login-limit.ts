// Decides whether one more login may be tried from an address with a name: 5 may fail in a row, then one every 12
// seconds (5 a minute); those that succeed are free. Must not know why a login fails.
import { RateLimiter } from "@hawser/protocol"

const failuresPerMinute = 5

/** One permit fewer than may fail: a name in debt by one has failed 5 times. */
const limit = { everyMs: 60_000 / failuresPerMinute, burst: failuresPerMinute - 1 } as const

export interface LoginLimit {
  /** Runs `attempt`, which resolves to whether the login was right; or says how long to wait instead. */
  tryLogin(
    key: LoginKey,
    attempt: () => Promise<boolean>,
  ): Promise<boolean | { readonly retryAfterMs: number }>
}

interface LoginKey {
  readonly address: string
  readonly username: string
}

/** `nowMs` is monotonic. Remembers 100,000 pairs of address and name at most, see `RateLimiter`. */
export function createLoginLimit(nowMs: () => number): LoginLimit {
  const limiter = new RateLimiter()
  // Attempts under way, so that guesses sent all at once do not slip through before the first has failed.
  const underWay = new Map<string, number>()
  return {
    async tryLogin({ address, username }, attempt) {
      const key = `${address} ${username.toLowerCase()}`
      const count = underWay.get(key) ?? 0
      const waitMs = limiter.take(key, limit, nowMs(), 0)
      if (waitMs > 0 || count >= failuresPerMinute) return { retryAfterMs: Math.max(1000, waitMs) }
      underWay.set(key, count + 1)
      try {
        const isRight = await attempt()
        if (!isRight) limiter.debit(key, limit, nowMs(), 1)
        return isRight
      } finally {
        const left = (underWay.get(key) ?? 1) - 1
        if (left === 0) underWay.delete(key)
        else underWay.set(key, left)
      }
    },
  }
}
