import { HawserError, defineContract } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Registry, register } from "prom-client"
import { describe, expect, it } from "vitest"
import { ServerCounters } from "./base/counters.ts"
import { Histogram } from "./base/histogram.ts"
import { registerMetrics } from "./metrics.ts"
import { createServer } from "./server.ts"
import { JournalMeter } from "./journal/journal-meter.ts"
import { metricDefinitions } from "./metrics/definitions.ts"
import { journalDefinitions } from "./metrics/journal-definitions.ts"
import type { JournalStats, ServerStats } from "./metrics/server-stats.ts"

const anything = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const
const contract = defineContract({ name: "test", commands: { move: { input: anything, output: anything } } })

function newServer() {
  return createServer(contract, {
    authenticate: () => {
      throw new HawserError("auth_token_invalid")
    },
    clock: new SimulatedClock(),
  })
}

/** Statistics of a journal that has just been read. */
const journal: JournalStats = {
  ...new JournalMeter(() => 0).read(),
  ...{ syncs: 0, syncsFailed: 0, writesRefused: 0, keptBytes: 0 },
  recovery: {
    ...{ bytes: 0, tookMs: 0, isWhole: true, tornBytes: 0, sessions: 0, topics: 0, records: 0 },
    ...{ setAside: 0, requestsSetAside: 0 },
  },
}

/** Server with the test's statistics, which counts the calls of `stats()`. */
function pretend(changed: Partial<ServerStats>) {
  const stats: ServerStats = { ...newServer().stats(), ...changed }
  let asked = 0
  return {
    server: {
      stats: () => {
        asked += 1
        return stats
      },
    },
    asked: () => asked,
  }
}

/** The lines of one metric, without HELP and TYPE. */
async function linesOf(registry: Registry, name: string): Promise<string[]> {
  const text = await registry.getSingleMetricAsString(name)
  return text.split("\n").filter((line) => !line.startsWith("#"))
}

describe("docs/metrics.md", () => {
  it("describes exactly the metrics that are registered, with their types and labels", async () => {
    const path = join(import.meta.dirname, "../../../docs/metrics.md")
    const rows = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| `hawser_"))
      .map((line) => line.split("|").map((cell) => cell.trim()))
    const documented = rows.map(([, name, type, labels, meaning, advice]) => {
      expect([meaning, advice], name).not.toContain("")
      return { name: name?.replaceAll("`", ""), type, labels: labels === "–" ? [] : ticked(labels) }
    })
    const registry = new Registry()
    registerMetrics(pretend({ journal }).server, { registry })
    const registered = registry.getMetricsAsArray().map((metric) => {
      const { labelNames } = { labelNames: [], ...metric }
      return { name: metric.name, type: String(metric.type), labels: [...labelNames] }
    })
    expect(byName(documented)).toEqual(byName(registered))
    expect(new Set(documented.map(({ name }) => name)).size).toBe(documented.length)
  })

  it("follows the conventions of Prometheus: names, base units, whole sentences", () => {
    const registry = new Registry()
    registerMetrics(pretend({ journal }).server, { registry })
    for (const { name, type, help } of registry.getMetricsAsArray()) {
      expect(name).toMatch(/^hawser(_[a-z]+)+$/)
      expect(name.endsWith("_total"), name).toBe(String(type) === "counter")
      if (String(type) === "histogram") expect(name).toMatch(/_seconds$/)
      expect(help, name).toMatch(/^[A-Z][^\n]*\.$/)
    }
  })
})

describe("the metric definitions", () => {
  /** Reported by a metric that counts the same by cause, by call or by state, and not from this number. */
  const reportedByLabel = new Set(["sessionsEnded", "requestsSettled", "requestsFailed", "sessions"])
  const idle = newServer().stats()
  const readAll = (stats: ServerStats): string =>
    JSON.stringify(metricDefinitions.map((definition) => definition.read(stats)))

  it.each(Object.keys(new ServerCounters()).filter((key) => !reportedByLabel.has(key)))(
    "report the counter %s",
    (key) => {
      expect(readAll({ ...idle, [key]: 12_345 })).not.toBe(readAll(idle))
    },
  )

  it("report every other number of the statistics", () => {
    const numbers = Object.entries(idle).flatMap(([key, value]) => (typeof value === "number" ? [key] : []))
    const unreported = numbers.filter((key) => readAll({ ...idle, [key]: 12_345 }) === readAll(idle))
    expect(new Set(unreported)).toEqual(reportedByLabel)
  })
})

