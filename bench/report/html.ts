// Writes the report as one page without other files: bars drawn as SVG, with the span of the rounds on each.
import { metrics, shown } from "../metrics.ts"
import type { MetricName } from "../metrics.ts"
import type { Results } from "../results.ts"
import { renderGrowth } from "./growth.ts"
import {
  changeCells,
  changeHead,
  describe,
  goalHead,
  goalRows,
  labelOf,
  metricsOf,
  titleOf,
} from "./table.ts"
import type { ReportOptions } from "./json.ts"

const width = 760
const barHeight = 18
const rowHeight = 26
const labelWidth = 210
const valueWidth = 130
/** Charts show the compared figures; the table has the rest. */
const charted: ReadonlySet<MetricName> = new Set([
  "cpuSecondsPerMillion",
  "perSecond",
  "bytesPerUpdate",
  "serverCpuSeconds",
  "heapBytesPerClient",
  "rssBytesPerClient",
  "rssGrowthBytes",
  "p99Ms",
  "agesP99Ms",
])

const style = `
  :root { color-scheme: light dark; --ink: light-dark(#1b2430, #e6e9ee); --faint: light-dark(#667, #99a);
    --own: light-dark(#0a6ebd, #58b0f0); --other: light-dark(#9fb0c3, #53657a); --line: light-dark(#dde3ea, #2c3642) }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink);
    background: light-dark(#fff, #12171e) }
  h2 { margin-top: 2.5rem; font-size: 1.15rem } h3 { margin: 1.2rem 0 0.2rem; font-size: 0.95rem; font-weight: 600 }
  small, .faint { color: var(--faint) } table { border-collapse: collapse; font-size: 0.9rem }
  td, th { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid var(--line); text-align: right; font-weight: 400 }
  td:first-child, th:first-child { text-align: left } th { color: var(--faint) } .table { overflow-x: auto }
  svg { max-width: 100%; height: auto } svg text { fill: var(--ink); font: 13px system-ui, sans-serif }
  .met { color: light-dark(#14783c, #5fce8a) } .missed { color: light-dark(#b3261e, #ff8a80) }`

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function chart(results: Results, row: string, metric: MetricName): string {
  const bars = results.servers(row).flatMap((server) => {
    const spread = results.spread(row, server, metric)
    return spread === undefined ? [] : [{ server, spread }]
  })
  if (bars.length === 0) return ""
  const most = Math.max(...bars.map(({ spread }) => spread.most), Number.MIN_VALUE)
  const scale = (value: number): number => (Math.max(0, value) / most) * (width - labelWidth - valueWidth)
  const drawn = bars.map(({ server, spread }, index) => {
    const y = index * rowHeight
    const middle = y + barHeight / 2
    const colour = server.startsWith("hawser") ? "--own" : "--other"
    const end = labelWidth + scale(spread.most)
    return [
      `<text x="${labelWidth - 8}" y="${middle + 5}" text-anchor="end">${escaped(labelOf(server))}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${scale(spread.median).toFixed(1)}" height="${barHeight}" rx="2"`,
      ` style="fill:var(${colour})"/>`,
      `<line x1="${(labelWidth + scale(spread.least)).toFixed(1)}" x2="${end.toFixed(1)}" y1="${middle}" y2="${middle}"`,
      ` style="stroke:var(--ink)"/>`,
      `<text x="${(end + 8).toFixed(1)}" y="${middle + 5}">${escaped(shown(metric, spread.median))}</text>`,
    ].join("")
  })
  const { label, better } = metrics[metric]
  const height = bars.length * rowHeight
  const name = `${label}, ${titleOf(row)}`
  return [
    `<h3>${escaped(label)} <small>${better} is better</small></h3>`,
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"`,
    ` aria-label="${escaped(name)}">${drawn.join("")}</svg>`,
  ].join("")
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`
  const body = rows.map((row) => line(row, "td")).join("")
  return `<div class="table"><table><thead>${line(head, "th")}</thead><tbody>${body}</tbody></table></div>`
}

function section(results: Results, row: string): string {
  const names = metricsOf(results, row)
  const charts = names.filter((name) => charted.has(name)).map((name) => chart(results, row, name))
  const rows = results.servers(row).map((server) => [
    escaped(labelOf(server)),
    ...names.map((name) => {
      const spread = results.spread(row, server, name)
      return spread === undefined ? "–" : escaped(shown(name, spread.median))
    }),
  ])
  const head = ["", ...names.map((name) => escaped(metrics[name].label))]
  return `<h2>${escaped(titleOf(row))}</h2>${charts.join("")}<details><summary>All figures</summary>${table(head, rows)}</details>`
}

/** The last cell of a row of goals or changes, coloured. */
function verdictCell(verdict: string): string {
  const style = { met: "met", better: "met", missed: "missed", worse: "missed" }[verdict]
  return style === undefined ? escaped(verdict) : `<span class="${style}">${escaped(verdict)}</span>`
}

function judgedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => [...row.slice(0, -1).map(escaped), verdictCell(row.at(-1) ?? "")])
  return table(head.map(escaped), cells)
}

function goalSection(report: ReportOptions): string {
  const { changes } = report
  const goals = `<h2>Goals, as ratios or figures</h2>${judgedTable(goalHead, goalRows(report))}`
  if (changes.length === 0) return goals
  return `${goals}<h2>Changes</h2>${judgedTable(changeHead, changes.map(changeCells))}`
}

export function renderHtml(options: ReportOptions): string {
  const { run, machine, quick, rounds } = options
  const notes = [
    quick
      ? "A quick run: one indicative round."
      : `Medians of ${rounds} rounds; the line on a bar spans them.`,
    ...describe(machine),
    ...run.absent,
    ...run.results.failures.map(({ scenario, server, message }) => `${scenario}, ${server}: ${message}`),
  ]
  const sections = run.results.rowNames().map((row) => section(run.results, row))
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hawser beside its peers</title>`,
    `<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>`,
    `<h1>Hawser beside its peers</h1>`,
    ...notes.map((note) => `<p class="faint">${escaped(note)}</p>`),
    goalSection(options),
    renderGrowth(run.results) ?? "",
    ...sections,
    "</body></html>\n",
  ].join("\n")
}
