import { Canvas, createRandom, TILE, type Colour, type Ramp } from "./paint.ts"
import { blocked, plain, type TileArt } from "./atlas.ts"

const INK = 0x2b2a3c
const BARK: Ramp = [0x4a3024, 0x63412e, 0x7d553a, 0x98704b]
const LEAF_EDGE = 0x1f4a2e

const OAK: Ramp = [0x256038, 0x2f7440, 0x3d8a46, 0x52a04c, 0x70b856, 0x93cc66]
const OLIVE: Ramp = [0x3a6430, 0x4a7a36, 0x5e903c, 0x78a646, 0x96bc54, 0xb4d06a]
const AUTUMN: Ramp = [0x8a3f26, 0xa8522a, 0xc46a2e, 0xdb8636, 0xeba446, 0xf6c466]
const PINE: Ramp = [0x17463c, 0x1e5644, 0x28684c, 0x347c54, 0x48905c, 0x66a868]
const STONE: Ramp = [0x54586a, 0x6a6f80, 0x828796, 0x9a9eaa, 0xb4b7bf, 0xcfd1d4]

function oak(ramp: Ramp, seed: number): Canvas {
  const random = createRandom(seed)
  const canvas = new Canvas(TILE, TILE * 2)
  canvas
    .rect([13, 42, 7, 18], BARK[1] ?? 0)
    .rect([14, 42, 3, 17], BARK[2] ?? 0)
    .rect([14, 44, 1, 14], BARK[3] ?? 0)
  canvas
    .rect([11, 58, 3, 2], BARK[1] ?? 0)
    .rect([19, 58, 3, 2], BARK[0] ?? 0)
    .rect([13, 42, 7, 6], BARK[0] ?? 0)
  canvas.ball([16, 27, 14, 20], ramp, -0.18)
  const tufts = Array.from({ length: 17 }, () => {
    const angle = random() * Math.PI * 2
    const reach = Math.sqrt(random()) * 0.82
    return {
      x: 16 + Math.cos(angle) * 11 * reach,
      y: 26 + Math.sin(angle) * 16 * reach,
      size: 4 + random() * 2,
    }
  }).toSorted((left, right) => right.y - left.y)
  for (const { x, y, size } of tufts) {
    canvas.ball([x, y, size, size * 0.85], ramp, -((x - 16) / 14) * 0.14 - ((y - 26) / 18) * 0.22)
  }
  return canvas.outline(LEAF_EDGE).shadow([16, 59, 13, 4.5])
}

function pine(): Canvas {
  const canvas = new Canvas(TILE, TILE * 2)
  canvas.rect([14, 50, 5, 10], BARK[1] ?? 0).rect([14, 50, 2, 10], BARK[2] ?? 0)
  const layers = [
    { top: 30, bottom: 54, half: 13 },
    { top: 20, bottom: 42, half: 11 },
    { top: 10, bottom: 31, half: 9 },
    { top: 3, bottom: 19, half: 6 },
  ]
  for (const { top, bottom, half } of layers) {
    for (let y = top; y < bottom; y += 1) {
      const share = (y - top) / (bottom - top)
      const reach = half * share + (y % 4 === 0 ? -1 : 0) + 1
      for (let x = Math.ceil(16 - reach); x <= 16 + reach; x += 1) {
        const across = (x - 16) / half
        const fringe = share > 0.82 && (x + top) % 4 < 2
        if (share > 0.93 && (x + top) % 4 < 2) continue
        const grain = ((x * 7 + y * 13) % 5) * 0.04
        const light = 0.66 - across * 0.34 - share * 0.3 + grain - (fringe ? 0.12 : 0)
        canvas.dot(x, y, PINE[Math.max(0, Math.min(5, Math.floor(light * 6)))] ?? 0)
      }
    }
  }
  return canvas.outline(0x12332f).shadow([16, 59, 12, 4])
}

