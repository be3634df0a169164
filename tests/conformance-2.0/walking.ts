// Steps through the world at the cooldown that the server advertises, and reads free and blocked tiles from the map.
import { setTimeout as wait } from "node:timers/promises"
import { Mismatch } from "./case.ts"
import { at, expectThat, intAt, listAt, numberAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { CHUNK_TILES, TIMER_MARGIN_MS } from "./limits.ts"
import type { Player } from "./player.ts"
import { isErrorCode } from "./reply.ts"

export interface Tile {
  readonly x: number
  readonly y: number
}

/** Every direction with its step: y grows downwards (section 4). */
export const DIRECTIONS = [
  ["UP", 0, -1],
  ["DOWN", 0, 1],
  ["LEFT", -1, 0],
  ["RIGHT", 1, 0],
] as const

export type Direction = (typeof DIRECTIONS)[number][0]

export function neighbour(tile: Tile, direction: Direction): Tile {
  const [, dx, dy] = DIRECTIONS.find(([name]) => name === direction) ?? [direction, 0, 0]
  return { x: tile.x + dx, y: tile.y + dy }
}

export function positionOf(player: Player): Tile {
  return {
    x: intAt(player.welcome.payload, "position", "x"),
    y: intAt(player.welcome.payload, "position", "y"),
  }
}

/** The advertised interval between two moves. */
function cooldownMs(player: Player): number {
  const seconds = numberAt(player.welcome.payload, "config", "move_cooldown")
  expectThat(seconds > 0 && seconds < 5, "a move_cooldown between 0 and 5 seconds", seconds)
  return seconds * 1_000
}

/** Waits until a move may be sent again, counted from the call. */
export async function coolDown(player: Player): Promise<void> {
  await wait(Math.ceil(cooldownMs(player)) + TIMER_MARGIN_MS)
}

export interface Walker {
  readonly player: Player
  position(): Tile
  /** Sends one move, at the advertised pace, and returns the reply. */
  step(direction: Direction): Promise<Frame>
}

export function createWalker(player: Player): Walker {
  let here = positionOf(player)
  let hasMoved = false
  return {
    player,
    position: () => here,
    step: async (direction) => {
      if (hasMoved) await coolDown(player)
      hasMoved = true
      const reply = await player.client.request("cmd_move", { direction })
      if (reply.type === "resp_success") here = positionIn(reply, "new_position")
      return reply
    },
  }
}

export function positionIn(reply: Frame, key: string): Tile {
  return { x: intAt(reply.payload, key, "x"), y: intAt(reply.payload, key, "y") }
}

/** True if the map itself refused the move. */
export function isBlocked(reply: Frame): boolean {
  return isErrorCode(reply, "move_collision_detected", "move_out_of_bounds")
}

export interface Step {
  readonly direction: Direction
  readonly from: Tile
  readonly to: Tile
  readonly reply: Frame
}

/** One step in the first free direction. */
export async function takeFreeStep(walker: Walker): Promise<Step> {
  for (const [direction] of DIRECTIONS) {
    const from = walker.position()
    const reply = await walker.step(direction)
    if (reply.type === "resp_success") return { direction, from, to: walker.position(), reply }
    if (!isBlocked(reply))
      throw new Mismatch("a move that succeeds or meets a wall", String(at(reply.payload, "error_code")))
  }
  throw new Mismatch("a free tile beside the place where players appear", "all four moves were refused")
}

export function chunkOf({ x, y }: Tile): Tile {
  return { x: Math.floor(x / CHUNK_TILES), y: Math.floor(y / CHUNK_TILES) }
}

/** True if the chunks show the tile as free; undefined if they do not cover it. Rows come first: tiles[y][x]. */
function isWalkable(chunks: readonly unknown[], tile: Tile): boolean | undefined {
  const { x, y } = chunkOf(tile)
  const chunk = chunks.find((one) => at(one, "chunk_x") === x && at(one, "chunk_y") === y)
  if (chunk === undefined) return undefined
  const row = listAt(chunk, "tiles")[tile.y - y * CHUNK_TILES]
  const found: unknown = Array.isArray(row) ? row[tile.x - x * CHUNK_TILES] : undefined
  const walkable = at(found, "properties", "walkable")
  return typeof walkable === "boolean" ? walkable : undefined
}

/** Number of steps in a direction until the chunks show a blocked tile; undefined without one. */
export function stepsToWall(
  chunks: readonly unknown[],
  from: Tile,
  direction: Direction,
): number | undefined {
  let tile = neighbour(from, direction)
  for (let steps = 1; ; steps += 1, tile = neighbour(tile, direction)) {
    const walkable = isWalkable(chunks, tile)
    if (walkable === undefined) return undefined
    if (!walkable) return steps
  }
}
