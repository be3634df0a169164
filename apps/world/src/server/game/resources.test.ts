import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import type { GroundItemFields, Ledger, ResourceFields } from "../../contract.ts"
import { parseTiledMap } from "../../rules/map.ts"
import { GroundItems } from "./ground-items.ts"
import { Pieces } from "./pieces.ts"
import { Resources } from "./resources.ts"
import type { Shown } from "./shown.ts"

const mapFile = new URL("../../../assets/map.json", import.meta.url)
const map = parseTiledMap(JSON.parse(readFileSync(mapFile, "utf8")))

/** A replica without viewers. */
class Records<Fields extends object> extends Map<string, Readonly<Fields>> implements Shown<Fields> {
  patch(id: string, fields: Partial<Fields>): void {
    const known = this.get(id)
    if (known === undefined) throw new RangeError(`there is no ${id}`)
    this.set(id, { ...known, ...fields })
  }

  remove(id: string): boolean {
    return this.delete(id)
  }
}

function grove() {
  const shown = new Records<ResourceFields>()
  const pieces = new Pieces(new Records<Ledger>())
  const begin = (nowMs: number): Resources => {
    const resources = new Resources(map, shown, pieces)
    resources.begin(nowMs)
    return resources
  }
  return { shown, pieces, begin }
}

it("gives three pieces of a tree, then none until it has regrown, and enters what grows", () => {
  const { shown, pieces, begin } = grove()
  const resources = begin(0)
  const [tree] = [...shown.values()].filter(({ kind }) => kind === "tree")
  if (tree === undefined) throw new Error("the map has no tree")
  const before = pieces.entries.grown
  const stock = (): unknown => shown.get(String(tree.y * map.width + tree.x))?.stock
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
  expect([stock(), pieces.entries.grown - before]).toEqual([3, 3])
  expect(resources.gather(map.spawn, 0)).toEqual({ ok: false, why: "nothing" })
})

it("does not regrow a resource whose last gathering was undone", () => {
  const { shown, pieces, begin } = grove()
  const resources = begin(0)
  const [tree] = [...shown].filter(([, { kind }]) => kind === "tree")
  if (tree === undefined) throw new Error("the map has no tree")
  const [id, fields] = tree
  const before = pieces.entries.grown
  for (let count = 0; count < 3; count += 1) resources.gather(fields, 0)
  shown.set(id, { ...fields, stock: 1 })
  resources.tick(60_000)
  expect([shown.get(id)?.stock, pieces.entries.grown]).toEqual([1, before])
})

it("continues from its records: what was gathered stays gathered, and bare resources regrow", () => {
  const { shown, pieces, begin } = grove()
  const first = begin(0)
  const [half, bare] = [...shown.values()].filter(({ kind }) => kind === "tree")
  if (half === undefined || bare === undefined) throw new Error("the map has too few trees")
  first.gather(half, 0)
  for (let count = 0; count < 3; count += 1) first.gather(bare, 0)
  shown.set("0", { x: 0, y: 0, kind: "rock", stock: 5 })
  const before = pieces.entries
  const second = begin(1_000)
  const stockAt = ({ x, y }: ResourceFields): unknown => shown.get(String(y * map.width + x))?.stock
  expect([stockAt(half), stockAt(bare), shown.has("0")]).toEqual([2, 0, false])
  expect(pieces.entries).toEqual({ ...before, decayed: before.decayed + 5 })
  second.tick(10_999)
  expect(stockAt(bare)).toBe(0)
  second.tick(11_000)
  expect([stockAt(half), stockAt(bare)]).toEqual([2, 3])
})

it("keeps every tree and rock of the map", () => {
  const { shown, pieces, begin } = grove()
  begin(0)
  let stock = 0
  for (const record of shown.values()) {
    expect(map.resourceAt(record.x, record.y)).toBe(record.kind)
    stock += record.stock
  }
  expect(shown.size).toBeGreaterThan(1_000)
  expect(pieces.entries).toEqual({ grown: stock, decayed: 0, stored: 0 })
})

it("puts items beside a tile, one on each and none on the player's, and enters what decays", () => {
  const shown = new Records<GroundItemFields>()
  const pieces = new Pieces(new Records<Ledger>())
  const row = { width: 9, height: 9, isWalkable: (x: number, y: number) => y === 4 && x >= 0 && x < 9 }
  const items = new GroundItems(row, shown, pieces)
  const except = { x: 3, y: 4 }
  const put = (nowMs: number): boolean => items.put("log", { x: 4, y: 4 }, { except, nowMs })
  expect([put(0), put(1), put(2)]).toEqual([true, true, false])
  expect([...shown.values()]).toEqual([
    { kind: "log", x: 4, y: 4 },
    { kind: "log", x: 5, y: 4 },
  ])
  expect(items.at({ x: 5, y: 4 })).toBe("log")
  items.take({ x: 5, y: 4 })
  expect(items.at({ x: 5, y: 4 })).toBe(undefined)
  items.tick(119_999)
  expect(shown.size).toBe(1)
  items.tick(120_000)
  expect([shown.size, pieces.entries.decayed]).toEqual([0, 1])
})

it("gives items that an earlier process has left a new lifetime", () => {
  const shown = new Records<GroundItemFields>([["41", { kind: "ore", x: 5, y: 4 }]])
  const items = new GroundItems(map, shown, new Pieces(new Records<Ledger>()))
  items.begin(500)
  items.tick(120_499)
  expect(shown.size).toBe(1)
  items.tick(120_500)
  expect(shown.size).toBe(0)
})
