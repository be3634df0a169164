// The world of the world scenario, the same for every server and for the load, which checks the servers' messages:
// players that walk in all directions on a square of cells. A viewer sees the players in the nine cells around it,
// itself included: about twenty. Places are in tiles, of 32 pixels each, and exact to the pixel. Deterministic: the
// same count of players and of steps gives the same world.

export const directions = ["UP", "DOWN", "LEFT", "RIGHT"] as const
export type Direction = (typeof directions)[number]

export interface Player {
  readonly id: number
  /** Tiles. */
  x: number
  y: number
  /** Direction of view: the nearest to the direction of walking. */
  dir: Direction
}

/** Velocity of a player, in pixels per step. */
interface Heading {
  dx: number
  dy: number
}

export const tickEveryMs = 50

export const pixelsPerTile = 32
export const cellTiles = 16
const stepPixels = 8
/** Players per cell, so that nine cells, fewer at the edges, hold about twenty. */
const playersPerCell = 2.5
const turnsPerStep = 1 / 40
const seed = 0x5eed

/** Called when a player enters or leaves a viewer's view. */
export type OnSight = (viewer: Player, player: Player, isSeen: boolean) => void

export class World {
  readonly players: readonly Player[]
  /** By the players' ids. */
  readonly #headings: Heading[] = []
  readonly #cells: readonly Set<Player>[]
  readonly #width: number
  readonly #random = randomOf(seed)

  constructor(playerCount: number) {
    this.#width = Math.ceil(Math.sqrt(playerCount / playersPerCell))
    this.#cells = Array.from({ length: this.#width ** 2 }, () => new Set<Player>())
    this.players = Array.from({ length: playerCount }, (_, id) => this.#place(id))
  }

  /** Side of the square. */
  get widthTiles(): number {
    return this.#width * cellTiles
  }

  /** Moves every player by one step. */
  step(onSight: OnSight = () => {}): void {
    for (const player of this.players) {
      const from = this.#cellOf(player)
      if (this.#random() < turnsPerStep) this.#headings[player.id] = this.#anyHeading()
      this.#walk(player)
      const to = this.#cellOf(player)
      if (from !== to) this.#move(player, { from, to, onSight })
    }
  }

  /** Players that a viewer sees. */
  visibleTo(viewer: Player): Player[] {
    const seen: Player[] = []
    this.#around(this.#cellOf(viewer), (cell) => seen.push(...(this.#cells[cell] ?? [])))
    return seen
  }

  #place(id: number): Player {
    const x = this.#anywhere()
    const heading = this.#anyHeading()
    const player: Player = { id, x, y: this.#anywhere(), dir: facing(heading) }
    this.#headings.push(heading)
    this.#cells[this.#cellOf(player)]?.add(player)
    return player
  }

  #anywhere(): number {
    return Math.floor(this.#random() * this.widthTiles * pixelsPerTile) / pixelsPerTile
  }

  #anyHeading(): Heading {
    const angle = this.#random() * 2 * Math.PI
    return { dx: Math.round(Math.cos(angle) * stepPixels), dy: Math.round(Math.sin(angle) * stepPixels) }
  }

  /** Every player moves; a player at the edge turns round. */
  #walk(player: Player): void {
    const heading = this.#headings[player.id]
    if (heading === undefined) return
    const x = player.x + heading.dx / pixelsPerTile
    const y = player.y + heading.dy / pixelsPerTile
    if (x < 0 || x >= this.widthTiles) heading.dx = -heading.dx
    if (y < 0 || y >= this.widthTiles) heading.dy = -heading.dy
    player.x += heading.dx / pixelsPerTile
    player.y += heading.dy / pixelsPerTile
    player.dir = facing(heading)
  }

  #move(
    player: Player,
    { from, to, onSight }: { readonly from: number; readonly to: number; readonly onSight: OnSight },
  ): void {
    const before = new Set<number>()
    const after = new Set<number>()
    this.#around(from, (cell) => before.add(cell))
    this.#around(to, (cell) => after.add(cell))
    this.#cells[from]?.delete(player)
    for (const cell of before) if (!after.has(cell)) this.#meet(player, cell, { onSight, isSeen: false })
    for (const cell of after) if (!before.has(cell)) this.#meet(player, cell, { onSight, isSeen: true })
    this.#cells[to]?.add(player)
  }

  /** Visibility is mutual. */
  #meet(
    player: Player,
    cell: number,
    { onSight, isSeen }: { readonly onSight: OnSight; readonly isSeen: boolean },
  ): void {
    for (const other of this.#cells[cell] ?? []) {
      onSight(player, other, isSeen)
      onSight(other, player, isSeen)
    }
  }

  #cellOf({ x, y }: Player): number {
    return Math.floor(y / cellTiles) * this.#width + Math.floor(x / cellTiles)
  }

  #around(cell: number, visit: (cell: number) => void): void {
    const column = cell % this.#width
    const row = Math.floor(cell / this.#width)
    for (let y = Math.max(0, row - 1); y <= Math.min(this.#width - 1, row + 1); y += 1)
      for (let x = Math.max(0, column - 1); x <= Math.min(this.#width - 1, column + 1); x += 1)
        visit(y * this.#width + x)
  }
}

function facing({ dx, dy }: Heading): Direction {
  if (Math.abs(dx) > Math.abs(dy)) return dx > 0 ? "RIGHT" : "LEFT"
  return dy > 0 ? "DOWN" : "UP"
}

/** mulberry32: a number from 0 to 1 for each call. */
function randomOf(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Player of the user that a token names: `user-7` walks as player 7. */
export function playerOf(world: World, userId: string): Player {
  const player = world.players[Number(userId.slice("user-".length))]
  if (player === undefined) throw new Error(`no player for ${userId}`)
  return player
}
