// Section 17 of docs/protocol.md names every bound of both ends with its default: each figure is that of the code, and
// no bound is missing.
import { defaultClientLimits, defaultServerLimits } from "@hawser/protocol"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const spec = readFileSync(join(import.meta.dirname, "../../docs/protocol.md"), "utf8")
const [, section = ""] = /^## 17 Bounds and timers\n(.*?)^## 18 /ms.exec(spec) ?? []
const [shared = "", server = "", client = ""] = section.split(/^(?:Server|Client):$/m)

type Figures = ReadonlyMap<string, number>

/** Every limit by its name, those of a message by `message.maxBytes`. */
function figuresOf(limits: object, path = ""): Figures {
  const figures = new Map<string, number>()
  const entries: [string, unknown][] = Object.entries(limits)
  for (const [name, value] of entries) {
    if (typeof value === "number") figures.set(path + name, value)
    else if (typeof value === "object" && value !== null)
      for (const [inner, figure] of figuresOf(value, `${name}.`)) figures.set(inner, figure)
  }
  return figures
}

const units: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2 }

/** `1,024, 1 MiB` is two numbers: a comma with a space separates them. */
function numbersOf(cell: string): number[] {
  return cell.split(", ").map((text) => {
    const [, digits = "", unit = ""] = /^(\d+(?:,\d{3})*)(?: (KiB|MiB))?(?= |$)/.exec(text) ?? []
    return Number(digits === "" ? Number.NaN : digits.replaceAll(",", "")) * (units[unit] ?? 1)
  })
}

/** A row `| names | numbers | … |`. After `message.maxDepth`, `maxElements` is of the message, too. */
function figuresIn(table: string): Array<readonly [name: string, figure: number]> {
  return [...table.matchAll(/^\| (`.*?) \| (.*?) \|/gm)].flatMap(([, names = "", cell = ""]) => {
    const found = [...names.matchAll(/`(?:(\w+)\.)?(\w+)`/g)]
    const prefix = found[0]?.[1] === undefined ? "" : `${found[0][1]}.`
    const numbers = numbersOf(cell)
    if (cell.endsWith(" each"))
      return found.map(([, , name = ""]) => [prefix + name, numbers[0] ?? Number.NaN] as const)
    expect(numbers, names).toHaveLength(found.length)
    return found.map(([, , name = ""], place) => [prefix + name, numbers[place] ?? Number.NaN] as const)
  })
}

describe.each([
  { end: "server", tables: shared + server, limits: figuresOf(defaultServerLimits) },
  { end: "client", tables: shared + client, limits: figuresOf(defaultClientLimits) },
])("the bounds of the $end in section 17", ({ tables, limits }) => {
  const rows = figuresIn(tables)

  it("door-8 are those of the code, each figure", () => {
    expect(rows).toEqual(rows.map(([name]) => [name, limits.get(name)]))
  })

  it("door-8 are complete", () => {
    const named = new Set(rows.map(([name]) => name))
    expect([...limits.keys()].filter((name) => !named.has(name))).toEqual([])
    expect(named.size).toBeGreaterThan(30)
  })
})
