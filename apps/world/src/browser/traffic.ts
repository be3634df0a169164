// Received bytes and updates per second, from counters that only grow. Pure.

export interface Counts {
  readonly atMs: number
  readonly bytes: number
  readonly updates: number
}

export interface Traffic {
  readonly bytesPerSecond: number
  readonly updatesPerSecond: number
}

/** Averaging time, in milliseconds. */
const spanMs = 2_000

/** Returns the readings to keep; the newest is the last. */
export function addCounts(readings: readonly Counts[], now: Counts): readonly Counts[] {
  return [...readings.filter(({ atMs }) => now.atMs - atMs <= spanMs), now]
}

export function trafficOf(readings: readonly Counts[]): Traffic {
  const [first, last] = [readings[0], readings.at(-1)]
  const seconds = first === undefined || last === undefined ? 0 : (last.atMs - first.atMs) / 1_000
  if (first === undefined || last === undefined || seconds <= 0)
    return { bytesPerSecond: 0, updatesPerSecond: 0 }
  return {
    bytesPerSecond: (last.bytes - first.bytes) / seconds,
    updatesPerSecond: (last.updates - first.updates) / seconds,
  }
}
