import { Canvas, createNoise, createRandom, mix, TILE, tone, type Colour, type Ramp } from "./paint.ts"

/** Ground materials; a later one covers an earlier one where both meet. */
export const TERRAINS = ["grass", "dirt", "cobble", "sand", "water", "deep"] as const
export type Terrain = (typeof TERRAINS)[number]
/** Materials at the corners of a tile: top left, top right, bottom left, bottom right. */
export type Corners = readonly [Terrain, Terrain, Terrain, Terrain]

const RAMPS: Readonly<Record<Terrain, Ramp>> = {
  grass: [0x58a048, 0x5fa84c, 0x66b050, 0x6eb855],
  dirt: [0xb8905e, 0xbd9664, 0xc29b69, 0xc7a16f],
  cobble: [0x7c7f8c, 0x8b8e9a, 0x9a9da8, 0xabaeb7],
  sand: [0xdcc488, 0xe3cd93, 0xe8d49d, 0xeedcab],
  water: [0x3d8fd0, 0x4497d6, 0x4b9fdb, 0x54a8e0],
  deep: [0x2a6db4, 0x2e73ba, 0x337ac0, 0x3881c6],
}
/** Lines along the border of a material: its rim, and its shadow on the material below. */
const RIMS: Readonly<Record<Terrain, readonly [Colour, Colour]>> = {
  grass: [0x4a8c40, 0x4a8c40],
  dirt: [0x8f6c42, 0x4a8c40],
  cobble: [0x5c5e6c, 0x4f8a45],
  sand: [0xc9ac6c, 0x4f9444],
  water: [0xe6f6fa, 0xc3a467],
  deep: [0x3a86c8, 0x3f90d0],
}

function base(terrain: Terrain, seed: number): Canvas {
  const canvas = new Canvas()
  const broad = createNoise(TERRAINS.indexOf(terrain) * 31 + 5, TILE, 4)
  const fine = createNoise(seed * 17 + 3, TILE, 8)
  for (let y = 0; y < TILE; y += 1) {
    for (let x = 0; x < TILE; x += 1) {
      const flat = terrain === "water" || terrain === "deep" ? y * 2 : y
      const t = broad(x, flat) * 0.6 + fine(x, flat) * 0.4
      canvas.dot(x, y, tone(RAMPS[terrain], (t - 0.5) * 1.1 + 0.5))
    }
  }
  return canvas
}

function blades(canvas: Canvas, seed: number): void {
  const random = createRandom(seed + 71)
  for (let count = 0; count < 7; count += 1) {
    const x = 2 + Math.floor(random() * 27)
    const y = 3 + Math.floor(random() * 26)
    const dark = random() < 0.55
    canvas.dot(x, y, dark ? 0x4a9142 : 0x86cb66).dot(x, y + 1, dark ? 0x4a9142 : 0x7cc260)
    canvas.dot(x + 2, y, dark ? 0x4a9142 : 0x86cb66).dot(x + 1, y + 2, dark ? 0x438a3d : 0x57a04a)
  }
}

function pebbles(canvas: Canvas, seed: number, colours: readonly [Colour, Colour]): void {
  const random = createRandom(seed + 29)
  for (let count = 0; count < 6; count += 1) {
    const x = 2 + Math.floor(random() * 27)
    const y = 2 + Math.floor(random() * 27)
    canvas.rect([x, y, random() < 0.5 ? 2 : 1, 1], colours[0]).dot(x, y + 1, colours[1])
  }
}

