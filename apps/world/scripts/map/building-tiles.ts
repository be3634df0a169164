import { STONE, stones, stoneWall } from "./stone-walls.ts"
import { blocked, passable, plain, type TileArt } from "./atlas.ts"
import { Canvas, createRandom, mix, TILE, tone, type Ramp } from "./paint.ts"

const INK = 0x2b2a3c
export const WOOD: Ramp = [0x4f3322, 0x6e4930, 0x8b6240, 0xa87c52, 0xc39a6a]
const PLASTER: Ramp = [0xc8b48a, 0xe0cfa6, 0xeadcb8, 0xf4ead0]

/** Colours of the roofs. */
const ROOFS = {
  red: [0x7c2c34, 0x9c3c3c, 0xb84e46, 0xd0685a, 0xe48a74],
  blue: [0x2c4478, 0x3a5a94, 0x4a70ac, 0x6488c0, 0x86a6d4],
  straw: [0x8a6428, 0xa87e34, 0xc29a46, 0xd8b45e, 0xeccf80],
} as const satisfies Record<string, Ramp>
export type RoofColour = keyof typeof ROOFS

function wall(part: "left" | "middle" | "right", upper: boolean): Canvas {
  const canvas = new Canvas().rect([0, 0, 32, 32], tone(PLASTER, 0.6))
  const random = createRandom(upper ? 3 : 4)
  for (let count = 0; count < 9; count += 1) {
    canvas.rect(
      [Math.floor(random() * 28), Math.floor(random() * 28), 3, 1],
      tone(PLASTER, random() < 0.5 ? 0.3 : 0.9),
    )
  }
  if (upper) {
    canvas.rect([0, 0, 32, 7], mix(tone(PLASTER, 0), INK, 0.25)).rect([0, 5, 32, 3], tone(PLASTER, 0.1))
    canvas.block([0, 26, 32, 6], WOOD)
  } else stones(canvas, 20, 7).rect([0, 19, 32, 1], INK)
  const beam = upper ? 26 : 20
  if (part === "left") canvas.block([0, 0, 6, beam], WOOD).rect([0, 0, 1, 32], INK)
  if (part === "right") canvas.block([26, 0, 6, beam], WOOD).rect([31, 0, 1, 32], INK)
  if (part === "middle") canvas.block([14, 0, 4, beam], WOOD)
  return canvas
}

function window(canvas: Canvas, top: number): Canvas {
  canvas
    .rect([7, top, 18, 16], tone(PLASTER, 0.6))
    .block([7, top, 18, 15], WOOD)
    .rect([9, top + 2, 14, 11], 0x2f4a78)
  canvas
    .rect([9, top + 2, 14, 5], 0x6fa8d8)
    .rect([10, top + 3, 4, 3], 0xc8e8f6)
    .rect([17, top + 3, 3, 2], 0xc8e8f6)
  canvas.rect([15, top + 2, 2, 11], tone(WOOD, 0.3)).rect([9, top + 7, 14, 1], tone(WOOD, 0.3))
  canvas.block([3, top + 1, 4, 13], ROOFS.blue).block([25, top + 1, 4, 13], ROOFS.blue)
  canvas.block([6, top + 14, 20, 3], WOOD)
  for (let x = 7; x < 25; x += 3)
    canvas.dot(x, top + 13, x % 2 === 0 ? 0xe8505c : 0xf6d04c).dot(x + 1, top + 13, 0x4c9a44)
  return canvas
}

function door(): Canvas {
  const canvas = wall("middle", false).rect([12, 0, 8, 19], tone(PLASTER, 0.6))
  canvas.block([5, 1, 22, 31], STONE).rect([7, 3, 18, 29], INK).rect([8, 4, 16, 28], tone(WOOD, 0.3))
  for (let x = 8; x < 24; x += 4)
    canvas.rect([x, 4, 3, 28], tone(WOOD, 0.5)).rect([x, 4, 1, 28], tone(WOOD, 0.7))
  canvas
    .rect([8, 8, 16, 2], 0x4a4c58)
    .rect([8, 24, 16, 2], 0x4a4c58)
    .rect([20, 17, 2, 3], 0xf0c850)
    .dot(20, 17, 0xfff0b0)
  return canvas.rect([8, 4, 16, 1], tone(WOOD, 0)).rect([5, 30, 22, 2], tone(STONE, 0.7))
}

