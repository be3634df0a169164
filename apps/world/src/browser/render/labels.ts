// Names above figures: each drawn once, then copied.
import type { Entity } from "../entity.ts"
import { speciesName } from "../../rules/species.ts"
import { createSurface } from "./surface.ts"

/** Maximum number of drawn names, 10 KiB each; beyond it the oldest is evicted. */
const maxDrawn = 1_024

type LabelKind = "own" | "player" | "creature"
export type Labels = (text: string, kind: LabelKind, fontPixels: number) => HTMLCanvasElement

const colours: Readonly<Record<LabelKind, string>> = {
  own: "#ffd88a",
  player: "#f2f4f7",
  creature: "#b9c6bb",
}

export function createLabels(): Labels {
  const drawn = new Map<string, HTMLCanvasElement>()
  return (text, kind, fontPixels) => {
    const key = `${kind} ${fontPixels} ${text}`
    const known = drawn.get(key)
    if (known !== undefined) return known
    const label = drawLabel(text, colours[kind], fontPixels)
    drawn.set(key, label)
    if (drawn.size > maxDrawn) {
      for (const oldest of drawn.keys()) {
        drawn.delete(oldest)
        break
      }
    }
    return label
  }
}

export function nameOf(entity: Entity): string {
  return entity.kind === "player" ? entity.username : speciesName(entity.species)
}

function drawLabel(text: string, colour: string, fontPixels: number): HTMLCanvasElement {
  const font = `600 ${fontPixels}px "Segoe UI", "Helvetica Neue", system-ui, sans-serif`
  const measure = createSurface(1, 1).context
  measure.font = font
  const margin = Math.ceil(fontPixels / 3)
  const { canvas, context } = createSurface(
    Math.ceil(measure.measureText(text).width) + margin * 2,
    Math.ceil(fontPixels * 1.3) + margin,
  )
  context.font = font
  context.textAlign = "center"
  context.textBaseline = "middle"
  context.lineJoin = "round"
  context.lineWidth = Math.max(2, fontPixels / 4)
  context.strokeStyle = "rgb(8 11 15 / 78%)"
  context.strokeText(text, canvas.width / 2, canvas.height / 2)
  context.fillStyle = colour
  context.fillText(text, canvas.width / 2, canvas.height / 2)
  return canvas
}
