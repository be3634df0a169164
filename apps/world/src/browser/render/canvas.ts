// Draws the world, once per frame of the browser. Must not change the world.
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
/** Opacity of a player whose session is detached. */
const awayAlpha = 0.45

interface Frame {
  readonly nowMs: number
  /** Side of a tile, in device pixels. */
  readonly size: number
  /** Corner of the map, in device pixels of the view. */
  readonly origin: Tile
}

/** A figure and its drawn position in this frame. */
interface PlacedFigure {
  readonly figure: Figure
  readonly at: Tile
  readonly isOwn: boolean
}

export interface CanvasOptions {
  readonly canvas: HTMLCanvasElement
  readonly world: WorldState
  /** Returns the pictures that have arrived so far. */
  readonly atlas: () => Atlas
  /** Called before each frame. */
  readonly onFrame: (nowMs: number) => void
}

/** Starts drawing. Returns the disposer. */
export function startCanvas({ canvas, world, atlas, onFrame }: CanvasOptions): () => void {
  const { context } = surfaceOf(canvas)
  const drawnChunk = createChunkCache(() => atlas().tileset, world.bareTiles)
  const scene: Scene = { canvas, context, world, atlas, drawnChunk, labels: createLabels() }
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
      drawWorld(scene, { nowMs, ...place(scene, camera) })
    }
    lastMs = nowMs
  }

  return () => cancelAnimationFrame(request)
}

/** Parts that all frames share. */
interface Scene {
  readonly canvas: HTMLCanvasElement
  readonly context: CanvasRenderingContext2D
  readonly world: WorldState
  readonly atlas: () => Atlas
  readonly drawnChunk: ReturnType<typeof createChunkCache>
  readonly labels: ReturnType<typeof createLabels>
}

function place({ canvas, world }: Scene, from: Camera): Pick<Frame, "size" | "origin"> {
  const size = tilePixels(canvas.width, canvas.height)
  const view = { widthTiles: canvas.width / size, heightTiles: canvas.height / size }
  const { x, y } = clampToMap(from, view, world)
  return {
    size,
    origin: { x: Math.round(canvas.width / 2 - x * size), y: Math.round(canvas.height / 2 - y * size) },
  }
}

function drawWorld(scene: Scene, frame: Frame): void {
  const { context, world } = scene
  const chunks = visibleChunks(scene, frame)
  const side = chunkTiles * frame.size
  for (const { chunk, below } of chunks) {
    context.drawImage(below, ...cornerOf(chunk, frame), side, side)
  }
  for (const item of world.groundItems.values()) drawItem(context, item, frame)
  const byDepth = visibleFigures(scene, frame)
  for (const figure of byDepth) drawFigure(scene, figure, frame)
  for (const { chunk, above } of chunks) {
    if (above !== undefined) context.drawImage(above, ...cornerOf(chunk, frame), side, side)
  }
  for (const figure of byDepth) drawName(scene, figure, frame)
}

/** Sorts figures from back to front: by their lower edge; on one tile the own figure is in front. */
function visibleFigures({ canvas, world }: Scene, { nowMs, size, origin }: Frame): readonly PlacedFigure[] {
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

function visibleChunks({ canvas, world, drawnChunk }: Scene, { size, origin }: Frame): readonly DrawnChunk[] {
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

function drawFigure({ context, atlas }: Scene, { figure, at }: PlacedFigure, frame: Frame): void {
  const { nowMs, size, origin } = frame
  const { entity, motion } = figure
  const walkFrame = isMoving(motion, nowMs) ? Math.floor(nowMs / walkFrameMs) : 0
  const box = { x: Math.round(at.x * size + origin.x), y: Math.round(at.y * size + origin.y), size }
  context.globalAlpha = isAway(entity) ? awayAlpha : 1
  drawSprite(context, atlas(), { entity, walkFrame, box })
  context.globalAlpha = 1
  if (entity.hp >= entity.maxHp || entity.maxHp <= 0) return
  const width = Math.round(size * 0.7)
  const [x, y] = [box.x + Math.round(size * 0.15), box.y - Math.round(size * 0.06)]
  context.fillStyle = "rgb(8 11 15 / 70%)"
  context.fillRect(x - 1, y - 1, width + 2, 6)
  context.fillStyle = "#d2604f"
  context.fillRect(x, y, Math.round((width * Math.max(0, entity.hp)) / entity.maxHp), 4)
}

function drawName({ context, labels }: Scene, { figure, at, isOwn }: PlacedFigure, frame: Frame): void {
  const { size, origin } = frame
  const { entity } = figure
  const density = window.devicePixelRatio
  const fontPixels = Math.round((entity.kind === "player" ? 13 : 11) * density)
  const label = labels(nameOf(entity), isOwn ? "own" : entity.kind, fontPixels)
  const x = Math.round(at.x * size + origin.x + (size - label.width) / 2)
  const y = Math.round(
    at.y * size + origin.y - label.height - size * (entity.kind === "player" ? 0.08 : -0.05),
  )
  context.drawImage(label, x, y)
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

/** Sets one pixel of the canvas per pixel of the screen. */
function fitToPage(canvas: HTMLCanvasElement): void {
  const width = Math.round(canvas.clientWidth * window.devicePixelRatio)
  const height = Math.round(canvas.clientHeight * window.devicePixelRatio)
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}
