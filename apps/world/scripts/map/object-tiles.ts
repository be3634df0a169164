import { blocked, plain, type TileArt } from "./atlas.ts"
import { WOOD } from "./building-tiles.ts"
import { Canvas, type Ramp } from "./paint.ts"

const INK = 0x2b2a3c
const STONE: Ramp = [0x5c6070, 0x767a88, 0x8e929e, 0xa6a9b2, 0xc2c4c8]

function fence(kind: "across" | "along" | "post"): Canvas {
  const canvas = new Canvas()
  if (kind === "across") {
    canvas.block([0, 13, 32, 4], WOOD).block([0, 21, 32, 4], WOOD)
    for (const x of [4, 20]) canvas.block([x, 8, 6, 21], WOOD).rect([x + 1, 7, 4, 1], WOOD[4] ?? 0)
  } else {
    canvas.block([14, 0, 4, 32], WOOD).block([13, kind === "post" ? 6 : 2, 6, 23], WOOD)
    if (kind === "along") canvas.block([13, 20, 6, 12], WOOD)
  }
  return canvas.outline(INK)
}

function barrel(): Canvas {
  const canvas = new Canvas()
    .ball([16, 18, 9, 12], WOOD)
    .rect([8, 9, 16, 2], 0x5c6070)
    .rect([8, 23, 16, 2], 0x5c6070)
  for (const x of [11, 15, 19]) canvas.rect([x, 11, 1, 12], WOOD[1] ?? 0)
  canvas.ellipse([16, 8, 7, 3], WOOD[1] ?? 0).ellipse([16, 8, 5.5, 2], WOOD[3] ?? 0)
  return canvas.outline(INK).shadow([17, 28, 11, 3.5])
}

function crate(): Canvas {
  const canvas = new Canvas()
    .block([6, 7, 20, 20], WOOD)
    .block([6, 7, 20, 4], WOOD)
    .block([6, 23, 20, 4], WOOD)
  canvas.block([6, 7, 4, 20], WOOD).block([22, 7, 4, 20], WOOD)
  for (let step = 0; step < 12; step += 1) canvas.rect([10 + step, 11 + step, 2, 1], WOOD[3] ?? 0)
  return canvas.outline(INK).shadow([17, 27, 12, 3.5])
}

function well(): Canvas {
  const canvas = new Canvas(32, 64).ball([16, 50, 14, 10], STONE)
  for (let x = 4; x < 28; x += 6) canvas.block([x, 48, 6, 5], STONE).block([x - 2, 53, 6, 4], STONE)
  canvas
    .ellipse([16, 45, 13, 6], STONE[3] ?? 0)
    .ellipse([16, 45, 10, 4], 0x1e3a66)
    .ellipse([15, 46, 6, 2], 0x3d8fd0)
  canvas.block([4, 24, 3, 22], WOOD).block([25, 24, 3, 22], WOOD).block([7, 30, 18, 3], WOOD)
  canvas.rect([15, 32, 1, 8], 0xd8c8a0).block([12, 38, 8, 6], WOOD)
  for (let row = 0; row < 14; row += 1)
    canvas.rect([15 - row, 12 + row, 3 + row * 2, 1], row % 4 === 3 ? 0x7c2c34 : 0xb84e46)
  for (let row = 0; row < 14; row += 1) canvas.rect([15 - row, 12 + row, 3, 1], 0xd0685a)
  return canvas.outline(INK).shadow([16, 57, 15, 5])
}

function sign(): Canvas {
  const canvas = new Canvas().block([14, 15, 4, 14], WOOD).block([5, 5, 22, 12], WOOD)
  canvas
    .rect([8, 8, 14, 1], WOOD[0] ?? 0)
    .rect([8, 11, 16, 1], WOOD[0] ?? 0)
    .rect([8, 14, 9, 1], WOOD[0] ?? 0)
  return canvas.outline(INK).shadow([17, 28, 7, 2.5])
}

function torch(): Canvas {
  const canvas = new Canvas().block([14, 13, 4, 16], WOOD).block([12, 12, 8, 3], STONE)
  canvas
    .ellipse([16, 7, 5, 6], 0xe8743a)
    .ellipse([16, 8, 3.6, 4.4], 0xf6b040)
    .ellipse([16, 9, 2, 2.6], 0xfff0b0)
  return canvas.outline(0x5a2a28).shadow([17, 28, 6, 2.5])
}

function lamp(): Canvas {
  const canvas = new Canvas(32, 64).block([14, 30, 4, 29], [0x2c3040, 0x3c4254, 0x545c70, 0x70788c])
  canvas.block([11, 56, 10, 4], STONE).block([10, 14, 12, 16], [0x8a6428, 0xf6c850, 0xfbe08a, 0xfff6d0])
  canvas
    .block([9, 11, 14, 4], STONE.slice(0, 3))
    .block([12, 8, 8, 3], STONE.slice(0, 3))
    .rect([15, 14, 2, 16], 0x545c70)
  return canvas.rect([9, 29, 14, 2], 0x3c4254).outline(INK).shadow([17, 59, 9, 3])
}

