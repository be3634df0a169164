// A server's statistics as metrics for Prometheus. Needs `prom-client`, which the server itself does without.
import { Counter, Gauge, Histogram, register } from "prom-client"
import type { Registry } from "prom-client"
import { metricDefinitions } from "./metrics/definitions.ts"
import type { Distribution, MetricDefinition, Sample } from "./metrics/definitions.ts"
import type { ServerStats } from "./metrics/server-stats.ts"

export interface MetricsOptions {
  /** Default: the registry that `prom-client` exports as `register`. */
  readonly registry?: Registry
  /** Before every name. A second server in one registry needs another one. Default `hawser_`. */
  readonly prefix?: string
}

/**
 * Registers the metrics of docs/metrics.md. Their values are read when the registry is asked for them; nothing is
 * measured twice, and no metrics of the process are added. Returns how to remove them again.
 * @throws Error when the registry has metrics of these names already.
 */
export function registerMetrics(
  server: { stats(): ServerStats },
  { registry = register, prefix = "hawser_" }: MetricsOptions = {},
): () => void {
  const names = metricDefinitions.map(({ name }) => prefix + name)
  const taken = names.find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined)
    throw new Error(`the registry has a metric "${taken}" already; give this server another prefix`)
  const stats = oncePerTurn(() => server.stats())
  for (const definition of metricDefinitions) addMetric(definition, { registry, prefix, stats })
  return () => {
    for (const name of names) registry.removeSingleMetric(name)
  }
}

interface Destination {
  readonly registry: Registry
  readonly prefix: string
  readonly stats: () => ServerStats
}

function addMetric(definition: MetricDefinition, { registry, prefix, stats }: Destination): void {
  const { name, help, labelNames } = definition
  const common = { name: prefix + name, help, labelNames: [...labelNames], registers: [registry] }
  switch (definition.type) {
    case "counter": {
      const { read } = definition
      const counter: Counter = new Counter({
        ...common,
        collect: () => {
          counter.reset()
          for (const { labels, value } of read(stats())) counter.inc(labels, value)
        },
      })
      return
    }
    case "gauge": {
      const { read } = definition
      const gauge: Gauge = new Gauge({
        ...common,
        collect: () => {
          for (const { labels, value } of read(stats())) gauge.set(labels, value)
        },
      })
      return
    }
    case "histogram": {
      const { read } = definition
      registerHistogram(common, () => read(stats()))
    }
  }
}

interface HistogramConfig {
  readonly name: string
  readonly help: string
  readonly labelNames: string[]
  readonly registers: Registry[]
}

/** The library's histograms can only observe, one value at a time; this one shows buckets that were counted elsewhere. */
function registerHistogram(config: HistogramConfig, read: () => readonly Distribution[]): void {
  const { name, help } = config
  const values = (): ShownValue[] => read().flatMap((distribution) => shown(name, distribution))
  // `get` of the library and its registries ask this method, and nothing else, for the values.
  Object.assign(new Histogram(config), {
    getForPromString: () =>
      Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values: values() }),
  })
}

interface ShownValue {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly sharedLabels: Readonly<Record<string, never>>
  readonly value: number
}

/** Buckets that each include the ones below, then the sum and the number; in seconds. */
function shown(name: string, { labels, reading }: Distribution): ShownValue[] {
  const { boundsMs, counts, count, sumMs } = reading
  const value = (suffix: string, sample: Sample | BucketSample): ShownValue => ({
    metricName: `${name}_${suffix}`,
    sharedLabels: {},
    ...sample,
  })
  let below = 0
  const buckets = counts.map((inBucket, index) => {
    below += inBucket
    const boundMs = boundsMs[index]
    const le = boundMs === undefined ? "+Inf" : boundMs / 1_000
    return value("bucket", { labels: { ...labels, le }, value: below })
  })
  return [
    ...buckets,
    value("sum", { labels, value: sumMs / 1_000 }),
    value("count", { labels, value: count }),
  ]
}

interface BucketSample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** All metrics of one scrape ask in the same turn; walking through every session once is enough for them. */
function oncePerTurn<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    if (known !== undefined) return known.value
    known = { value: read() }
    queueMicrotask(() => (known = undefined))
    return known.value
  }
}
