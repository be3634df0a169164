// Items on the ground: at most one on a tile, until a player takes it or its lifetime ends.
import type { GroundItemFields, ItemKind } from "../../contract.ts"
import type { Terrain, Tile } from "../../rules/movement.ts"
import type { Pieces } from "./pieces.ts"
import type { Shown } from "./shown.ts"

const lifetimeMs = 120_000
/** Maximum number of items. Beyond it the oldest is removed. */
const maxItems = 2_000

interface Ground extends Terrain {
  readonly width: number
}

export class GroundItems {
  readonly #map: Ground
  readonly #shown: Shown<GroundItemFields>
  readonly #pieces: Pieces
  /** Ends of the lifetimes, the oldest item first. The item may be gone. */
  readonly #expiresAtMs = new Map<string, number>()

  constructor(map: Ground, shown: Shown<GroundItemFields>, pieces: Pieces) {
    this.#map = map
    this.#shown = shown
    this.#pieces = pieces
  }

  /** Begins the lifetimes of the items that an earlier process has left. */
  begin(nowMs: number): void {
    for (const [id] of this.#shown) this.#expiresAtMs.set(id, nowMs + lifetimeMs)
  }

  /** Puts an item onto a free tile at or beside `from`, except the tile `except`. Returns false if no tile is free. */
  put(
    kind: ItemKind,
    from: Tile,
    { except, nowMs }: { readonly except: Tile | undefined; readonly nowMs: number },
  ): boolean {
    const tile = this.#freeTileBeside(from, except)
    if (tile === undefined) return false
    const id = this.#idAt(tile)
    this.#shown.set(id, { kind, ...tile })
    this.#expiresAtMs.delete(id)
    this.#expiresAtMs.set(id, nowMs + lifetimeMs)
    if (this.#shown.size > maxItems) this.#removeOldest()
    return true
  }

  at(tile: Tile): ItemKind | undefined {
    return this.#shown.get(this.#idAt(tile))?.kind
  }

  /** Removes the item on a tile. */
  take(tile: Tile): void {
    this.#shown.remove(this.#idAt(tile))
  }

  tick(nowMs: number): void {
    for (const [id, atMs] of this.#expiresAtMs) {
      if (atMs > nowMs) return
      this.#decay(id)
    }
  }

  #freeTileBeside({ x, y }: Tile, except: Tile | undefined): Tile | undefined {
    for (let dy = -1; dy <= 1; dy += 1) {
      for (let dx = -1; dx <= 1; dx += 1) {
        const tile = { x: x + dx, y: y + dy }
        const isExcepted = tile.x === except?.x && tile.y === except.y
        const isFree = this.#map.isWalkable(tile.x, tile.y) && !this.#shown.has(this.#idAt(tile))
        if (!isExcepted && isFree) return tile
      }
    }
    return undefined
  }

  #removeOldest(): void {
    for (const id of this.#expiresAtMs.keys()) if (this.#decay(id)) return
  }

  /** Returns false if the item is gone. */
  #decay(id: string): boolean {
    this.#expiresAtMs.delete(id)
    if (!this.#shown.remove(id)) return false
    this.#pieces.add("decayed", 1)
    return true
  }

  #idAt({ x, y }: Tile): string {
    return String(y * this.#map.width + x)
  }
}