function cobbles(canvas: Canvas, seed: number): void {
  const random = createRandom(seed + 11)
  for (let row = 0; row < 4; row += 1) {
    for (let column = -1; column < 4; column += 1) {
      const x = column * 8 + (row % 2) * 4
      const shade = random() * 0.45 - 0.1
      const ramp = RAMPS.cobble.map((colour) => mix(colour, shade < 0 ? 0x5f6478 : 0xb9b3a8, Math.abs(shade)))
      const stone = new Canvas().rect([0, 1, 8, 6], tone(ramp, 0.5)).rect([1, 0, 6, 8], tone(ramp, 0.5))
      stone.rect([1, 0, 5, 1], tone(ramp, 0.99)).rect([0, 1, 1, 4], tone(ramp, 0.8))
      stone
        .rect([7, 1, 1, 7], 0x666977)
        .rect([0, 7, 8, 1], 0x666977)
        .dot(0, 0, 0x666977)
        .dot(6, 6, tone(ramp, 0))
      canvas.paste(stone, x, row * 8)
    }
  }
  for (let row = 1; row < 4; row += 2) canvas.paste(canvas.cut([28, row * 8, 4, 8]), 28, row * 8)
}

function waves(canvas: Canvas, seed: number, deep: boolean): void {
  const random = createRandom(seed + 47)
  for (let count = 0; count < (deep ? 3 : 4); count += 1) {
    const x = 2 + Math.floor(random() * 20)
    const y = 3 + count * 8 + Math.floor(random() * 4)
    const length = 3 + Math.floor(random() * 5)
    const light = deep ? 0x4a93d2 : 0x8accee
    canvas.rect([x, y, length, 1], light).rect([x - 1, y + 1, 2, 1], light)
    canvas.rect([x + length - 1, y + 1, 2, 1], light).rect([x, y + 2, length, 1], deep ? 0x2864a8 : 0x3a88c8)
  }
}

const textures = new Map<string, Canvas>()

/** Draws a full tile of one material. */
function terrainTexture(terrain: Terrain, variant: number): Canvas {
  const key = `${terrain}-${variant}`
  const known = textures.get(key)
  if (known !== undefined) return known
  const seed = TERRAINS.indexOf(terrain) * 1000 + variant * 37
  const canvas = base(terrain, seed)
  if (terrain === "grass" && variant > 0) blades(canvas, seed)
  if (terrain === "dirt") pebbles(canvas, seed, [0xd9ba88, 0x967247])
  if (terrain === "sand") pebbles(canvas, seed, [0xf6e8c0, 0xcdb274])
  if (terrain === "cobble") cobbles(canvas, seed)
  if (terrain === "water" || terrain === "deep") waves(canvas, seed, terrain === "deep")
  textures.set(key, canvas)
  return canvas
}

const wobble = createNoise(9, TILE, 4)
const ripple = createNoise(10, TILE, 8)

/** Draws a tile whose corners are of different materials, with a soft irregular border between them. */
export function drawCorners(corners: Corners, variant: number): Canvas {
  const levels = corners.map((corner) => TERRAINS.indexOf(corner))
  const present = [...new Set(levels)].toSorted((left, right) => left - right)
  const canvas = new Canvas().paste(terrainTexture(TERRAINS[present[0] ?? 0] ?? "grass", variant), 0, 0)
  for (const level of present.slice(1)) {
    const terrain = TERRAINS[level] ?? "grass"
    const texture = terrainTexture(terrain, variant)
    const [tl, tr, bl, br] = levels.map((corner) => (corner >= level ? 1 : 0))
    for (let y = 0; y < TILE; y += 1) {
      for (let x = 0; x < TILE; x += 1) {
        const u = (x + 0.5) / TILE
        const v = (y + 0.5) / TILE
        const upper = (tl ?? 0) * (1 - u) + (tr ?? 0) * u
        const lower = (bl ?? 0) * (1 - u) + (br ?? 0) * u
        const rough = (wobble(x, y) - 0.5) * 0.3 + (ripple(x, y) - 0.5) * 0.16
        const value = upper * (1 - v) + lower * v + rough
        if (value > 0.57) canvas.dot(x, y, texture.colour(x, y))
        else if (value > 0.5) canvas.dot(x, y, RIMS[terrain][0])
        else if (value > 0.44) canvas.dot(x, y, RIMS[terrain][1])
        else if (value > 0.4) canvas.dot(x, y, mix(canvas.colour(x, y), RIMS[terrain][1], 0.4))
      }
    }
  }
  return canvas
}