describe("the metrics of a journal", () => {
  const readAll = (changed: Partial<JournalStats>): string => {
    const stats = { ...newServer().stats(), journal: { ...journal, ...changed } }
    return JSON.stringify(journalDefinitions.map((definition) => definition.read(stats)))
  }

  it("report every number of its statistics and of its recovery", () => {
    const { recovery, ...numbers } = journal
    for (const key of Object.keys(numbers))
      expect(readAll({ [key]: key === "appends" ? histogram([1]) : 7 }), key).not.toBe(readAll({}))
    if (recovery === undefined) throw new Error("the sample has a recovery")
    for (const key of Object.keys(recovery))
      expect(readAll({ recovery: { ...recovery, [key]: key === "isWhole" ? false : 7 } }), key).not.toBe(
        readAll({}),
      )
  })

  it("are in seconds, and a journal without its last records is 1", async () => {
    const registry = new Registry()
    const recovery = journal.recovery && { ...journal.recovery, tookMs: 40, isWhole: false }
    const changed = { ...journal, heldMs: 2_500, pendingMs: 1_500, appends: histogram([0.02]), recovery }
    registerMetrics(pretend({ journal: changed }).server, { registry })
    expect(await linesOf(registry, "hawser_journal_held_seconds_total")).toEqual([
      "hawser_journal_held_seconds_total 2.5",
    ])
    expect(await linesOf(registry, "hawser_journal_pending_seconds")).toEqual([
      "hawser_journal_pending_seconds 1.5",
    ])
    expect(await linesOf(registry, "hawser_journal_recovery_seconds")).toEqual([
      "hawser_journal_recovery_seconds 0.04",
    ])
    expect(await linesOf(registry, "hawser_journal_recovery_incomplete")).toEqual([
      "hawser_journal_recovery_incomplete 1",
    ])
    const buckets = await linesOf(registry, "hawser_journal_append_seconds")
    expect(buckets.slice(0, 2)).toEqual([
      'hawser_journal_append_seconds_bucket{le="0.00001"} 0',
      'hawser_journal_append_seconds_bucket{le="0.000025"} 1',
    ])
  })

  it("are not registered for a server without a journal, and are removed with the others", async () => {
    const registry = new Registry()
    registerMetrics(newServer(), { registry })
    expect(registry.getMetricsAsArray().filter(({ name }) => name.includes("journal"))).toEqual([])
    const other = new Registry()
    const remove = registerMetrics(pretend({ journal }).server, { registry: other })
    expect(other.getSingleMetric("hawser_journal_append_seconds")).toBeDefined()
    remove()
    expect(other.getMetricsAsArray()).toEqual([])
  })
})

function histogram(valuesMs: readonly number[]) {
  const meter = new Histogram(journal.appends.boundsMs)
  for (const valueMs of valuesMs) meter.record(valueMs)
  return meter.read()
}

function ticked(cell = ""): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)
}

function byName<T extends { readonly name: string | undefined }>(metrics: readonly T[]): T[] {
  return [...metrics].sort((a, b) => String(a.name).localeCompare(String(b.name)))
}

