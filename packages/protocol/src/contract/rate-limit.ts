// A rate, as contracts and options state it. Who keeps to it: `calls/rate-limiter.ts`.

/** How often something may happen. */
export interface RateLimit {
  /** Milliseconds until one spent permit is there again; above 0, fractions allowed. */
  readonly everyMs: number
  /** Permits that a rested key can spend at once; at least 1. Default: 1. */
  readonly burst?: number
}
