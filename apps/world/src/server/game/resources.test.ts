import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import type { GroundItemFields, ResourceFields } from "../../contract.ts"
import { parseTiledMap } from "../../rules/map.ts"
import { GroundItems } from "./ground-items.ts"
import { Resources } from "./resources.ts"
import type { Shown } from "./shown.ts"

const mapFile = new URL("../../../assets/map.json", import.meta.url)
const map = parseTiledMap(JSON.parse(readFileSync(mapFile, "utf8")))

/** A replica without viewers. */
class Records<Fields extends object> implements Shown<Fields> {
  readonly all = new Map<string, Fields>()

  set(id: string, fields: Fields): void {
    this.all.set(id, fields)
  }

  patch(id: string, fields: Partial<Fields>): void {
    const known = this.all.get(id)
    if (known === undefined) throw new RangeError(`there is no ${id}`)
    this.all.set(id, { ...known, ...fields })
  }

  remove(id: string): boolean {
    return this.all.delete(id)
  }
}

it("gives three pieces of a tree, then none until it has regrown, and publishes each change", () => {
  const shown = new Records<ResourceFields>()
  const resources = new Resources(map, shown)
  const [tree] = [...shown.all.values()].filter(({ kind }) => kind === "tree")
  if (tree === undefined) throw new Error("the map has no tree")
  const stock = (): unknown => shown.all.get(String(tree.y * map.width + tree.x))?.stock
  const gather = (nowMs: number): unknown => resources.gather(tree, nowMs)
  expect(stock()).toBe(3)
  expect([gather(0), gather(0), gather(100)]).toEqual([
    { ok: true, kind: "tree", isBare: false },
    { ok: true, kind: "tree", isBare: false },
    { ok: true, kind: "tree", isBare: true },
  ])
  expect([stock(), gather(200)]).toEqual([0, { ok: false, why: "bare" }])
  resources.tick(10_099)
  expect(stock()).toBe(0)
  resources.tick(10_100)
  expect(stock()).toBe(3)
  expect(resources.gather(map.spawn, 0)).toEqual({ ok: false, why: "nothing" })
})

it("publishes every tree and rock of the map", () => {
  const shown = new Records<ResourceFields>()
  expect(new Resources(map, shown)).toBeDefined()
  for (const { x, y, kind } of shown.all.values()) expect(map.resourceAt(x, y)).toBe(kind)
  expect(shown.all.size).toBeGreaterThan(1_000)
})

it("drops items beside a tile, one on each and none on the player's, and takes each up once", () => {
  const shown = new Records<GroundItemFields>()
  const terrain = { width: 9, height: 9, isWalkable: (x: number, y: number) => y === 4 && x >= 0 && x < 9 }
  const items = new GroundItems(terrain, shown)
  const except = { x: 3, y: 4 }
  for (let count = 0; count < 4; count += 1) items.drop("log", { x: 4, y: 4 }, { except, nowMs: count })
  expect([...shown.all.values()]).toEqual([
    { kind: "log", x: 4, y: 4 },
    { kind: "log", x: 5, y: 4 },
  ])
  expect([items.take({ x: 5, y: 4 }), items.take({ x: 5, y: 4 })]).toEqual(["log", undefined])
  items.tick(119_999)
  expect(shown.all.size).toBe(1)
  items.tick(120_000)
  expect(shown.all.size).toBe(0)
})
