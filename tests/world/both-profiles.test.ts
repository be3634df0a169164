// Clients of hawser.1 and of 2.0 in the same world.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { WorldProcess } from "./start-world.ts"
import { takeFreeStep, visit } from "./visitor.ts"

const world = new WorldProcess()

beforeAll(() => world.start(), 60_000)
afterAll(() => world.remove())

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 10 })

describe("a hawser.1 client and a 2.0 client in the same world", { timeout: 30_000 }, () => {
  it("receive each other's positions and steps", async () => {
    const [native, old] = [await visit(world, "hawser.1"), await visit(world, "2.0")]
    const names = [native.username, old.username]
    await eventually(() => {
      for (const { around } of [native, old])
        expect([...around.seen.keys()]).toEqual(expect.arrayContaining(names))
    })
    const pairs = [
      [native, old],
      [old, native],
    ] as const
    for (const [walker, watcher] of pairs) {
      const { x, y } = await takeFreeStep(walker)
      await eventually(() => expect(watcher.around.seen.get(walker.username)).toEqual({ x, y }))
    }
    expect([...native.around.errors, ...old.around.errors]).toEqual([])
  })

  it("talk to all nearby players, and to one player directly", async () => {
    const [native, old] = [await visit(world, "hawser.1"), await visit(world, "2.0")]
    await native.say({ channel: "local", message: "ahoy" })
    await old.say({ channel: "dm", message: "psst", recipient: native.username })
    await old.say({ channel: "local", message: "bye" })
    const [ahoy, bye] = [`local ${native.username}: ahoy`, `local ${old.username}: bye`]
    await eventually(() => {
      expect(native.around.lines).toEqual([ahoy, `dm ${old.username}: psst`, bye])
      expect(old.around.lines).toEqual([ahoy, bye])
    })
  })

  it("receive the departure of the other one", async () => {
    const [native, old] = [await visit(world, "hawser.1"), await visit(world, "2.0")]
    const [another, last] = [await visit(world, "hawser.1"), await visit(world, "2.0")]
    old.leave()
    another.leave()
    await eventually(() => {
      for (const { around } of [native, last])
        expect(around.left).toEqual(expect.arrayContaining([old.id, another.id]))
    })
    expect([...native.around.left, ...last.around.left]).not.toContain(native.id)
  })

  it("receive the same map", async () => {
    const [native, old] = [await visit(world, "hawser.1"), await visit(world, "2.0")]
    const middle = { x: 40, y: 40 }
    const chunks = await native.chunksAt(middle)
    expect(chunks).toHaveLength(9)
    expect(await old.chunksAt(middle)).toEqual(chunks)
  })
})
