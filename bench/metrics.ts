// The printed figures by their names in the scenarios: label, unit, and whether more or less is better.

export interface Metric {
  readonly label: string
  readonly unit: string
  readonly better: "more" | "less"
}

export const metrics = {
  perCpuSecond: { label: "per CPU second of the server", unit: "/s", better: "more" },
  cpuSecondsPerMillion: { label: "server CPU per million", unit: "s", better: "less" },
  perSecond: { label: "per second", unit: "/s", better: "more" },
  serverCpuSeconds: { label: "server CPU", unit: "s", better: "less" },
  seconds: { label: "took", unit: "s", better: "less" },
  bytesPerMessage: { label: "bytes per message", unit: "B", better: "less" },
  bytesPerUpdate: { label: "bytes per update", unit: "B", better: "less" },
  bytesPerClientPerSecond: { label: "bytes per client and second", unit: "B/s", better: "less" },
  ticksPerSecond: { label: "ticks per second", unit: "/s", better: "more" },
  p50Ms: { label: "latency p50", unit: "ms", better: "less" },
  p99Ms: { label: "latency p99", unit: "ms", better: "less" },
  agesP50Ms: { label: "update age p50", unit: "ms", better: "less" },
  agesP99Ms: { label: "update age p99", unit: "ms", better: "less" },
  heapBytesPerClient: { label: "live memory per client", unit: "B", better: "less" },
  rssBytesPerClient: { label: "RSS growth per client", unit: "B", better: "less" },
  rssGrowthBytes: { label: "RSS growth", unit: "B", better: "less" },
  heapGrowthBytes: { label: "live memory growth", unit: "B", better: "less" },
  offeredToStalledBytes: { label: "offered to the stalled reader", unit: "B", better: "less" },
  startMs: { label: "process start to listening", unit: "ms", better: "less" },
  longestStepMs: { label: "longest step of a round, thread CPU", unit: "ms", better: "less" },
  journalBytes: { label: "journal", unit: "B", better: "less" },
  journalShare: { label: "CPU in record and append", unit: "%", better: "less" },
  serverBusy: { label: "server busy", unit: "%", better: "less" },
  loadBusy: { label: "load busy", unit: "%", better: "less" },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof metrics

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metrics, name)
}

/** A figure with its unit, in three digits. */
export function shown(name: MetricName, value: number): string {
  const { unit } = metrics[name]
  if (unit === "%") return `${Math.round(value * 100)} %`
  if (unit === "B" && Math.abs(value) >= 10_000) return `${rounded(value / 1024)} KiB`
  return `${rounded(value)} ${unit}`.replace(" /s", "/s")
}

function rounded(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude >= 100) return Math.round(value).toLocaleString("en")
  return value.toFixed(magnitude >= 10 ? 1 : 2)
}
