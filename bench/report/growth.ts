// Draws the cost of the world by its crowd as one SVG image: a line for each server, a point for each measured size.
import { worldSizes } from "../scenarios/world-tick.ts"
import type { Results } from "../results.ts"
import { labelOf } from "./table.ts"

interface Line {
  readonly server: string
  /** Clients, and busy cores of the server. */
  readonly points: readonly { readonly clients: number; readonly cores: number }[]
}

const width = 760
const height = 380
const left = 60
const right = 190
const top = 20
const bottom = 50
/** Readable on a light and on a dark page. */
const colours = ["#2b84d4", "#d0762a", "#7a8ca3", "#3a9c5f", "#a35fc2"]
const ink = "#8a94a3"

/** Undefined without at least two measured sizes. */
export function renderGrowth(results: Results): string | undefined {
  const lines = linesOf(results)
  const clientsMax = Math.max(...lines.flatMap(({ points }) => points.map(({ clients }) => clients)))
  const coresMax = Math.max(...lines.flatMap(({ points }) => points.map(({ cores }) => cores)))
  if (!lines.some(({ points }) => points.length > 1)) return undefined
  const x = (clients: number): number => left + (clients / clientsMax) * (width - left - right)
  const y = (cores: number): number => height - bottom - (cores / coresMax) * (height - top - bottom)
  const text = (at: readonly [number, number], shown: string, more = ""): string =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" fill="${ink}" ${more}>${shown}</text>`
  const sizes = [...new Set(lines.flatMap(({ points }) => points.map(({ clients }) => clients)))]
  const axes = [
    `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="${ink}"/>`,
    ...sizes.map((size) => text([x(size), height - bottom + 20], `${size}`, `text-anchor="middle"`)),
    text(
      [left + (width - left - right) / 2, height - 8],
      "clients, 20 ticks a second",
      `text-anchor="middle"`,
    ),
    ...[0, 0.5, 1].map((part) =>
      text([left - 8, y(part * coresMax) + 4], (part * coresMax).toFixed(2), `text-anchor="end"`),
    ),
    text([left + 8, top + 4], "cores busy at the server"),
  ]
  const drawn = lines.map(({ server, points }, index) => {
    const colour = colours[index % colours.length] ?? ink
    const path = points.map(({ clients, cores }) => `${x(clients).toFixed(1)} ${y(cores).toFixed(1)}`)
    const dots = path.map((at) => {
      const [cx, cy] = at.split(" ")
      return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`
    })
    const last = points.at(-1)
    const label = last === undefined ? "" : text([x(last.clients) + 10, y(last.cores) + 4], labelOf(server))
    return `<path d="M${path.join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}${label}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, sans-serif" font-size="13" role="img"`,
    ` aria-label="Server CPU of the world by the number of clients">${axes.join("")}${drawn.join("")}</svg>\n`,
  ].join("")
}

function linesOf(results: Results): Line[] {
  const rows = results.rowNames().flatMap((row) => {
    const clients = worldSizes.get(row)
    return clients === undefined ? [] : [{ row, clients }]
  })
  const servers = new Set(rows.flatMap(({ row }) => results.servers(row)))
  return [...servers].map((server) => ({
    server,
    points: rows
      .toSorted((a, b) => a.clients - b.clients)
      .flatMap(({ row, clients }) => {
        const cores = results.spread(row, server, "serverBusy")?.median
        return cores === undefined ? [] : [{ clients, cores }]
      }),
  }))
}
