import { describe, expect, it } from "vitest"
import { clampToMap, follow } from "./camera.ts"

const view = { widthTiles: 20, heightTiles: 10 }

describe("camera", () => {
  it("moves independently of the frame rate", () => {
    const target = { x: 5, y: 0 }
    const once = follow({ x: 0, y: 0 }, target, 100)
    const twice = follow(follow({ x: 0, y: 0 }, target, 50), target, 50)
    expect(twice.x).toBeCloseTo(once.x)
    expect(once.x).toBeLessThan(5)
  })

  it("jumps over a long distance", () => {
    expect(follow({ x: 0, y: 0 }, { x: 40, y: 0 }, 16)).toEqual({ x: 40, y: 0 })
    expect(follow(undefined, { x: 3, y: 4 }, 16)).toEqual({ x: 3, y: 4 })
  })

  it("stays on the map, and centres a small one", () => {
    expect(clampToMap({ x: 1, y: 99 }, view, { width: 96, height: 96 })).toEqual({ x: 10, y: 91 })
    expect(clampToMap({ x: 1, y: 1 }, view, { width: 12, height: 6 })).toEqual({ x: 6, y: 3 })
  })
})
