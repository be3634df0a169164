// Limits how often the same thing is reported, so that a peer cannot flood a console. The number of keys is bounded. Must not
// know consoles or errors.

/** Bounds of a `RepeatLimit`. */
export interface RepeatLimitOptions {
  /** Reports of one key in a minute. Further ones are counted; the next report has their number. */
  readonly perMinute: number
  /** Number of keys; default 64. At the bound a key is evicted whose minute is over; without one, all new keys share one. */
  readonly maxKeys?: number
}

interface Repeated {
  startedAtMs: number
  reported: number
  /** Occurrences since the last report. */
  silent: number
}

const minuteMs = 60_000

export class RepeatLimit {
  readonly #perMinute: number
  readonly #maxKeys: number
  readonly #keys = new Map<string, Repeated>()
  /** Shared by new keys at the bound. */
  #shared: Repeated | undefined

  constructor({ perMinute, maxKeys = 64 }: RepeatLimitOptions) {
    this.#perMinute = perMinute
    this.#maxKeys = maxKeys
  }

  /** Counts an occurrence. Returns the number of occurrences since the last report, this one included; 0: do not report. */
  count(key: string, nowMs: number): number {
    const repeated = this.#of(key, nowMs)
    if (nowMs - repeated.startedAtMs >= minuteMs) {
      repeated.startedAtMs = nowMs
      repeated.reported = 0
    }
    repeated.silent += 1
    if (repeated.reported >= this.#perMinute) return 0
    repeated.reported += 1
    const { silent } = repeated
    repeated.silent = 0
    return silent
  }

  #of(key: string, nowMs: number): Repeated {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    if (this.#keys.size < this.#maxKeys || this.#evict(nowMs)) return this.#add(key, nowMs)
    this.#shared ??= { startedAtMs: nowMs, reported: 0, silent: 0 }
    return this.#shared
  }

  #add(key: string, nowMs: number): Repeated {
    const added = { startedAtMs: nowMs, reported: 0, silent: 0 }
    this.#keys.set(key, added)
    return added
  }

  /** Evicts the keys whose minute is over. Returns false if there is none. */
  #evict(nowMs: number): boolean {
    const before = this.#keys.size
    for (const [key, { startedAtMs }] of this.#keys)
      if (nowMs - startedAtMs >= minuteMs) this.#keys.delete(key)
    return this.#keys.size < before
  }
}

/** Returns the end of a line that reports `count` occurrences. */
export function repeatedWords(count: number): string {
  return count > 1 ? ` (${count} times since the last such line)` : ""
}
