import { Canvas, TILE } from "./paint.ts"

export interface TileArt {
  readonly name: string
  readonly art: Canvas
  /** Overrides the layers below; absent if the tile does not affect walking. */
  readonly walkable?: boolean
  readonly resource?: "tree" | "rock"
}

export function plain(name: string, art: Canvas): TileArt {
  return { name, art }
}

export function blocked(name: string, art: Canvas, resource?: "tree" | "rock"): TileArt {
  return resource === undefined ? { name, art, walkable: false } : { name, art, walkable: false, resource }
}

export function passable(name: string, art: Canvas): TileArt {
  return { name, art, walkable: true }
}

/** The tiles in the order of the picture. The first has the number 1; 0 is an empty cell. */
export class Atlas {
  static readonly columns = 16
  readonly tiles: TileArt[] = []
  readonly #numbers = new Map<string, number>()

  add(...tiles: readonly TileArt[]): void {
    for (const tile of tiles) {
      if (this.#numbers.has(tile.name)) throw new Error(`two tiles have the name ${tile.name}`)
      this.tiles.push(tile)
      this.#numbers.set(tile.name, this.tiles.length)
    }
  }

  has(name: string): boolean {
    return this.#numbers.has(name)
  }

  number(name: string): number {
    const number = this.#numbers.get(name)
    if (number === undefined) throw new Error(`no tile has the name ${name}`)
    return number
  }

  tile(number: number): TileArt | undefined {
    return this.tiles[number - 1]
  }

  picture(): Canvas {
    const rows = Math.ceil(this.tiles.length / Atlas.columns)
    const canvas = new Canvas(Atlas.columns * TILE, rows * TILE)
    for (const [index, { art }] of this.tiles.entries()) {
      canvas.paste(art, (index % Atlas.columns) * TILE, Math.floor(index / Atlas.columns) * TILE)
    }
    return canvas
  }
}
