import { describe, expect, it } from "vitest"
import { World, pixelsPerTile } from "./world-model.ts"

describe("World", () => {
  it("is the same world each time", () => {
    const [one, other] = [new World(300), new World(300)]
    for (let step = 0; step < 50; step += 1) {
      one.step()
      other.step()
    }
    expect(one.players).toEqual(other.players)
  })

  it("moves every player at every step, stays inside, and is exact to the pixel", () => {
    const world = new World(200)
    for (let step = 0; step < 100; step += 1) {
      const before = world.players.map(({ x, y }) => [x, y])
      world.step()
      for (const { id, x, y } of world.players) {
        expect([x, y]).not.toEqual(before[id])
        expect(Number.isInteger(x * pixelsPerTile) && Number.isInteger(y * pixelsPerTile)).toBe(true)
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
        expect(Math.max(x, y)).toBeLessThan(world.widthTiles)
      }
    }
  })

  it("shows about twenty players to each viewer, itself included", () => {
    const world = new World(1_000)
    const counts = world.players.map((player) => world.visibleTo(player).length)
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
    expect(mean).toBeGreaterThan(18)
    expect(mean).toBeLessThan(24)
    for (const player of world.players) expect(world.visibleTo(player)).toContain(player)
  })

  it("reports every player that enters or leaves a view", () => {
    const world = new World(400)
    const seen = world.players.map((player) => new Set(world.visibleTo(player)))
    for (let step = 0; step < 300; step += 1) {
      world.step((viewer, player, isSeen) => {
        const known = seen[viewer.id]
        expect(known?.has(player)).toBe(!isSeen)
        if (isSeen) known?.add(player)
        else known?.delete(player)
      })
    }
    for (const player of world.players) expect(seen[player.id]).toEqual(new Set(world.visibleTo(player)))
  })
})
