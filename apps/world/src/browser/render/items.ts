// Draws ground items as shapes, because the sheet has no pictures of them.
import type { GroundItemFields } from "../../contract.ts"
import type { Tile } from "../../rules/movement.ts"

interface Placed {
  /** Side of a tile, in device pixels. */
  readonly size: number
  /** Corner of the map, in device pixels of the view. */
  readonly origin: Tile
}

export function drawItem(
  context: CanvasRenderingContext2D,
  item: GroundItemFields,
  { size, origin }: Placed,
): void {
  const [x, y] = [item.x * size + origin.x, item.y * size + origin.y]
  context.fillStyle = "rgb(8 11 15 / 30%)"
  context.beginPath()
  context.ellipse(x + size * 0.5, y + size * 0.72, size * 0.3, size * 0.09, 0, 0, 2 * Math.PI)
  context.fill()
  if (item.kind === "log") drawLog(context, { x, y }, size)
  else drawOre(context, { x, y }, size)
}

function drawLog(context: CanvasRenderingContext2D, { x, y }: Tile, size: number): void {
  context.fillStyle = "#7a4f2a"
  context.beginPath()
  context.roundRect(x + size * 0.22, y + size * 0.5, size * 0.56, size * 0.22, size * 0.1)
  context.fill()
  context.fillStyle = "#d9b07a"
  context.beginPath()
  context.ellipse(x + size * 0.73, y + size * 0.61, size * 0.07, size * 0.11, 0, 0, 2 * Math.PI)
  context.fill()
}

function drawOre(context: CanvasRenderingContext2D, { x, y }: Tile, size: number): void {
  const corners = [
    [0.3, 0.7],
    [0.36, 0.52],
    [0.52, 0.44],
    [0.68, 0.54],
    [0.7, 0.7],
  ] as const
  context.fillStyle = "#8d97a5"
  context.beginPath()
  for (const [right, down] of corners) context.lineTo(x + size * right, y + size * down)
  context.fill()
  context.fillStyle = "#e0a24f"
  context.fillRect(x + size * 0.46, y + size * 0.55, size * 0.1, size * 0.08)
}
