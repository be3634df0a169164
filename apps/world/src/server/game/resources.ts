// Trees and rocks: their stock, and the time when they regrow.
import type { ResourceFields } from "../../contract.ts"
import type { Resource, WorldMap } from "../../rules/map.ts"
import type { Tile } from "../../rules/movement.ts"
import type { Shown } from "./shown.ts"

const fullStock: Readonly<Record<Resource, number>> = { tree: 3, rock: 5 }
const regrowMs: Readonly<Record<Resource, number>> = { tree: 10_000, rock: 20_000 }

export type Gathering =
  | { readonly ok: true; readonly kind: Resource; readonly isBare: boolean }
  | { readonly ok: false; readonly why: "nothing" | "bare" }

interface Stock extends Tile {
  readonly kind: Resource
  stock: number
}

export class Resources {
  readonly #width: number
  readonly #shown: Shown<ResourceFields>
  readonly #stocks = new Map<string, Stock>()
  /** Bare resources with the time of their regrowth; each kind in the order of these times. */
  readonly #bare: Readonly<Record<Resource, { readonly id: string; readonly atMs: number }[]>> = {
    tree: [],
    rock: [],
  }

  constructor(map: WorldMap, shown: Shown<ResourceFields>) {
    this.#width = map.width
    this.#shown = shown
    for (let y = 0; y < map.height; y += 1) {
      for (let x = 0; x < map.width; x += 1) {
        const kind = map.resourceAt(x, y)
        if (kind !== undefined) this.#add({ x, y, kind, stock: fullStock[kind] })
      }
    }
  }

  gather(tile: Tile, nowMs: number): Gathering {
    const id = this.#idAt(tile)
    const found = this.#stocks.get(id)
    if (found === undefined) return { ok: false, why: "nothing" }
    if (found.stock === 0) return { ok: false, why: "bare" }
    const { kind } = found
    found.stock -= 1
    this.#shown.patch(id, { stock: found.stock })
    const isBare = found.stock === 0
    if (isBare) this.#bare[kind].push({ id, atMs: nowMs + regrowMs[kind] })
    return { ok: true, kind, isBare }
  }

  tick(nowMs: number): void {
    for (const waiting of Object.values(this.#bare)) {
      for (let first = waiting[0]; first !== undefined && first.atMs <= nowMs; first = waiting[0]) {
        waiting.shift()
        this.#regrow(first.id)
      }
    }
  }

  #add(stock: Stock): void {
    const id = this.#idAt(stock)
    this.#stocks.set(id, stock)
    this.#shown.set(id, { ...stock })
  }

  #regrow(id: string): void {
    const found = this.#stocks.get(id)
    if (found === undefined) return
    found.stock = fullStock[found.kind]
    this.#shown.patch(id, { stock: found.stock })
  }

  #idAt({ x, y }: Tile): string {
    return String(y * this.#width + x)
  }
}
