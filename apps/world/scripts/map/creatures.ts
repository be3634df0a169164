import { Canvas, type Ramp } from "./paint.ts"
import type { Direction } from "./directions.ts"

export const CREATURES = ["rabbit", "slime", "wolf"] as const
export type CreatureKind = (typeof CREATURES)[number]

const INK = 0x2b2238
const FUR: Ramp = [0xa88468, 0xcaa888, 0xe4caac, 0xf6e6d0]
const GEL: Ramp = [0x246a8a, 0x2f94a8, 0x4cbcbc, 0x80dcd0, 0xbaf4e4]
const WOLF: Ramp = [0x3c4254, 0x545c70, 0x70788c, 0x949cac, 0xb8bec8]

function rabbit(direction: Direction, frame: number): Canvas {
  const canvas = new Canvas()
  const y = frame === 0 ? 0 : -2
  if (direction === "LEFT") {
    canvas
      .ball([18, 22 + y, 7, 5.5], FUR)
      .ball([11, 18 + y, 5, 4.5], FUR, 0.08)
      .ball([25, 21 + y, 2.5, 2.5], [0xf6e6d0, 0xffffff])
    canvas
      .rect([12, 7 + y, 3, 9], FUR[1] ?? 0)
      .rect([12, 7 + y, 1, 8], 0xf0b0a8)
      .rect([15, 9 + y, 2, 7], FUR[0] ?? 0)
    canvas
      .rect([9, 17 + y, 2, 2], INK)
      .dot(6, 19 + y, 0xe88a90)
      .rect([12 - frame, 26 + y, 3, 2], FUR[2] ?? 0)
      .rect([19 + frame, 26 + y, 5, 2], FUR[1] ?? 0)
  } else {
    canvas
      .ball([16, 22 + y, 6.5, 6], FUR)
      .rect([12, 6 + y, 3, 9], FUR[2] ?? 0)
      .rect([17, 6 + y, 3, 9], FUR[1] ?? 0)
    canvas
      .ball([16, 17 + y, 5.8, 5], FUR, 0.08)
      .rect([11, 26 + y, 4, 2], FUR[2] ?? 0)
      .rect([17, 26 + y, 4, 2], FUR[1] ?? 0)
    if (direction === "DOWN") {
      canvas.rect([13, 7 + y, 1, 7], 0xf0b0a8).rect([18, 7 + y, 1, 7], 0xf0b0a8)
      canvas
        .rect([12, 16 + y, 2, 2], INK)
        .rect([18, 16 + y, 2, 2], INK)
        .rect([15, 19 + y, 2, 1], 0xe88a90)
    } else canvas.ball([16, 23 + y, 3, 3], [0xf6e6d0, 0xffffff])
  }
  return canvas.outline(INK).shadow([16, 28, 8, 2.6])
}

function slime(direction: Direction, frame: number): Canvas {
  const canvas = new Canvas()
  const wide = frame === 0 ? 10 : 11.5
  const high = frame === 0 ? 9.5 : 7.5
  canvas
    .ball([16, 28 - high, wide, high], GEL)
    .rect([7, 26, 18, 2], GEL[0] ?? 0)
    .rect([7, 25, 18, 1], GEL[1] ?? 0)
  canvas
    .rect([10, Math.round(28 - high * 1.6), 4, 2], 0xf0fffa)
    .dot(9, Math.round(28 - high * 1.6) + 2, 0xf0fffa)
  const eye = Math.round(27 - high)
  if (direction === "DOWN")
    canvas
      .rect([11, eye, 2, 4], INK)
      .rect([19, eye, 2, 4], INK)
      .rect([14, eye + 4, 4, 1], INK)
  if (direction === "LEFT")
    canvas
      .rect([8, eye, 2, 4], INK)
      .rect([14, eye, 2, 4], INK)
      .rect([10, eye + 4, 3, 1], INK)
  return canvas.outline(0x163c58).shadow([16, 28, 11, 3])
}

function wolf(direction: Direction, frame: number): Canvas {
  const canvas = new Canvas()
  const step = frame === 0 ? 1 : -1
  if (direction === "LEFT") {
    for (const [x, shift] of [
      [10, step],
      [13, -step],
      [20, step],
      [23, -step],
    ] as const)
      canvas.rect([x + shift, 21, 3, 7], WOLF[1] ?? 0)
    canvas
      .ball([17, 18, 9, 5.5], WOLF)
      .ball([27, 15, 3.5, 2.5], WOLF, -0.1)
      .ball([28, 13 + frame, 2.5, 2.5], WOLF)
    canvas
      .ball([9, 14, 5.5, 5], WOLF, 0.06)
      .rect([2, 15, 6, 3], WOLF[3] ?? 0)
      .rect([2, 15, 2, 2], INK)
    canvas
      .rect([8, 6, 3, 5], WOLF[2] ?? 0)
      .rect([12, 7, 2, 4], WOLF[0] ?? 0)
      .rect([6, 13, 2, 2], 0xf8d84c)
      .dot(6, 13, INK)
  } else {
    canvas
      .rect([11, 21, 3, 7 + Math.min(0, step)], WOLF[1] ?? 0)
      .rect([18, 21, 3, 7 + Math.min(0, -step)], WOLF[1] ?? 0)
    canvas.ball([16, 19, 6.5, 6.5], WOLF)
    canvas
      .rect([10, 4, 3, 6], WOLF[2] ?? 0)
      .rect([19, 4, 3, 6], WOLF[1] ?? 0)
      .ball([16, 12, 7, 6], WOLF, 0.06)
    if (direction === "DOWN") {
      canvas
        .rect([11, 6, 1, 3], 0xd8a0a0)
        .rect([20, 6, 1, 3], 0xd8a0a0)
        .ball([16, 16, 3.5, 3], [0x949cac, 0xb8bec8, 0xe4e8ec])
      canvas
        .rect([15, 15, 3, 2], INK)
        .rect([11, 11, 3, 2], 0xf8d84c)
        .rect([18, 11, 3, 2], 0xf8d84c)
        .dot(12, 12, INK)
        .dot(19, 12, INK)
    } else canvas.ball([16 + step, 22, 2.5, 5], WOLF, 0.12).rect([15 + step, 25, 2, 2], 0xe4e8ec)
  }
  return canvas.outline(INK).shadow([16, 28, direction === "LEFT" ? 12 : 8, 2.6])
}

export function drawCreature(kind: CreatureKind, direction: Direction, frame: number): Canvas {
  if (direction === "RIGHT") return drawCreature(kind, "LEFT", frame).mirrored()
  if (kind === "rabbit") return rabbit(direction, frame)
  return kind === "slime" ? slime(direction, frame) : wolf(direction, frame)
}
