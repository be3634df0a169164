import { Canvas, TILE, type Colour, type Ramp } from "./paint.ts"
import { drawCreature, CREATURES } from "./creatures.ts"
import { DIRECTIONS, type Direction } from "./directions.ts"

interface Outfit {
  readonly shirt: Ramp
  readonly hair: Ramp
  readonly trousers: Colour
  readonly skin: Ramp
  readonly hat: boolean
}

const INK = 0x2b2238
const FAIR: Ramp = [0xd89a74, 0xf0bc94, 0xfad4b0]
const TAN: Ramp = [0xa86a44, 0xc88a5e, 0xdca478]
const DARK: Ramp = [0x6a4030, 0x8a5840, 0xa4704e]
const RED: Ramp = [0x8e2a32, 0xc4443e, 0xe46a5a]
const BLUE: Ramp = [0x2c4a94, 0x3f6cc4, 0x6a98e4]
const GREEN: Ramp = [0x28683c, 0x3f9250, 0x6cba6c]
const YELLOW: Ramp = [0xb8802c, 0xe8b440, 0xf8d878]
const VIOLET: Ramp = [0x54307e, 0x7e4cb0, 0xa878d8]
const TEAL: Ramp = [0x1e6a70, 0x2f9696, 0x66c4bc]
const GREY: Ramp = [0x6c7488, 0x98a0b0, 0xc8ccd8]
const PINK: Ramp = [0xa84070, 0xd86a98, 0xf49cc0]
const BROWN: Ramp = [0x4a2c20, 0x6e4430, 0x8e6044]
const BLACK: Ramp = [0x201c2c, 0x36304a, 0x544c6c]

const OUTFITS: readonly Outfit[] = [
  { shirt: RED, hair: BROWN, trousers: 0x3c4a78, skin: FAIR, hat: false },
  { shirt: BLUE, hair: YELLOW, trousers: 0x6a4a34, skin: FAIR, hat: false },
  { shirt: GREEN, hair: GREEN, trousers: 0x7a5a3a, skin: TAN, hat: true },
  { shirt: YELLOW, hair: BLACK, trousers: 0x44506a, skin: DARK, hat: false },
  { shirt: VIOLET, hair: VIOLET, trousers: 0x3a3254, skin: FAIR, hat: true },
  { shirt: TEAL, hair: [0x94381e, 0xc45a2c, 0xe8864a], trousers: 0x54463c, skin: FAIR, hat: false },
  { shirt: GREY, hair: GREY, trousers: 0x444a5c, skin: TAN, hat: true },
  { shirt: PINK, hair: BLACK, trousers: 0x5a4470, skin: DARK, hat: false },
]

function legs(canvas: Canvas, { trousers }: Outfit, pose: { side: boolean; swing: number }): void {
  const boot = 0x4a3028
  if (pose.side) {
    canvas
      .rect([13 - pose.swing * 2, 24, 4, 4 - Math.abs(pose.swing)], trousers)
      .rect([12 - pose.swing * 2, 27 - Math.abs(pose.swing), 5, 2], boot)
    canvas.rect([15 + pose.swing * 2, 24, 4, 4], trousers).rect([14 + pose.swing * 2, 27, 5, 2], boot)
    return
  }
  const left = pose.swing > 0 ? 2 : 0
  const right = pose.swing < 0 ? 2 : 0
  canvas.rect([12, 24, 4, 4 - left], trousers).rect([12, 27 - left, 4, 2], boot)
  canvas.rect([16, 24, 4, 4 - right], trousers).rect([16, 27 - right, 4, 2], boot)
}