function roof(ramp: Ramp, part: "left" | "middle" | "right", row: "top" | "middle" | "bottom"): Canvas {
  const canvas = new Canvas()
  const random = createRandom(ramp[0] ?? 0)
  const start = row === "top" ? 10 : 0
  for (let y = 24; y >= -8; y -= 8) {
    for (let x = (y / 8) % 2 === 0 ? 0 : -4; x < TILE; x += 8) {
      const shade = 0.42 + random() * 0.16 + (row === "top" ? 0.12 : row === "bottom" ? -0.06 : 0)
      const shingle = new Canvas(8, 11)
        .rect([0, 0, 8, 9], tone(ramp, shade))
        .rect([1, 9, 6, 1], tone(ramp, shade))
      shingle.rect([1, 8, 6, 1], tone(ramp, shade + 0.22)).rect([7, 0, 1, 9], tone(ramp, shade - 0.24))
      shingle.rect([1, 10, 6, 1], tone(ramp, 0)).dot(0, 9, tone(ramp, 0)).dot(7, 9, tone(ramp, 0))
      canvas.paste(shingle, x, y)
    }
  }
  if (row === "top") {
    for (let y = 0; y < start; y += 1)
      for (let x = 0; x < TILE; x += 1) canvas.data.fill(0, (y * TILE + x) * 4, (y * TILE + x) * 4 + 4)
    for (let x = 0; x < TILE; x += 8) canvas.block([x, 7, 8, 6], ramp)
    canvas.rect([0, 6, 32, 1], INK).rect([0, 13, 32, 1], tone(ramp, 0))
  }
  if (row === "bottom")
    canvas
      .rect([0, 27, 32, 4], tone(WOOD, 0.4))
      .rect([0, 27, 32, 1], tone(WOOD, 0.9))
      .rect([0, 31, 32, 1], INK)
  const bottom = TILE - start + 4
  if (part === "left")
    canvas
      .block([0, Math.max(0, start - 4), 4, bottom], WOOD)
      .rect([0, Math.max(0, start - 4), 1, bottom], INK)
  if (part === "right")
    canvas
      .block([28, Math.max(0, start - 4), 4, bottom], WOOD)
      .rect([31, Math.max(0, start - 4), 1, bottom], INK)
  return canvas
}

function planks(direction: "across" | "along", rail: "first" | "last" | "none"): Canvas {
  const canvas = new Canvas()
  for (let index = 0; index < 4; index += 1) {
    const shade = [0, 0.14, 0.05, 0.2][index] ?? 0
    const ramp = WOOD.map((colour) => mix(colour, 0xd8b484, 0.12 + shade))
    const box = direction === "across" ? ([index * 8, 0, 8, 32] as const) : ([0, index * 8, 32, 8] as const)
    canvas.block(box, ramp)
    const nail =
      direction === "across" ? [index * 8 + 3, 4, index * 8 + 3, 27] : [4, index * 8 + 3, 27, index * 8 + 3]
    canvas.dot(nail[0] ?? 0, nail[1] ?? 0, INK).dot(nail[2] ?? 0, nail[3] ?? 0, INK)
  }
  if (rail === "none") return canvas
  const near = rail === "first" ? 0 : 26
  if (direction === "across") {
    canvas
      .block([0, near, 32, 5], WOOD)
      .rect([0, near + 5, 32, 1], INK)
      .block([12, Math.max(0, near - 3), 7, 9], WOOD)
  } else
    canvas
      .block([near, 0, 5, 32], WOOD)
      .rect([near + 5, 0, 1, 32], INK)
      .block([near === 0 ? 0 : 25, 11, 7, 9], WOOD)
  return canvas
}

export function buildingTiles(): TileArt[] {
  const tiles: TileArt[] = []
  for (const part of ["left", "middle", "right"] as const) {
    tiles.push(
      blocked(`house-wall-${part}`, wall(part, false)),
      blocked(`house-upper-${part}`, wall(part, true)),
    )
  }
  const [lower, upper] = [false, true].map((high) =>
    wall("middle", high).rect([12, high ? 8 : 0, 8, 18], tone(PLASTER, 0.6)),
  )
  if (lower !== undefined) tiles.push(blocked("house-window", window(lower, 1)))
  if (upper !== undefined) tiles.push(blocked("house-upper-window", window(upper, 9)))
  tiles.push(blocked("door", door()))
  for (const [colour, ramp] of Object.entries(ROOFS)) {
    for (const row of ["top", "middle", "bottom"] as const) {
      for (const part of ["left", "middle", "right"] as const) {
        const art = roof(ramp, part, row)
        tiles.push(
          row === "top"
            ? plain(`roof-${colour}-${row}-${part}`, art)
            : blocked(`roof-${colour}-${row}-${part}`, art),
        )
      }
    }
  }
  for (const rail of ["first", "none", "last"] as const) {
    tiles.push(
      passable(`bridge-across-${rail}`, planks("across", rail)),
      passable(`bridge-along-${rail}`, planks("along", rail)),
    )
  }
  tiles.push(passable("wood-floor", planks("along", "none")))
  for (const kind of ["across", "along", "tower"] as const)
    tiles.push(blocked(`stone-wall-${kind}`, stoneWall(kind)))
  return tiles
}