function bush(berries: Colour | undefined): Canvas {
  const canvas = new Canvas()
  canvas.ball([10, 20, 7, 7], OAK, -0.1).ball([22, 20, 7, 7], OAK, -0.16).ball([16, 16, 9, 8], OAK)
  canvas
    .ball([13, 22, 5, 4.5], OAK, -0.04)
    .ball([20, 22, 5, 4.5], OAK, -0.08)
    .ball([12, 14, 4, 3.5], OAK, 0.12)
  for (const [x, y] of [
    [10, 17],
    [16, 12],
    [21, 17],
    [14, 21],
    [19, 22],
    [24, 21],
  ] as const) {
    if (berries !== undefined) canvas.rect([x, y, 2, 2], berries).dot(x, y, 0xffd8d8)
  }
  return canvas.outline(LEAF_EDGE).shadow([16, 26, 12, 4])
}

function rock(scale: number, ore?: readonly [Colour, Colour]): Canvas {
  const canvas = new Canvas()
  canvas.ball([17, 27 - 10 * scale, 13 * scale, 10 * scale], STONE)
  canvas.ball([16 - 6 * scale, 27 - 7 * scale, 7 * scale, 6 * scale], STONE, 0.06)
  canvas.ball([16 + 6 * scale, 27 - 6 * scale, 7 * scale, 5.5 * scale], STONE, -0.1)
  canvas.ball([16 - 1 * scale, 27 - 14 * scale, 8 * scale, 6 * scale], STONE, 0.12)
  canvas
    .rect([16, 20, 1, 4], STONE[1] ?? 0)
    .dot(17, 24, STONE[1] ?? 0)
    .rect([11, 23, 3, 1], STONE[1] ?? 0)
  if (ore !== undefined) {
    for (const [x, y] of [
      [9, 17],
      [14, 11],
      [20, 14],
      [15, 18],
      [23, 20],
      [11, 22],
      [19, 22],
    ] as const) {
      canvas
        .rect([x, y, 3, 3], ore[0])
        .rect([x, y, 2, 1], ore[1])
        .dot(x, y + 1, ore[1])
        .dot(x + 2, y + 2, INK)
    }
  }
  return canvas.outline(INK).shadow([16, 27, 13, 4])
}

function stump(): Canvas {
  const canvas = new Canvas().rect([9, 15, 14, 9], BARK[1] ?? 0).rect([9, 15, 4, 9], BARK[2] ?? 0)
  canvas.rect([7, 22, 4, 3], BARK[1] ?? 0).rect([21, 22, 4, 3], BARK[0] ?? 0)
  canvas
    .ellipse([16, 15, 7, 4], 0xd8b47c)
    .ellipse([16, 15, 4.5, 2.5], 0xb98d58)
    .ellipse([16, 15, 2.5, 1.4], 0xe2c38f)
  return canvas.outline(INK).shadow([16, 24, 11, 3.5])
}

function split(name: string, tree: Canvas): TileArt[] {
  return [
    plain(`${name}-crown`, tree.cut([0, 0, TILE, TILE])),
    blocked(`${name}-trunk`, tree.cut([0, TILE, TILE, TILE]), "tree"),
  ]
}

export function natureTiles(): TileArt[] {
  return [
    ...split("oak", oak(OAK, 3)),
    ...split("oak-round", oak(OAK, 8)),
    ...split("olive", oak(OLIVE, 21)),
    ...split("autumn", oak(AUTUMN, 34)),
    ...split("pine", pine()),
    blocked("bush", bush(undefined)),
    blocked("bush-berries", bush(0xd83c4c)),
    blocked("stump", stump()),
    blocked("rock", rock(1), "rock"),
    blocked("rock-small", rock(0.72), "rock"),
    blocked("ore-copper", rock(1, [0xd4783c, 0xf6b06c]), "rock"),
    blocked("ore-iron", rock(1, [0xc8d4e4, 0xf6fafc]), "rock"),
    blocked("ore-crystal", rock(1, [0x7a5ad8, 0xc4a8fa]), "rock"),
  ]
}
