// Median, range and spread of several rounds of the same measurement.

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** @throws RangeError without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  if (upper === undefined) throw new RangeError("no median without values")
  const lower = sorted[Math.ceil(middle) - 1] ?? upper
  return (lower + upper) / 2
}

/** @throws RangeError without values. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}

/** Distance between the extreme rounds, as a share of their median. */
export function relativeSpread({ median: middle, least, most }: Spread): number {
  return middle === 0 ? 0 : (most - least) / Math.abs(middle)
}
