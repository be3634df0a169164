// A replica's copy as a store: snapshots that share unchanged records, and stores of one record.
import { expect, it } from "vitest"
import { createWorld, sessionOf, walker } from "./harness.ts"

const tickMs = 60

async function setUp() {
  const world = createWorld()
  const walkers = world.server.replica("walkers")
  walkers.set("ann", walker(1, 1))
  walkers.set("ben", walker(2, 2))
  const client = await world.open("ann", { reconnect: () => 1_000 })
  walkers.view(sessionOf(world, "ann"), { x: 1, y: 1 })
  await world.clock.advance(tickMs)
  return { world, walkers, client, copy: client.replica("walkers") }
}

it("keeps a snapshot and its records until they change, and changes once for a frame", async () => {
  const { world, walkers, copy } = await setUp()
  const { snapshot, subscribe } = copy
  const first = snapshot()
  expect([...first.records.keys()].toSorted()).toEqual(["ann", "ben"])
  expect([snapshot() === first, Object.isFrozen(first), first.stale]).toEqual([true, true, false])
  let changes = 0
  subscribe(() => (changes += 1))
  walkers.patch("ann", { x: 3 })
  walkers.set("cem", walker(4, 4))
  await world.clock.advance(tickMs)
  const second = snapshot()
  expect(changes).toBe(1)
  expect(second.records.get("ann")).toEqual(walker(3, 1))
  expect(second.records.get("ben")).toBe(first.records.get("ben"))
  expect([first.records.get("ann"), first.records.size]).toEqual([walker(1, 1), 2])
})

it("changes when it becomes stale and when it no longer is, with the same records", async () => {
  const { world, client, copy } = await setUp()
  const stale: boolean[] = []
  copy.subscribe(() => stale.push(copy.snapshot().stale))
  const { records } = copy.snapshot()
  client.cut()
  expect([copy.snapshot().stale, copy.snapshot().records === records]).toEqual([true, true])
  await world.clock.advance(2_000)
  expect(stale).toEqual([true, false])
  expect(copy.snapshot().records).toBe(records)
})

it("notifies the store of a record of this record's changes only", async () => {
  const { world, walkers, copy } = await setUp()
  const { snapshot, subscribe } = copy.record("ann")
  const seen: (number | undefined)[] = []
  const unsubscribe = subscribe(() => seen.push(snapshot()?.x))
  const before = snapshot()
  walkers.patch("ben", { x: 5 })
  await world.clock.advance(tickMs)
  expect([seen, snapshot() === before]).toEqual([[], true])
  walkers.patch("ann", { x: 4 })
  await world.clock.advance(tickMs)
  walkers.remove("ann")
  await world.clock.advance(tickMs)
  expect([seen, snapshot()]).toEqual([[4, undefined], undefined])
  unsubscribe()
  walkers.set("ann", walker(6, 6))
  await world.clock.advance(tickMs)
  expect([seen.length, snapshot()?.x]).toEqual([2, 6])
})

it("keeps the object of a record that a new connection sends again without a change", async () => {
  const { world, copy } = await setUp()
  const before = copy.get("ann")
  world.restart()
  world.server.replica("walkers").set("ann", walker(1, 1))
  await world.clock.advance(2_000)
  world.server.replica("walkers").view(sessionOf(world, "ann"), { x: 1, y: 1 })
  await world.clock.advance(tickMs)
  expect([copy.size, copy.get("ann")]).toEqual([1, before])
  expect(copy.get("ann")).toBe(before)
})
