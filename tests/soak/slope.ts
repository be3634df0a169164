// Growth rate of a figure: the slope of the straight line that fits its samples best.

export interface Sample {
  readonly atMs: number
  readonly bytes: number
}

const mib = 1024 * 1024

/** MiB a minute of the samples from `fromMs` on; 0 for fewer than two. */
export function growth(samples: readonly Sample[], fromMs: number): number {
  const late = samples.filter(({ atMs }) => atMs >= fromMs)
  const mean = (of: (sample: Sample) => number): number =>
    late.reduce((sum, sample) => sum + of(sample), 0) / late.length
  const [atMs, bytes] = [mean((sample) => sample.atMs), mean((sample) => sample.bytes)]
  let [along, square] = [0, 0]
  for (const sample of late) {
    along += (sample.atMs - atMs) * (sample.bytes - bytes)
    square += (sample.atMs - atMs) ** 2
  }
  return square === 0 ? 0 : ((along / square) * 60_000) / mib
}
