// Chooses and draws the picture of a figure.
import { outfitCount } from "../../rules/outfits.ts"
import type { Entity } from "../entity.ts"
import type { Atlas } from "./atlas.ts"

const plainColours = ["#d9a441", "#5b9bd5", "#c96a6a", "#7fb069", "#a983c9", "#d88c5a"] as const

export interface SpriteBox {
  /** Top left corner of the figure's tile, in device pixels. */
  readonly x: number
  readonly y: number
  /** Side of a tile, in device pixels. */
  readonly size: number
}

/** Returns the frame's name in the sheet: `player-2/LEFT/1`, `wolf/UP/0`. */
function frameName(entity: Entity, walkFrame: number): string {
  if (entity.kind === "creature") return `${entity.species}/${entity.facing}/${walkFrame % 2}`
  const outfit = ((entity.outfit % outfitCount) + outfitCount) % outfitCount
  return `player-${outfit}/${entity.facing}/${walkFrame % 4}`
}

/** Draws the figure on its tile; a frame is as large as a tile. */
export function drawSprite(
  context: CanvasRenderingContext2D,
  atlas: Atlas,
  figure: { readonly entity: Entity; readonly walkFrame: number; readonly box: SpriteBox },
): void {
  const { entity, walkFrame, box } = figure
  const frame = atlas.frames[frameName(entity, walkFrame)]
  if (atlas.sprites === undefined || frame === undefined) {
    drawPlain(context, entity, box)
    return
  }
  const { x, y, size } = box
  context.drawImage(atlas.sprites, frame.x, frame.y, frame.width, frame.height, x, y, size, size)
}

function drawPlain(context: CanvasRenderingContext2D, entity: Entity, { x, y, size }: SpriteBox): void {
  const colour = entity.kind === "player" ? plainColours[entity.outfit % plainColours.length] : "#9aa5b1"
  context.fillStyle = colour ?? plainColours[0]
  context.beginPath()
  context.roundRect(x + size * 0.25, y + size * 0.15, size * 0.5, size * 0.75, size * 0.2)
  context.fill()
}
