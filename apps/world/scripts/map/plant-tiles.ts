import { plain, type TileArt } from "./atlas.ts"
import { Canvas, createRandom, mix, type Colour } from "./paint.ts"

function flowers(petals: readonly Colour[], seed: number): Canvas {
  const random = createRandom(seed)
  const canvas = new Canvas()
  const spots = [
    [6, 7],
    [21, 5],
    [13, 15],
    [25, 18],
    [6, 24],
    [18, 26],
  ] as const
  for (const [index, [left, top]] of spots.entries()) {
    const x = left + Math.floor(random() * 3)
    const y = top + Math.floor(random() * 3)
    const petal = petals[index % petals.length] ?? 0
    canvas
      .rect([x, y + 2, 1, 3], 0x3c7c38)
      .dot(x + 1, y + 4, 0x3c7c38)
      .dot(x - 1, y + 3, 0x3c7c38)
    canvas
      .rect([x - 1, y - 1, 4, 4], 0x3c7c38)
      .rect([x - 1, y, 4, 2], petal)
      .rect([x, y - 1, 2, 4], petal)
    canvas.rect([x, y - 1, 2, 1], mix(petal, 0xffffff, 0.5)).rect([x, y, 2, 2], 0xf8e070)
  }
  return canvas
}

function tufts(): Canvas {
  const canvas = new Canvas()
  for (const [x, y] of [
    [7, 10],
    [19, 8],
    [13, 20],
    [24, 24],
  ] as const) {
    canvas
      .rect([x, y, 1, 5], 0x3f8a3c)
      .rect([x - 2, y + 2, 1, 3], 0x3f8a3c)
      .rect([x + 2, y + 1, 1, 4], 0x53a048)
    canvas
      .dot(x - 3, y + 1, 0x6cb658)
      .dot(x, y - 1, 0x8ed06c)
      .dot(x + 3, y, 0x8ed06c)
      .rect([x - 2, y + 5, 5, 1], 0x3a7e38)
  }
  return canvas
}

function mushrooms(): Canvas {
  const canvas = new Canvas()
  for (const [x, y] of [
    [8, 14],
    [20, 20],
  ] as const) {
    canvas
      .rect([x + 2, y + 4, 3, 5], 0xf0e4cc)
      .ball([x + 3.5, y + 3, 5, 3.6], [0x8e2a32, 0xb83a3c, 0xd8544a, 0xec7a64])
    canvas
      .dot(x + 2, y + 2, 0xfff4e0)
      .dot(x + 5, y + 3, 0xfff4e0)
      .dot(x + 4, y + 1, 0xfff4e0)
  }
  return canvas.outline(0x4a2430)
}

function reeds(): Canvas {
  const canvas = new Canvas()
  for (const [x, y] of [
    [6, 8],
    [10, 4],
    [14, 9],
    [21, 6],
    [25, 10],
  ] as const) {
    canvas
      .rect([x, y, 1, 22 - y / 2], 0x4c8a3e)
      .rect([x + 1, y + 5, 1, 14], 0x6fae50)
      .rect([x - 1, y, 2, 5], 0x7a4c2c)
    canvas.rect([x - 1, y, 1, 5], 0x96653c)
  }
  return canvas
}

function lilies(): Canvas {
  const canvas = new Canvas()
  for (const [x, y, size] of [
    [10, 11, 6],
    [22, 18, 5],
    [9, 24, 4],
  ] as const) {
    canvas.ball([x, y, size, size * 0.7], [0x2f7a48, 0x3f9250, 0x56aa5a]).rect([x, y, size, 1], 0x3d8fd0)
  }
  return canvas.rect([9, 8, 3, 2], 0xf7b8d0).rect([10, 7, 1, 4], 0xfde0ea).dot(10, 9, 0xf8e070)
}

function crop(kind: "wheat" | "cabbage" | "carrot" | "soil"): Canvas {
  const canvas = new Canvas().rect([0, 0, 32, 32], 0x8a6240)
  for (let row = 0; row < 4; row += 1) {
    canvas
      .rect([0, row * 8, 32, 4], 0x9a7049)
      .rect([0, row * 8, 32, 1], 0xab8056)
      .rect([0, row * 8 + 6, 32, 2], 0x74502f)
    for (let x = 3 + (row % 2) * 4; x < 32; x += 9) canvas.rect([x, row * 8 + 2, 2, 1], 0x84603e)
  }
  if (kind === "soil") return canvas
  for (let row = 0; row < 2; row += 1) {
    for (let column = 0; column < (kind === "cabbage" ? 2 : 4); column += 1) {
      const x = column * (kind === "cabbage" ? 16 : 8)
      const y = row * 16
      if (kind === "wheat") {
        canvas
          .rect([x + 3, y + 4, 1, 11], 0xb58a34)
          .rect([x + 5, y + 6, 1, 9], 0x9c7428)
          .rect([x + 2, y + 1, 3, 6], 0xf0cf64)
        canvas.rect([x + 5, y + 3, 2, 5], 0xdcb44a).rect([x + 2, y + 1, 1, 5], 0xfbe596)
      } else if (kind === "cabbage") {
        canvas
          .ball([x + 8, y + 8, 7, 6], [0x2f7440, 0x459250, 0x66b062])
          .ball([x + 8, y + 8, 4, 3.6], [0x66b062, 0x8fd080, 0xb8e8a0])
      } else {
        canvas.rect([x + 3, y + 10, 3, 3], 0xe8863a).dot(x + 3, y + 10, 0xf8b068)
        canvas
          .rect([x + 4, y + 4, 1, 6], 0x3f8a3c)
          .rect([x + 2, y + 5, 1, 4], 0x5cae4c)
          .rect([x + 6, y + 5, 1, 4], 0x4c9a44)
      }
    }
  }
  return canvas
}

/** Returns the tiles of low plants, which can be walked over. */
export function plantTiles(): TileArt[] {
  return [
    plain("flowers-red", flowers([0xe8505c, 0xf48a8a], 4)),
    plain("flowers-white", flowers([0xf8f4ea, 0xe4d8f4], 5)),
    plain("flowers-mixed", flowers([0xf6d04c, 0x8a78e4, 0xf08ab4], 6)),
    plain("tall-grass", tufts()),
    plain("mushrooms", mushrooms()),
    plain("reeds", reeds()),
    plain("lilies", lilies()),
    plain("soil", crop("soil")),
    plain("crop-wheat", crop("wheat")),
    plain("crop-cabbage", crop("cabbage")),
    plain("crop-carrot", crop("carrot")),
  ]
}