function head(canvas: Canvas, { hair, skin, hat }: Outfit, pose: { direction: Direction; y: number }): void {
  const { direction, y } = pose
  canvas.ball([16, y, 7, 6.5], skin, 0.12)
  if (direction === "UP") {
    canvas.ball([16, y - 1, 7.4, 7], hair, 0.1).rect([11, y + 4, 10, 2], hair[0] ?? 0)
  } else if (direction === "DOWN") {
    canvas
      .ball([16, y - 3, 7.4, 4.6], hair, 0.12)
      .rect([9, y - 2, 2, 5], hair[0] ?? 0)
      .rect([21, y - 2, 2, 5], hair[0] ?? 0)
    canvas
      .rect([13, y - 1, 3, 2], hair[1] ?? 0)
      .rect([12, y + 1, 2, 3], INK)
      .rect([18, y + 1, 2, 3], INK)
    canvas
      .dot(12, y + 1, 0xffffff)
      .dot(18, y + 1, 0xffffff)
      .dot(11, y + 4, 0xf09a8a)
      .dot(20, y + 4, 0xf09a8a)
  } else {
    canvas
      .ball([17, y - 2.5, 7, 5], hair, 0.1)
      .rect([17, y - 1, 6, 6], hair[0] ?? 0)
      .rect([17, y - 2, 5, 5], hair[1] ?? 0)
    canvas
      .rect([11, y + 1, 2, 3], INK)
      .dot(11, y + 1, 0xffffff)
      .dot(13, y + 4, 0xf09a8a)
  }
  if (!hat) return
  canvas
    .rect([7, y - 3, 18, 2], hair[0] ?? 0)
    .rect([7, y - 4, 18, 1], hair[1] ?? 0)
    .ball([16, y - 5, 6, 4.2], hair, 0.1)
  canvas.rect([10, y - 5, 12, 1], 0xf0d890)
}

function drawPlayer(outfit: Outfit, direction: Direction, frame: number): Canvas {
  if (direction === "RIGHT") return drawPlayer(outfit, "LEFT", frame).mirrored()
  const swing = [0, 1, 0, -1][frame] ?? 0
  const bob = swing === 0 ? 0 : 1
  const canvas = new Canvas()
  const { shirt, skin } = outfit
  const side = direction === "LEFT"
  legs(canvas, outfit, { side, swing })
  const top = 17 - bob
  canvas
    .block([side ? 12 : 11, top, side ? 8 : 10, 9], shirt)
    .rect([side ? 12 : 11, top + 7, side ? 8 : 10, 1], 0x4a3028)
  if (side)
    canvas
      .rect([14 - swing * 2, top + 2, 3, 5], shirt[0] ?? 0)
      .rect([14 - swing * 2, top + 6, 3, 2], skin[1] ?? 0)
  else {
    canvas.rect([9, top + 1 - swing, 2, 6], shirt[1] ?? 0).rect([9, top + 6 - swing, 2, 2], skin[1] ?? 0)
    canvas.rect([21, top + 1 + swing, 2, 6], shirt[0] ?? 0).rect([21, top + 6 + swing, 2, 2], skin[0] ?? 0)
    if (direction === "DOWN") canvas.rect([15, top, 2, 3], skin[1] ?? 0).dot(16, top + 7, 0xf0c850)
  }
  head(canvas, outfit, { direction, y: 11 - bob })
  return canvas.outline(INK).shadow([16, 29, 8, 2.6])
}

interface Frame {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Draws every figure. Returns the picture and the rectangle of each frame. */
export function drawSprites() {
  const canvas = new Canvas(16 * TILE, 12 * TILE)
  const frames: Record<string, Frame> = {}
  const sprites: Record<
    string,
    { kind: "player" | "creature"; x: number; y: number; framesPerDirection: number }
  > = {}
  const lay = (
    name: string,
    origin: readonly [number, number],
    draw: (direction: Direction, frame: number) => Canvas,
  ) => {
    const [left, top] = origin
    const kind = name.startsWith("player-") ? "player" : "creature"
    const count = kind === "player" ? 4 : 2
    sprites[name] = { kind, x: left * TILE, y: top * TILE, framesPerDirection: count }
    for (const [row, direction] of DIRECTIONS.entries()) {
      for (let frame = 0; frame < count; frame += 1) {
        const x = (left + frame) * TILE
        const y = (top + row) * TILE
        canvas.paste(draw(direction, frame), x, y)
        frames[`${name}/${direction}/${frame}`] = { x, y, width: TILE, height: TILE }
      }
    }
  }
  for (const [index, outfit] of OUTFITS.entries()) {
    const origin = [(index % 4) * 4, Math.floor(index / 4) * 4] as const
    lay(`player-${index}`, origin, (direction, frame) => drawPlayer(outfit, direction, frame))
  }
  for (const [index, kind] of CREATURES.entries()) {
    lay(kind, [index * 2, 8], (direction, frame) => drawCreature(kind, direction, frame))
  }
  const { width, height } = canvas
  const description = {
    image: "sprites.png",
    width,
    height,
    frameWidth: TILE,
    frameHeight: TILE,
    directions: DIRECTIONS,
    sprites,
    frames,
  }
  return { canvas, description }
}
