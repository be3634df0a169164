// Counts the records of all replicas in the page, their cells, and their updates.
import type { Client, ReplicaCopy } from "@hawser/client"
import { world as contract } from "../contract.ts"
import type { WorldContract } from "../contract.ts"
import type { Tile } from "../rules/movement.ts"

const names = ["players", "creatures", "resources", "groundItems"] as const

export interface ShownRecords {
  /** Records that entered, changed or left so far. */
  readonly updates: number
  readonly records: number
  /** Cells that have records. */
  readonly cells: number
  /** Returns the current records, by the replica's name and the record's id. */
  all(): Readonly<Record<string, Readonly<Record<string, object>>>>
}

export function countRecords(client: Client<WorldContract>): ShownRecords {
  let updates = 0
  const views: readonly ReplicaCopy<Tile>[] = names.map((name) => client.replica(name))
  for (const view of views) view.subscribe(({ events }) => (updates += events.length))
  return {
    get updates() {
      return updates
    },
    get records() {
      return views.reduce((sum, { size }) => sum + size, 0)
    },
    get cells() {
      return names.reduce((sum, name) => sum + cellsOf(name, client.replica(name)), 0)
    },
    all: () => Object.fromEntries(views.map((view) => [view.name, Object.fromEntries(view)])),
  }
}

function cellsOf(name: (typeof names)[number], view: Iterable<[string, Tile]>): number {
  const { cellSize = 1 } = contract.replicas[name].area ?? {}
  const cells = new Set<string>()
  for (const [, { x, y }] of view) cells.add(`${Math.floor(x / cellSize)},${Math.floor(y / cellSize)}`)
  return cells.size
}