describe("registerMetrics", () => {
  it("reads numbers and tallies anew at each scrape", async () => {
    const registry = new Registry()
    const server = newServer()
    registerMetrics(server, { registry })
    expect(await linesOf(registry, "hawser_connections_opened_total")).toEqual([
      "hawser_connections_opened_total 0",
    ])
    const { server: later } = pretend({
      connectionsAccepted: 7,
      handshakesRefusedByCode: { auth_timeout: 2, other: 1 },
    })
    const other = new Registry()
    registerMetrics(later, { registry: other })
    for (let time = 0; time < 2; time += 1) {
      expect(await linesOf(other, "hawser_connections_opened_total")).toEqual([
        "hawser_connections_opened_total 7",
      ])
      expect(await linesOf(other, "hawser_handshakes_refused_total")).toEqual([
        'hawser_handshakes_refused_total{code="auth_timeout"} 2',
        'hawser_handshakes_refused_total{code="other"} 1',
      ])
    }
  })

  it("shows histograms with buckets that include the ones below, in seconds", async () => {
    const absences = new Histogram([100, 1_500])
    for (const valueMs of [50, 60, 200, 9_000]) absences.record(valueMs)
    const registry = new Registry()
    registerMetrics(pretend({ absencesResumed: absences.read() }).server, { registry })
    const name = "hawser_session_detached_seconds"
    const text = await registry.getSingleMetricAsString(name)
    expect(text).toContain(`# TYPE ${name} histogram`)
    expect((await linesOf(registry, name)).slice(0, 5)).toEqual([
      `${name}_bucket{outcome="resumed",le="0.1"} 2`,
      `${name}_bucket{outcome="resumed",le="1.5"} 3`,
      `${name}_bucket{outcome="resumed",le="+Inf"} 4`,
      `${name}_sum{outcome="resumed"} 9.31`,
      `${name}_count{outcome="resumed"} 4`,
    ])
  })

  it("shows every call of the contract from the start, and one row for all others", async () => {
    const registry = new Registry()
    registerMetrics(newServer(), { registry })
    const lines = await linesOf(registry, "hawser_request_duration_seconds")
    expect(lines).toHaveLength(2 * 16)
    expect(lines).toContain('hawser_request_duration_seconds_bucket{call="move",le="+Inf"} 0')
    expect(lines).toContain('hawser_request_duration_seconds_count{call="unknown"} 0')
  })

  it("returns the same as JSON, with the labels of a registry", async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ host: "a" })
    registerMetrics(newServer(), { registry })
    const all = await registry.getMetricsAsJSON()
    const durations = all.find(({ name }) => name === "hawser_request_duration_seconds")
    expect(durations).toMatchObject({ type: "histogram", aggregator: "sum" })
    expect(durations?.values[0]).toMatchObject({ value: 0, labels: { call: "move", le: 0.001, host: "a" } })
  })

  it("calls stats() once per scrape, for all metrics", async () => {
    const registry = new Registry()
    const { server, asked } = pretend({})
    registerMetrics(server, { registry })
    await registry.metrics()
    expect(asked()).toBe(1)
    await registry.metrics()
    expect(asked()).toBe(2)
  })

  it("registers no metrics of the process", () => {
    const registry = new Registry()
    registerMetrics(newServer(), { registry })
    const names = registry.getMetricsAsArray().map(({ name }) => name)
    expect(names.filter((name) => !name.startsWith("hawser_"))).toEqual([])
  })

  it("refuses a second server with the same prefix, registers it with another, and removes all metrics", () => {
    const registry = new Registry()
    const remove = registerMetrics(newServer(), { registry })
    const count = registry.getMetricsAsArray().length
    expect(() => registerMetrics(newServer(), { registry })).toThrow(
      'the registry has a metric "hawser_connections" already; give this server another prefix',
    )
    const removeSecond = registerMetrics(newServer(), { registry, prefix: "second_" })
    expect(registry.getMetricsAsArray()).toHaveLength(2 * count)
    remove()
    removeSecond()
    expect(registry.getMetricsAsArray()).toEqual([])
    registerMetrics(newServer(), { registry })
  })

  it("uses the registry of prom-client by default", () => {
    const remove = registerMetrics(newServer())
    expect(register.getSingleMetric("hawser_connections")).toBeDefined()
    remove()
    expect(register.getMetricsAsArray()).toEqual([])
  })
})
