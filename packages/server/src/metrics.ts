// Registers a server's statistics as Prometheus metrics. Requires `prom-client`; no other entry point does.
import { assertOptions } from "@hawser/protocol/core"
import type { OptionTable } from "@hawser/protocol/core"
import { Counter, Gauge, Histogram, register } from "prom-client"
import type { HistogramConfiguration, Registry } from "prom-client"
import { metricDefinitions } from "./metrics/definitions.ts"
import { journalDefinitions } from "./metrics/journal-definitions.ts"
import type { Distribution, MetricDefinition, Sample } from "./metrics/definitions.ts"
import type { ServerStats } from "./metrics/server-stats.ts"

/** Part of a `Server` that this entry point uses. */
interface MeasuredServer {
  /** Returns the server's counters and sizes. */
  stats(): ServerStats
}

/** Options of `registerMetrics`. */
export interface MetricsOptions {
  /** Registry of the metrics. Default: `register` of `prom-client`. */
  readonly registry?: Registry
  /** Prefix of all names; default `hawser_`. A second server in the same registry needs another prefix. */
  readonly prefix?: string
}

const metricsOptions: OptionTable<MetricsOptions> = { registry: "object", prefix: "any" }

/**
 * Registers the metrics of docs/metrics.md, those of a journal only if the server has one. Each scrape calls `stats()` once. Registers no metrics of the process. Returns the
 * disposer, which removes the metrics.
 * @throws TypeError for an unknown option. @throws Error if the registry already has a metric of one of these names.
 */
export function registerMetrics(server: MeasuredServer, options: MetricsOptions = {}): () => void {
  assertOptions("registerMetrics", options, metricsOptions)
  const { registry = register, prefix = "hawser_" } = options
  const stats = oncePerTurn(() => server.stats())
  const hasJournal = stats().journal !== undefined
  const definitions = hasJournal ? [...metricDefinitions, ...journalDefinitions] : metricDefinitions
  const names = definitions.map(({ name }) => prefix + name)
  const taken = names.find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken !== undefined)
    throw new Error(`the registry has a metric "${taken}" already; give this server another prefix`)
  for (const definition of definitions) addMetric(definition, { registry, prefix, stats })
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
      const counter: Counter = new Counter({
        ...common,
        collect: () => {
          counter.reset()
          for (const { labels, value } of definition.read(stats())) counter.inc(labels, value)
        },
      })
      return
    }
    case "gauge": {
      const gauge: Gauge = new Gauge({
        ...common,
        collect: () => {
          for (const { labels, value } of definition.read(stats())) gauge.set(labels, value)
        },
      })
      return
    }
    case "histogram":
      registerHistogram(common, () => definition.read(stats()))
  }
}

/** Registers a histogram whose buckets were counted elsewhere. The library's own histograms only observe single values. */
function registerHistogram(
  config: HistogramConfiguration<string>,
  read: () => readonly Distribution[],
): void {
  const { name, help } = config
  const values = (): ShownValue[] => read().flatMap((distribution) => shown(name, distribution))
  // `get` and the registries read the values through this method only.
  Object.assign(new Histogram(config), {
    getForPromString: () =>
      Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values: values() }),
  })
}

interface ShownValue extends Sample {
  readonly metricName: string
  readonly sharedLabels: Readonly<Record<string, never>>
}

/** Returns the samples of a histogram, in seconds: cumulative buckets, sum, count. */
function shown(name: string, { labels, reading }: Distribution): ShownValue[] {
  const { boundsMs, counts, count, sumMs } = reading
  const value = (suffix: string, sample: Sample): ShownValue => ({
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

/** Returns `read` with its value cached until the next microtask: all metrics of a scrape share one walk over the sessions. */
function oncePerTurn<T>(read: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    if (known !== undefined) return known.value
    known = { value: read() }
    queueMicrotask(() => (known = undefined))
    return known.value
  }
}
