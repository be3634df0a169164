import { Canvas, createRandom, mix, TILE, tone, type Ramp } from "./paint.ts"

const INK = 0x2b2a3c
export const STONE: Ramp = [0x5c6070, 0x767a88, 0x8e929e, 0xa6a9b2, 0xc2c4c8]

/** Draws rows of cut stone, from `top` to the foot of the tile. */
export function stones(canvas: Canvas, top: number, seed: number): Canvas {
  const random = createRandom(seed)
  for (let y = top, row = 0; y < TILE; y += 6, row += 1) {
    for (let x = row % 2 === 0 ? 0 : -5; x < TILE; x += 10) {
      const ramp = STONE.map((colour) => mix(colour, random() < 0.5 ? 0x8a7f78 : 0x9aa4b4, random() * 0.3))
      canvas.block([x, y, 10, 6], ramp)
    }
  }
  return canvas
}

export function stoneWall(kind: "across" | "along" | "tower"): Canvas {
  const canvas = new Canvas()
  if (kind === "across") {
    stones(canvas, 14, 12).rect([0, 14, 32, 2], tone(STONE, 0)).block([0, 2, 32, 12], STONE.slice(2))
    for (let x = 0; x < 32; x += 16) canvas.block([x + 1, 0, 10, 8], STONE.slice(1))
    return canvas.rect([0, 31, 32, 1], INK)
  }
  if (kind === "along") {
    canvas
      .rect([6, 0, 20, 32], tone(STONE, 0.9))
      .rect([6, 0, 3, 32], tone(STONE, 0.7))
      .rect([23, 0, 3, 32], tone(STONE, 0.3))
    for (let y = 0; y < 32; y += 16)
      canvas.block([4, y + 2, 6, 9], STONE.slice(1)).block([22, y + 2, 6, 9], STONE)
    return canvas.rect([4, 0, 1, 32], INK).rect([27, 0, 1, 32], INK)
  }
  stones(canvas, 14, 13).block([0, 0, 32, 15], STONE.slice(2)).block([5, 3, 22, 9], STONE.slice(0, 3))
  for (const x of [0, 12, 24]) canvas.block([x, 0, 8, 6], STONE.slice(1)).block([x, 10, 8, 6], STONE.slice(1))
  return canvas
    .rect([14, 20, 4, 8], INK)
    .rect([0, 31, 32, 1], INK)
    .rect([0, 0, 1, 32], INK)
    .rect([31, 0, 1, 32], INK)
}
