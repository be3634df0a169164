// Draws the world, once per frame of the browser. Must not change it.
import type { Entity } from "../entity.ts"
import type { Tile } from "../../rules/movement.ts"
import { isMoving, placeAt } from "../motion.ts"
import { chunkKey, chunkTiles } from "../../rules/chunk.ts"
import type { Figure, WorldState } from "../world-state.ts"
import type { Atlas } from "./atlas.ts"
import { clampToMap, follow, tilePixels } from "./camera.ts"
import type { Camera } from "./camera.ts"
import { createChunkCache } from "./chunk-cache.ts"
import type { DrawnChunk } from "./chunk-cache.ts"
import { createLabels, nameOf } from "./labels.ts"
import { drawItem } from "./items.ts"
import { drawSprite } from "./sprites.ts"
import { surfaceOf } from "./surface.ts"

const walkFrameMs = 110
/** How much is seen of a player whose connection is lost. */
const awayAlpha = 0.45

interface Frame {
  readonly nowMs: number
  /** Side of a tile, in device pixels. */
  readonly size: number
  /** The map's corner in device pixels of the view. */
  readonly origin: Tile
}

/** A figure where it is drawn in this frame. */
interface PlacedFigure {
  readonly figure: Figure
  readonly at: Tile
  readonly isOwn: boolean
}

export interface CanvasOptions {
  readonly canvas: HTMLCanvasElement
  readonly world: WorldState
  readonly atlas: Atlas
  /** Called before each frame. */
  readonly onFrame: (nowMs: number) => void
}

/** Returns how to stop. */
export function startCanvas({ canvas, world, atlas, onFrame }: CanvasOptions): () => void {
  const { context } = surfaceOf(canvas)
  const drawnChunk = createChunkCache(atlas.tileset, world.bareTiles)
  const labels = createLabels()
  let camera: Camera | undefined
  let lastMs = performance.now()
  let request = requestAnimationFrame(draw)

  function draw(): void {
    request = requestAnimationFrame(draw)
    const nowMs = performance.now()
    onFrame(nowMs)
    fitToPage(canvas)
    context.imageSmoothingEnabled = false
    context.fillStyle = "#0b0e12"
    context.fillRect(0, 0, canvas.width, canvas.height)
    const own = world.ownFigure
    if (own !== undefined) {
      camera = follow(camera, middleOf(own, nowMs), nowMs - lastMs)
      drawWorld({ nowMs, ...place(camera) })
    }
    lastMs = nowMs
  }

  function place(from: Camera): Pick<Frame, "size" | "origin"> {
    const size = tilePixels(canvas.width, canvas.height)
    const view = { widthTiles: canvas.width / size, heightTiles: canvas.height / size }
    const { x, y } = clampToMap(from, view, world)
    return {
      size,
      origin: { x: Math.round(canvas.width / 2 - x * size), y: Math.round(canvas.height / 2 - y * size) },
    }
  }

  function drawWorld(frame: Frame): void {
    const chunks = visibleChunks(frame)
    const side = chunkTiles * frame.size
    for (const { chunk, below } of chunks) {
      context.drawImage(below, ...cornerOf(chunk, frame), side, side)
    }
    for (const item of world.groundItems.values()) drawItem(context, item, frame)
    const byDepth = visibleFigures(frame)
    for (const figure of byDepth) drawFigure(figure, frame)
    for (const { chunk, above } of chunks) {
      if (above !== undefined) context.drawImage(above, ...cornerOf(chunk, frame), side, side)
    }
    for (const figure of byDepth) drawName(figure, frame)
  }

  /** Further down is further in front; of those who share a tile the own figure is. */
  function visibleFigures({ nowMs, size, origin }: Frame): readonly PlacedFigure[] {
    const own = world.ownFigure
    const visible: PlacedFigure[] = []
    for (const figure of world.figures.values()) {
      const at = placeAt(figure.motion, nowMs)
      const [x, y] = [at.x * size + origin.x, at.y * size + origin.y]
      // Names are wider than a tile, and hang above it.
      if (x < -3 * size || y < -size || x > canvas.width + 3 * size || y > canvas.height + size) continue
      visible.push({ figure, at, isOwn: figure === own })
    }
    return visible.sort((one, other) => one.at.y - other.at.y || Number(one.isOwn) - Number(other.isOwn))
  }

  function visibleChunks({ size, origin }: Frame): readonly DrawnChunk[] {
    const side = chunkTiles * size
    const visible: DrawnChunk[] = []
    for (let chunkY = Math.floor(-origin.y / side); chunkY * side + origin.y < canvas.height; chunkY += 1) {
      for (let chunkX = Math.floor(-origin.x / side); chunkX * side + origin.x < canvas.width; chunkX += 1) {
        const key = chunkKey(chunkX, chunkY)
        const chunk = world.chunks.get(key)
        if (chunk !== undefined) visible.push(drawnChunk(key, chunk))
      }
    }
    return visible
  }

  function drawFigure({ figure, at }: PlacedFigure, { nowMs, size, origin }: Frame): void {
    const { entity, motion } = figure
    const walkFrame = isMoving(motion, nowMs) ? Math.floor(nowMs / walkFrameMs) : 0
    const box = { x: Math.round(at.x * size + origin.x), y: Math.round(at.y * size + origin.y), size }
    context.globalAlpha = isAway(entity) ? awayAlpha : 1
    drawSprite(context, atlas, { entity, walkFrame, box })
    context.globalAlpha = 1
    if (entity.hp >= entity.maxHp || entity.maxHp <= 0) return
    const width = Math.round(size * 0.7)
    const [x, y] = [box.x + Math.round(size * 0.15), box.y - Math.round(size * 0.06)]
    context.fillStyle = "rgb(8 11 15 / 70%)"
    context.fillRect(x - 1, y - 1, width + 2, 6)
    context.fillStyle = "#d2604f"
    context.fillRect(x, y, Math.round((width * Math.max(0, entity.hp)) / entity.maxHp), 4)
  }

  function drawName({ figure: { entity }, at, isOwn }: PlacedFigure, { size, origin }: Frame): void {
    const density = window.devicePixelRatio
    const fontPixels = Math.round((entity.kind === "player" ? 13 : 11) * density)
    const label = labels(nameOf(entity), isOwn ? "own" : entity.kind, fontPixels)
    const x = Math.round(at.x * size + origin.x + (size - label.width) / 2)
    const y = Math.round(
      at.y * size + origin.y - label.height - size * (entity.kind === "player" ? 0.08 : -0.05),
    )
    context.drawImage(label, x, y)
  }

  return () => cancelAnimationFrame(request)
}

function isAway(entity: Entity): boolean {
  return entity.kind === "player" && entity.away
}

function middleOf({ motion }: Figure, nowMs: number): Tile {
  const { x, y } = placeAt(motion, nowMs)
  return { x: x + 0.5, y: y + 0.5 }
}

function cornerOf(
  chunk: { readonly chunkX: number; readonly chunkY: number },
  { size, origin }: Frame,
): [x: number, y: number] {
  return [chunk.chunkX * chunkTiles * size + origin.x, chunk.chunkY * chunkTiles * size + origin.y]
}

/** One pixel of the canvas per pixel of the screen. */
function fitToPage(canvas: HTMLCanvasElement): void {
  const width = Math.round(canvas.clientWidth * window.devicePixelRatio)
  const height = Math.round(canvas.clientHeight * window.devicePixelRatio)
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
