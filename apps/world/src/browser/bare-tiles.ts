// Bare trees and rocks, from the replica `resources`, and a version for each chunk, so that only changed chunks are
// drawn again. Must not know pictures.
import type { ReplicaEvents } from "@hawser/client"
import type { ResourceFields } from "../contract.ts"
import type { Tile } from "../rules/movement.ts"
import { chunkKey, chunkTiles } from "../rules/chunk.ts"

export type Bareness = ResourceFields["kind"] | undefined
type Event = ReplicaEvents<ResourceFields>[keyof ReplicaEvents<ResourceFields>]

export class BareTiles {
  readonly #kinds = new Map<string, ResourceFields["kind"]>()
  readonly #versions = new Map<string, number>()

  apply(events: readonly Event[]): void {
    for (const { kind, record } of events) {
      const isBare = kind !== "leave" && record.stock === 0
      if (isBare === this.#kinds.has(keyOf(record))) continue
      if (isBare) this.#kinds.set(keyOf(record), record.kind)
      else this.#kinds.delete(keyOf(record))
      this.#changed(record)
      // A tree's crown is on the tile above it, which may be in another chunk.
      this.#changed({ x: record.x, y: record.y - 1 })
    }
  }

  kindAt(x: number, y: number): Bareness {
    return this.#kinds.get(`${x},${y}`)
  }

  /** Returns a number that changes with every change of this chunk. */
  versionOf(chunkX: number, chunkY: number): number {
    return this.#versions.get(chunkKey(chunkX, chunkY)) ?? 0
  }

  #changed({ x, y }: Tile): void {
    const key = chunkKey(Math.floor(x / chunkTiles), Math.floor(y / chunkTiles))
    this.#versions.set(key, (this.#versions.get(key) ?? 0) + 1)
  }
}

function keyOf({ x, y }: Tile): string {
  return `${x},${y}`
}