function bench(): Canvas {
  const canvas = new Canvas()
    .block([2, 8, 28, 4], WOOD)
    .block([2, 13, 28, 3], WOOD)
    .block([1, 18, 30, 5], WOOD)
  canvas.block([4, 22, 3, 6], WOOD).block([25, 22, 3, 6], WOOD)
  return canvas.outline(INK).shadow([16, 27, 15, 3])
}

function hay(): Canvas {
  const ramp: Ramp = [0xa87e34, 0xc29a46, 0xd8b45e, 0xeccf80, 0xf8e4a4]
  const canvas = new Canvas().ball([16, 17, 13, 11], ramp).rect([4, 15, 24, 2], 0x8a6428)
  for (let index = 0; index < 16; index += 1)
    canvas.rect([6 + ((index * 7) % 20), 9 + ((index * 5) % 17), 3, 1], ramp[(index % 3) + 1] ?? 0)
  return canvas.outline(0x5a4020).shadow([17, 27, 13, 4])
}

function stall(half: "left" | "right", colour: Ramp): Canvas {
  const canvas = new Canvas(32, 64)
  const left = half === "left" ? 3 : 0
  const width = 29
  canvas.block([left, 42, width, 16], WOOD).block([left, 40, width, 6], WOOD.slice(1))
  for (let x = left + 3; x < left + width - 5; x += 6) {
    canvas.ball(
      [x + 3, 40, 3.5, 3.5],
      x % 4 < 2 ? [0x8e2a32, 0xd8544a, 0xf08a70] : [0x8a6428, 0xf0b040, 0xfbe08a],
    )
  }
  canvas.block([half === "left" ? 4 : 25, 18, 3, 26], WOOD)
  for (let x = left; x < left + width; x += 1) {
    const striped = Math.floor((x + (half === "right" ? 32 : 0)) / 6) % 2 === 0
    canvas
      .rect([x, 8, 1, 18], striped ? (colour[2] ?? 0) : 0xf4ead0)
      .rect([x, 8, 1, 3], striped ? (colour[3] ?? 0) : 0xfffaea)
    canvas.rect([x, 23, 1, x % 6 < 4 ? 5 : 3], striped ? (colour[1] ?? 0) : 0xd8c8a0)
  }
  return canvas.outline(INK).shadow([16, 58, 15, 3])
}

function boat(): Canvas {
  const canvas = new Canvas().ellipse([16, 17, 14, 8], WOOD[1] ?? 0).ellipse([16, 15, 14, 7], WOOD[3] ?? 0)
  canvas
    .ellipse([16, 16, 11, 5], WOOD[0] ?? 0)
    .block([9, 12, 4, 9], WOOD)
    .block([19, 12, 4, 9], WOOD)
  return canvas.outline(INK).rect([3, 26, 9, 1], 0x8accee).rect([17, 27, 11, 1], 0x8accee)
}

function chimney(): Canvas {
  const canvas = new Canvas()
    .block([11, 8, 10, 18], STONE)
    .block([9, 5, 14, 5], STONE)
    .rect([12, 6, 8, 2], INK)
  canvas.rect([13, 14, 4, 1], STONE[0] ?? 0).rect([15, 19, 4, 1], STONE[0] ?? 0)
  return canvas.outline(INK)
}

function pot(): Canvas {
  const canvas = new Canvas()
    .ball([16, 22, 7, 6], [0x8a4028, 0xb85c38, 0xd47c50, 0xe8a078])
    .block([9, 16, 14, 4], [0x8a4028, 0xd47c50, 0xe8a078])
  canvas
    .ball([16, 11, 7, 5], [0x2f7440, 0x3d8a46, 0x52a04c])
    .rect([11, 9, 3, 3], 0xf08ab4)
    .rect([17, 7, 3, 3], 0xf6d04c)
  return canvas.rect([19, 12, 3, 2], 0xe8505c).outline(INK).shadow([16, 27, 9, 3])
}

function tall(name: string, art: Canvas): TileArt[] {
  return [plain(`${name}-top`, art.cut([0, 0, 32, 32])), blocked(name, art.cut([0, 32, 32, 32]))]
}

export function objectTiles(): TileArt[] {
  return [
    blocked("fence-across", fence("across")),
    blocked("fence-along", fence("along")),
    blocked("fence-post", fence("post")),
    blocked("barrel", barrel()),
    blocked("crate", crate()),
    blocked("sign", sign()),
    blocked("torch", torch()),
    blocked("bench", bench()),
    blocked("hay", hay()),
    blocked("boat", boat()),
    blocked("flower-pot", pot()),
    plain("chimney", chimney()),
    ...tall("well", well()),
    ...tall("lamp", lamp()),
    ...tall("stall-left", stall("left", [0x2c4478, 0x3a5a94, 0x4a70ac, 0x6488c0])),
    ...tall("stall-right", stall("right", [0x2c4478, 0x3a5a94, 0x4a70ac, 0x6488c0])),
  ]
}
