// The report in the terminal.
import type { JudgedGoal } from "../judge-goals.ts"
import type { Machine } from "../machine.ts"
import { metrics, shown } from "../metrics.ts"
import type { MetricName } from "../metrics.ts"
import type { Results } from "../results.ts"
import { loadBusyMax } from "../run-bench.ts"
import { scenarios } from "../scenarios.ts"
import { servers } from "../servers.ts"
import { relativeSpread } from "../statistics.ts"

type Cells = readonly string[]

/** Columns as wide as their widest cell; all but the first are aligned to the right. */
function aligned(rows: readonly Cells[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  )
}

export function labelOf(server: string): string {
  return servers.find(({ name }) => name === server)?.label ?? server
}

export function titleOf(row: string): string {
  for (const { title, rows } of scenarios) {
    const found = rows.find(({ name }) => name === row)
    if (found !== undefined) return `${title}: ${found.title}`
  }
  return row
}

/** What matters most comes first; the spread is that of the first metric. */
export function metricsOf(results: Results, row: string): MetricName[] {
  const present = new Set(results.metricNames(row))
  const hidden: MetricName[] = row === "storm" ? [] : ["seconds"]
  return Object.keys(metrics).flatMap((name) => {
    const found = [...present].find((one) => one === name)
    return found === undefined || hidden.includes(found) ? [] : [found]
  })
}

function rowTable(results: Results, row: string): string[] {
  const names = metricsOf(results, row)
  const [first] = names
  const head = ["", ...names.map((name) => metrics[name].label), "spread"]
  const body = results.servers(row).map((server) => {
    const cells = names.map((name) => {
      const spread = results.spread(row, server, name)
      return spread === undefined ? "–" : shown(name, spread.median)
    })
    const spread = first === undefined ? undefined : results.spread(row, server, first)
    const isOne = results.rounds(row, server).length < 2
    const apart = spread === undefined || isOne ? "" : `±${Math.round(relativeSpread(spread) * 50)} %`
    return [labelOf(server), ...cells, apart]
  })
  return [titleOf(row), ...aligned([head, ...body]).map((line) => `  ${line}`), ...limitsOf(results, row)]
}

/** Where the load was too busy for the rate to be the server's. */
function limitsOf(results: Results, row: string): string[] {
  const busy = results
    .servers(row)
    .filter((server) => (results.spread(row, server, "loadBusy")?.median ?? 0) > loadBusyMax)
  if (busy.length === 0) return []
  const names = busy.map(labelOf).join(", ")
  return [
    `  the load was more than ${loadBusyMax * 100} % busy, so rates and latencies are its own: ${names}`,
  ]
}

function goalTable(judged: readonly JudgedGoal[]): string[] {
  const head = ["goal", "metric", "against", "target", "measured", ""]
  const body = judged.map(({ scenario, metric, subject, against, direction, target, measured, met }) => [
    `${labelOf(subject)}, ${scenario}`,
    metrics[metric].label,
    labelOf(against),
    `${direction === "atLeast" ? "≥" : "≤"} ${target}`,
    measured === undefined ? "–" : measured.toFixed(2),
    measured === undefined ? "not measured" : met ? "met" : "missed",
  ])
  return ["Goals, as ratios", ...aligned([head, ...body]).map((line) => `  ${line}`)]
}

export function describe(machine: Machine): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}`,
    `load average at the start: ${machine.loadAverage}`,
    versions.join(", "),
  ]
}

export function renderTable(results: Results, judged: readonly JudgedGoal[]): string {
  const tables = results.rowNames().map((row) => rowTable(results, row).join("\n"))
  return [...tables, goalTable(judged).join("\n")].join("\n\n")
}
