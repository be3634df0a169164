import { describe, expect, it } from "vitest"
import { headFor, isMoving, placeAt, restAt, stepMs } from "./motion.ts"

const walk = headFor(restAt({ x: 0, y: 0 }), { x: 1, y: 0 }, 1000)

describe("motion", () => {
  it("is a straight line in time", () => {
    expect(placeAt(walk, 999)).toEqual({ x: 0, y: 0 })
    expect(placeAt(walk, 1000 + stepMs / 4).x).toBeCloseTo(0.25)
    expect(placeAt(walk, 1000 + stepMs)).toEqual({ x: 1, y: 0 })
    expect(placeAt(walk, 9000)).toEqual({ x: 1, y: 0 })
  })

  it("turns at its drawn position, without a jump", () => {
    const nowMs = 1000 + stepMs / 2
    const turned = headFor(walk, { x: 1, y: 1 }, nowMs)
    expect(placeAt(turned, nowMs)).toEqual(placeAt(walk, nowMs))
    expect(placeAt(turned, nowMs + stepMs)).toEqual({ x: 1, y: 1 })
  })

  it("does not restart for the same destination", () => {
    expect(headFor(walk, { x: 1, y: 0 }, 1100)).toBe(walk)
  })

  it("jumps to a tile beyond one step", () => {
    expect(placeAt(headFor(walk, { x: 20, y: 0 }, 1000), 1000)).toEqual({ x: 20, y: 0 })
  })

  it("moves only during the step", () => {
    expect(isMoving(restAt({ x: 0, y: 0 }), 10)).toBe(false)
    expect(isMoving(walk, 1000)).toBe(true)
    expect(isMoving(walk, 1000 + stepMs)).toBe(false)
  })
})
