// Trees and rocks: their stock, which is in the replica, and the time when they regrow.
import type { ResourceFields } from "../../contract.ts"
import type { Resource, WorldMap } from "../../rules/map.ts"
import type { Tile } from "../../rules/movement.ts"
import type { Pieces } from "./pieces.ts"
import type { Shown } from "./shown.ts"

const fullStock: Readonly<Record<Resource, number>> = { tree: 3, rock: 5 }
const regrowMs: Readonly<Record<Resource, number>> = { tree: 10_000, rock: 20_000 }

export type Gathering =
  | { readonly ok: true; readonly kind: Resource; readonly isBare: boolean }
  | { readonly ok: false; readonly why: "nothing" | "bare" }

export class Resources {
  readonly #map: WorldMap
  readonly #shown: Shown<ResourceFields>
  readonly #pieces: Pieces
  /** Bare resources with the time of their regrowth; each kind in the order of these times. */
  readonly #bare: Readonly<Record<Resource, { readonly id: string; readonly atMs: number }[]>> = {
    tree: [],
    rock: [],
  }

  constructor(map: WorldMap, shown: Shown<ResourceFields>, pieces: Pieces) {
    this.#map = map
    this.#shown = shown
    this.#pieces = pieces
  }

  /** Adds the map's resources that have no record, and removes records that the map lacks. Bare ones begin to regrow. */
  begin(nowMs: number): void {
    const { map, shown, pieces } = { map: this.#map, shown: this.#shown, pieces: this.#pieces }
    for (const [id, { x, y, kind, stock }] of [...shown]) {
      if (map.resourceAt(x, y) === kind && this.#idAt({ x, y }) === id) continue
      pieces.add("decayed", stock)
      shown.remove(id)
    }
    for (let y = 0; y < map.height; y += 1) {
      for (let x = 0; x < map.width; x += 1) {
        const kind = map.resourceAt(x, y)
        if (kind !== undefined) this.#beginAt({ x, y }, kind, nowMs)
      }
    }
  }

  gather(tile: Tile, nowMs: number): Gathering {
    const id = this.#idAt(tile)
    const found = this.#shown.get(id)
    if (found === undefined) return { ok: false, why: "nothing" }
    if (found.stock === 0) return { ok: false, why: "bare" }
    const { kind } = found
    const stock = found.stock - 1
    this.#shown.patch(id, { stock })
    if (stock === 0) this.#regrowLater(id, kind, nowMs)
    return { ok: true, kind, isBare: stock === 0 }
  }

  tick(nowMs: number): void {
    for (const waiting of Object.values(this.#bare)) {
      for (let first = waiting[0]; first !== undefined && first.atMs <= nowMs; first = waiting[0]) {
        waiting.shift()
        this.#regrow(first.id)
      }
    }
  }

  #beginAt(tile: Tile, kind: Resource, nowMs: number): void {
    const id = this.#idAt(tile)
    const known = this.#shown.get(id)
    if (known?.stock === 0) this.#regrowLater(id, kind, nowMs)
    if (known !== undefined) return
    this.#shown.set(id, { ...tile, kind, stock: fullStock[kind] })
    this.#pieces.add("grown", fullStock[kind])
  }

  #regrowLater(id: string, kind: Resource, nowMs: number): void {
    this.#bare[kind].push({ id, atMs: nowMs + regrowMs[kind] })
  }

  #regrow(id: string): void {
    const found = this.#shown.get(id)
    // The gathering of its last piece may have been undone.
    if (found?.stock !== 0) return
    this.#shown.patch(id, { stock: fullStock[found.kind] })
    this.#pieces.add("grown", fullStock[found.kind])
  }

  #idAt({ x, y }: Tile): string {
    return String(y * this.#map.width + x)
  }
}
