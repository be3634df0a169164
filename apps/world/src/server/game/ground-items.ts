// Items on the ground: at most one on a tile, until a player takes it or its lifetime ends.
import type { GroundItemFields, ItemKind } from "../../contract.ts"
import type { Terrain, Tile } from "../../rules/movement.ts"
import type { Shown } from "./shown.ts"

const lifetimeMs = 120_000
/** Maximum number of items. Beyond it the oldest is removed. */
const maxItems = 2_000

interface Lying extends Tile {
  readonly id: string
  readonly kind: ItemKind
  readonly expiresAtMs: number
}

export class GroundItems {
  readonly #terrain: Terrain
  readonly #shown: Shown<GroundItemFields>
  /** Items by tile, the oldest first. */
  readonly #lying = new Map<string, Lying>()
  #lastId = 0

  constructor(terrain: Terrain, shown: Shown<GroundItemFields>) {
    this.#terrain = terrain
    this.#shown = shown
  }

  /** Drops an item onto a free tile at or beside `from`, except the tile `except`. Does nothing if no tile is free. */
  drop(
    kind: ItemKind,
    from: Tile,
    { except, nowMs }: { readonly except: Tile; readonly nowMs: number },
  ): void {
    const tile = this.#freeTileBeside(from, except)
    if (tile === undefined) return
    this.#lastId += 1
    const lying = { id: String(this.#lastId), kind, ...tile, expiresAtMs: nowMs + lifetimeMs }
    this.#lying.set(keyOf(tile), lying)
    this.#shown.set(lying.id, { kind, ...tile })
    if (this.#lying.size > maxItems) this.#removeOldest()
  }

  /** Removes the item on a tile and returns its kind. */
  take(tile: Tile): ItemKind | undefined {
    const lying = this.#lying.get(keyOf(tile))
    if (lying !== undefined) this.#remove(lying)
    return lying?.kind
  }

  tick(nowMs: number): void {
    for (const lying of this.#lying.values()) {
      if (lying.expiresAtMs > nowMs) return
      this.#remove(lying)
    }
  }

  #freeTileBeside({ x, y }: Tile, except: Tile): Tile | undefined {
    for (let dy = -1; dy <= 1; dy += 1) {
      for (let dx = -1; dx <= 1; dx += 1) {
        const tile = { x: x + dx, y: y + dy }
        const isExcepted = tile.x === except.x && tile.y === except.y
        if (!isExcepted && this.#terrain.isWalkable(tile.x, tile.y) && !this.#lying.has(keyOf(tile)))
          return tile
      }
    }
    return undefined
  }

  #removeOldest(): void {
    for (const oldest of this.#lying.values()) {
      this.#remove(oldest)
      return
    }
  }

  #remove(lying: Lying): void {
    this.#lying.delete(keyOf(lying))
    this.#shown.remove(lying.id)
  }
}

function keyOf({ x, y }: Tile): string {
  return `${x},${y}`
}
