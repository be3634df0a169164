// The report in the terminal.
import type { JudgedGoal, MeasuredRatio } from "../judge-goals.ts"
import type { JudgedChange } from "../judge-change.ts"
import type { Machine } from "../machine.ts"
import { metrics, shown } from "../metrics.ts"
import type { MetricName } from "../metrics.ts"
import type { Results } from "../results.ts"
import { loadBusyMax } from "../run-bench.ts"
import { scenarios } from "../scenarios.ts"
import { otherHawserLabel, otherHawserName, servers } from "../servers.ts"
import { relativeSpread } from "../statistics.ts"
import type { ReportOptions } from "./json.ts"

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
  if (server === otherHawserName) return otherHawserLabel
  return servers.find(({ name }) => name === server)?.label ?? server
}

export function titleOf(row: string): string {
  for (const { title, rows } of scenarios) {
    const found = rows.find(({ name }) => name === row)
    if (found !== undefined) return `${title}: ${found.title}`
  }
  return row
}

/** Columns, the most important first; the spread is that of the first metric. */
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

/** Rows in which the load was too busy, so that the rate is not the server's. */
function limitsOf(results: Results, row: string): string[] {
  const busy = results
    .servers(row)
    .filter((server) => (results.spread(row, server, "loadBusy")?.median ?? 0) > loadBusyMax)
  if (busy.length === 0) return []
  const names = busy.map(labelOf).join(", ")
  return [
    `  the load was more than ${loadBusyMax * 100} % busy, so rates and latencies are those of the load: ${names}`,
  ]
}

const signs = { atLeast: "≥", above: ">", atMost: "≤" } as const

export const goalHead: Cells = ["goal", "metric", "against", "target", "measured", ""]

function goalCells(goal: JudgedGoal): Cells {
  const { direction, target, measured, met } = goal
  const verdict = measured === undefined ? "not measured" : met ? "met" : "missed"
  const shownTarget = goal.against.length === 0 ? shown(goal.metric, target) : target
  return [...ratioCells(goal, `${signs[direction]} ${shownTarget}`), verdict]
}

/** Goals, then ratios without one. */
export function goalRows({ judged, ratios }: ReportOptions): Cells[] {
  return [...judged.map(goalCells), ...ratios.map((ratio) => [...ratioCells(ratio), ""])]
}

/** Cells of a ratio without a goal: the same columns, without a verdict. */
function ratioCells(ratio: MeasuredRatio, target = "–"): Cells {
  const { scenario, metric, subject, against, measured } = ratio
  return [
    `${labelOf(subject)}, ${scenario}`,
    metrics[metric].label,
    peerOf(ratio),
    target,
    measured === undefined ? "–" : against.length === 0 ? shown(metric, measured) : measured.toFixed(2),
  ]
}

/** The best of several servers; without figures, the number of candidates. */
function peerOf({ against, peer }: MeasuredRatio): string {
  if (against.length === 0) return "–"
  if (against.length === 1) return labelOf(against[0] ?? "")
  return peer === undefined ? `the best of ${against.length}` : `${labelOf(peer)} (best)`
}

export const changeHead: Cells = ["this checkout / the other", "metric", "median", "least", "most", ""]

export function changeCells({ scenario, metric, ratio, verdict }: JudgedChange): Cells {
  const { median, least, most } = ratio
  return [scenario, metrics[metric].label, ...[median, least, most].map((value) => value.toFixed(3)), verdict]
}

function titled(title: string, rows: readonly Cells[]): string {
  return [title, ...aligned(rows).map((line) => `  ${line}`)].join("\n")
}

export function describe(machine: Machine): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}`,
    `load average at the start: ${machine.loadAverage}`,
    machine.otherCommit === undefined
      ? `commit ${machine.commit}`
      : `commit ${machine.commit}, compared with ${machine.otherCommit}`,
    versions.join(", "),
  ]
}

export function renderTable(report: ReportOptions): string {
  const { results } = report.run
  const tables = results.rowNames().map((row) => rowTable(results, row).join("\n"))
  tables.push(titled("Goals, as ratios or figures", [goalHead, ...goalRows(report)]))
  if (report.changes.length > 0)
    tables.push(titled("Changes", [changeHead, ...report.changes.map(changeCells)]))
  return tables.join("\n\n")
}
