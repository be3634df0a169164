import { describe, expect, it } from "vitest"
import type { ChunkPayload } from "../contract.ts"
import type { CreatureEntity, PlayerEntity } from "./entity.ts"
import { placeAt } from "./motion.ts"
import { WorldState } from "./world-state.ts"

const player = (id: number, x: number, y: number): PlayerEntity => ({
  kind: "player",
  id: String(id),
  username: `p${id}`,
  x,
  y,
  facing: "DOWN",
  hp: 10,
  maxHp: 10,
  outfit: 0,
  away: false,
})

const rabbit = (id: number, x: number, y: number): CreatureEntity => ({
  kind: "creature",
  id: String(id),
  species: "rabbit",
  x,
  y,
  facing: "LEFT",
  hp: 3,
  maxHp: 3,
  state: "idle",
})

function chunk(chunkX: number, chunkY: number, blockedTiles: readonly number[] = []): ChunkPayload {
  return {
    chunkX,
    chunkY,
    layers: [],
    blocked: Array.from({ length: 256 }, (_, index) => (blockedTiles.includes(index) ? 1 : 0)),
  }
}

function entered(): WorldState {
  const world = new WorldState()
  welcome(world)
  // The tile east of the spawn's neighbour is blocked.
  world.addChunks([chunk(0, 0, [5 * 16 + 7])])
  return world
}

function welcome(world: WorldState): void {
  const { kind: _, ...fields } = player(1, 5, 5)
  world.welcome({
    player: { ...fields, id: 1 },
    mapId: "meadow",
    mapWidth: 32,
    mapHeight: 32,
    motd: "",
    moveCooldownMs: 150,
    chatChannels: [],
  })
}

const predicted = (world: WorldState) => {
  const { x, y } = world.own?.moves.predicted ?? { x: -1, y: -1 }
  return [x, y]
}

describe("WorldState", () => {
  it("takes no step before the welcome", () => {
    expect(new WorldState().step("UP", 0)).toEqual({ number: undefined, turned: false })
  })

  it("clears chunks and unanswered steps at every welcome, but no figures of the replicas", () => {
    const world = entered()
    world.put(player(2, 6, 6), 0)
    world.step("UP", 0)
    welcome(world)
    expect([...world.figures.keys()]).toEqual(["player:1", "player:2"])
    expect(world.chunks.size).toBe(0)
    expect(predicted(world)).toEqual([5, 5])
  })

  it("keeps players and creatures of the same number apart", () => {
    const world = entered()
    world.put(player(2, 6, 6), 0)
    world.put(rabbit(2, 3, 3), 0)
    world.remove({ kind: "player", id: "2" })
    expect([...world.figures.keys()]).toEqual(["player:1", "creature:2"])
  })

  it("never removes the own figure", () => {
    const world = entered()
    world.remove({ kind: "player", id: "1" })
    expect(world.ownFigure).toBeDefined()
  })

  it("moves a figure to its new tile in 150 ms", () => {
    const world = entered()
    world.put(player(2, 6, 6), 0)
    world.put(player(2, 7, 6), 1000)
    const motion = world.figures.get("player:2")?.motion
    expect(motion && placeAt(motion, 1075)).toEqual({ x: 6.5, y: 6 })
    expect(motion && placeAt(motion, 1150)).toEqual(expect.objectContaining({ x: 7, y: 6 }))
  })

  it("takes a step before the server answers, and turns if the step is blocked", () => {
    const world = entered()
    expect(world.step("RIGHT", 0)).toEqual({ number: 0, turned: true })
    expect(predicted(world)).toEqual([6, 5])
    expect(world.step("RIGHT", 150)).toEqual({ number: undefined, turned: false })
    expect(predicted(world)).toEqual([6, 5])
    expect(world.facedTile()).toEqual({ x: 7, y: 5 })
  })

  it("returns to the server's position after a refused step, and keeps later steps", () => {
    const world = entered()
    world.step("UP", 0)
    world.step("LEFT", 150)
    expect(predicted(world)).toEqual([4, 4])
    world.settle(0, undefined, 200)
    expect(predicted(world)).toEqual([4, 5])
    world.settle(1, { x: 4, y: 5 }, 250)
    expect(world.own?.moves.confirmed).toMatchObject({ x: 4, y: 5 })
  })

  it("is not moved back by an update that is older than the predicted steps", () => {
    const world = entered()
    world.step("UP", 0)
    world.put(player(1, 5, 5), 20)
    expect(predicted(world)).toEqual([5, 4])
    world.settle(0, { x: 5, y: 4 }, 40)
    world.put(player(1, 9, 9), 60)
    expect(predicted(world)).toEqual([9, 9])
  })

  it("takes no step onto unknown terrain", () => {
    const world = entered()
    expect(world.isWalkable(16, 5)).toBe(false)
    world.addChunks([chunk(1, 0)])
    expect(world.isWalkable(16, 5)).toBe(true)
    expect(world.isWalkable(-1, 5)).toBe(false)
  })

  it("keeps the chunks nearest to the player", () => {
    const world = entered()
    world.addChunks(Array.from({ length: 100 }, (_, index) => chunk(index, 0)))
    expect(world.chunks.size).toBe(64)
    expect(world.chunks.has("0,0")).toBe(true)
    expect(world.chunks.has("99,0")).toBe(false)
  })
})
