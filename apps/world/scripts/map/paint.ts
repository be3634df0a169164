/** A colour as `0xRRGGBB`. */
export type Colour = number
/** Colours from dark to light. */
export type Ramp = readonly Colour[]
/** Left, top, width, height. */
export type Box = readonly [number, number, number, number]
/** Centre x, centre y, radius x, radius y. */
export type Ellipse = readonly [number, number, number, number]

export const TILE = 32

/** Returns a generator of numbers from 0 up to 1. The same seed gives the same sequence. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Returns smooth noise from 0 to 1 that repeats every `period` steps, `cells` lattice cells per period. */
export function createNoise(seed: number, period: number, cells: number): (x: number, y: number) => number {
  const random = createRandom(seed)
  const lattice = Array.from({ length: cells * cells }, () => random())
  const at = (x: number, y: number) =>
    lattice[(((y % cells) + cells) % cells) * cells + (((x % cells) + cells) % cells)] ?? 0
  const ease = (t: number) => t * t * (3 - 2 * t)
  return (x, y) => {
    const u = (x / period) * cells
    const v = (y / period) * cells
    const left = Math.floor(u)
    const top = Math.floor(v)
    const s = ease(u - left)
    const t = ease(v - top)
    const upper = at(left, top) * (1 - s) + at(left + 1, top) * s
    const lower = at(left, top + 1) * (1 - s) + at(left + 1, top + 1) * s
    return upper * (1 - t) + lower * t
  }
}

/** Returns the colour of a ramp at `t`, from 0 (darkest) to 1 (lightest). */
export function tone(ramp: Ramp, t: number): Colour {
  const index = Math.max(0, Math.min(ramp.length - 1, Math.floor(t * ramp.length)))
  return ramp[index] ?? 0
}

/** Returns the colour at `share` of the way from `from` to `to`. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  const channel = (shift: number) => {
    const start = (from >> shift) & 255
    return Math.round(start + (((to >> shift) & 255) - start) * share) << shift
  }
  return channel(16) | channel(8) | channel(0)
}

export class Canvas {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array

  constructor(width: number = TILE, height: number = TILE) {
    this.width = width
    this.height = height
    this.data = new Uint8Array(width * height * 4)
  }

  alpha(x: number, y: number): number {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return 0
    return this.data[(y * this.width + x) * 4 + 3] ?? 0
  }

  colour(x: number, y: number): Colour {
    const at = (y * this.width + x) * 4
    return ((this.data[at] ?? 0) << 16) | ((this.data[at + 1] ?? 0) << 8) | (this.data[at + 2] ?? 0)
  }

  dot(x: number, y: number, colour: Colour): this {
    const column = Math.floor(x)
    const row = Math.floor(y)
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return this
    this.data.set(
      [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255, 255],
      (row * this.width + column) * 4,
    )
    return this
  }

  rect([left, top, width, height]: Box, colour: Colour): this {
    for (let y = top; y < top + height; y += 1)
      for (let x = left; x < left + width; x += 1) this.dot(x, y, colour)
    return this
  }

  /** Draws a box filled from `ramp`, light at its top left corner, with a dark edge below and to the right. */
  block([left, top, width, height]: Box, ramp: Ramp): this {
    this.rect([left, top, width, height], tone(ramp, 0.5))
    this.rect([left, top, width, 1], tone(ramp, 0.99)).rect([left, top, 1, height], tone(ramp, 0.8))
    return this.rect([left, top + height - 1, width, 1], tone(ramp, 0.1)).rect(
      [left + width - 1, top, 1, height],
      tone(ramp, 0.2),
    )
  }

  ellipse([cx, cy, rx, ry]: Ellipse, colour: Colour): this {
    return this.#inside([cx, cy, rx, ry], (x, y) => this.dot(x, y, colour))
  }

  /** Draws a round body, lit from the top left. */
  ball(shape: Ellipse, ramp: Ramp, bias = 0): this {
    const [cx, cy, rx, ry] = shape
    return this.#inside(shape, (x, y) => {
      const nx = (x + 0.5 - cx) / rx
      const ny = (y + 0.5 - cy) / ry
      const nz = Math.sqrt(Math.max(0, 1 - nx * nx - ny * ny))
      const dither = ((x + y) & 1) * 0.05
      this.dot(x, y, tone(ramp, 0.42 - nx * 0.3 - ny * 0.36 + nz * 0.18 + dither + bias))
    })
  }

  /** Draws a soft shadow, only on empty pixels. */
  shadow(shape: Ellipse): this {
    return this.#inside(shape, (x, y) => {
      if (x < 0 || y < 0 || x >= this.width || y >= this.height || this.alpha(x, y) > 0) return
      this.data.set([16, 24, 40, 78], (y * this.width + x) * 4)
    })
  }

  /** Surrounds the drawn pixels with a thin line. */
  outline(colour: Colour): this {
    const spots: [number, number][] = []
    for (let y = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1) {
        if (this.alpha(x, y) > 200) continue
        const near = [this.alpha(x - 1, y), this.alpha(x + 1, y), this.alpha(x, y - 1), this.alpha(x, y + 1)]
        if (Math.max(...near) > 200) spots.push([x, y])
      }
    }
    for (const [x, y] of spots) this.dot(x, y, colour)
    return this
  }

  /** Draws another canvas over this one. */
  paste(source: Canvas, left: number, top: number): this {
    for (let y = 0; y < source.height; y += 1) {
      for (let x = 0; x < source.width; x += 1) {
        const alpha = source.alpha(x, y)
        const toX = left + x
        const toY = top + y
        if (alpha === 0 || toX < 0 || toY < 0 || toX >= this.width || toY >= this.height) continue
        const under = this.alpha(toX, toY)
        if (alpha === 255 || under === 0) {
          const at = (y * source.width + x) * 4
          this.data.set(source.data.subarray(at, at + 4), (toY * this.width + toX) * 4)
        } else this.dot(toX, toY, mix(this.colour(toX, toY), source.colour(x, y), alpha / 255))
      }
    }
    return this
  }

  cut([left, top, width, height]: Box): Canvas {
    return new Canvas(width, height).paste(this, -left, -top)
  }

  mirrored(): Canvas {
    const result = new Canvas(this.width, this.height)
    for (let x = 0; x < this.width; x += 1)
      result.paste(this.cut([x, 0, 1, this.height]), this.width - 1 - x, 0)
    return result
  }

  #inside([cx, cy, rx, ry]: Ellipse, visit: (x: number, y: number) => void): this {
    for (let y = Math.floor(cy - ry); y <= cy + ry; y += 1) {
      for (let x = Math.floor(cx - rx); x <= cx + rx; x += 1) {
        const nx = (x + 0.5 - cx) / rx
        const ny = (y + 0.5 - cy) / ry
        if (nx * nx + ny * ny <= 1) visit(x, y)
      }
    }
    return this
  }
}
