// Changes of a store that are undone: afterwards records, cells and frames are as if the changes had never been.
import { defaultServerLimits, defineReplica, integer } from "@hawser/protocol"
import { BitWriter, TypeTable } from "@hawser/protocol/core"
import fc from "fast-check"
import { expect, it } from "vitest"
import { Atomic } from "../base/atomic.ts"
import { createCodecs } from "../base/codecs.ts"
import { ReplicaStore } from "./replica-store.ts"

const spec = defineReplica({
  fields: { x: integer({ min: 0, max: 29 }), y: integer({ min: 0, max: 9 }), n: integer() },
  area: { x: "x", y: "y", cellSize: 10 },
  durable: true,
})

const limits = { ...defaultServerLimits, durableReplicaMaxCount: 4 }
const places = [0, 1, 2].map((x) => ({ x, y: 0 }))

function newStore() {
  const atomic = new Atomic(() => {})
  const { codec } = createCodecs(new TypeTable(), limits)
  const shared = { name: "things", topic: undefined, number: 0, writer: new BitWriter(), limits, codec }
  const store = new ReplicaStore({ ...shared, atomic, spec, ledger: undefined })
  return { atomic, store }
}

type Change =
  | { readonly kind: "set"; readonly id: string; readonly x: number; readonly n: number }
  | { readonly kind: "remove"; readonly id: string }
interface Step {
  readonly changes: readonly Change[]
  readonly throws: boolean
  readonly inner: readonly Change[]
  readonly ticks: boolean
}

const id = fc.constantFrom("a", "b", "c", "d", "e")
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    id,
    x: fc.integer({ min: 0, max: 29 }),
    n: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ kind: fc.constant("remove" as const), id }),
)
const step: fc.Arbitrary<Step> = fc.record({
  changes: fc.array(change, { maxLength: 6 }),
  throws: fc.boolean(),
  inner: fc.array(change, { maxLength: 4 }),
  ticks: fc.boolean(),
})

function apply(store: ReplicaStore, changes: readonly Change[]): void {
  for (const one of changes) {
    if (one.kind === "remove") store.remove(one.id)
    else store.set(one.id, { x: one.x, y: 0, n: one.n })
  }
}

function sorted(store: ReplicaStore): unknown[] {
  return [...store.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Runs changes; those that throw at the bound of records are undone. Returns true if they stay. */
function attempt(atomic: Atomic, work: () => void): boolean {
  try {
    atomic.run(work)
    return true
  } catch {
    return false
  }
}

it("leaves records, values, bounds and ticks as they were before a throw", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      (steps, viewed) => {
        const { atomic, store } = newStore()
        const twin = newStore()
        for (const [index, place] of places.entries())
          if (viewed[index] === true) for (const one of [store, twin.store]) one.cellAt(place).viewers = 1
        for (const { changes, throws, inner, ticks } of steps) {
          const before = sorted(store)
          const values = new Map(store.entries())
          const stays = attempt(atomic, () => {
            apply(store, changes)
            // An inner part that throws, between changes that stay.
            attempt(atomic, () => {
              apply(store, inner)
              throw new Error("inner")
            })
            if (throws) throw new Error("outer")
          })
          if (stays) apply(twin.store, changes)
          else {
            expect(sorted(store)).toEqual(before)
            for (const [key, value] of values) expect(store.get(key)).toBe(value)
          }
          expect(sorted(store)).toEqual(sorted(twin.store))
          if (!ticks) continue
          const failed = (error: unknown): void => {
            throw error
          }
          expect(store.commit(0, failed)).toBe(twin.store.commit(0, failed))
          for (const place of places) {
            const [cell, other] = [store.cellAt(place), twin.store.cellAt(place)]
            expect(cell.size).toBe(other.size)
            expect(new Set(cell.entries().map((entry) => entry.id))).toEqual(
              new Set(other.entries().map((entry) => entry.id)),
            )
            if (cell.viewers > 0) expect(cell.holdsSince(cell.version)).toBe(true)
          }
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

it("puts a removed record back into its slot: a tick has nothing to send", () => {
  const { atomic, store } = newStore()
  apply(store, [
    { kind: "set", id: "a", x: 1, n: 1 },
    { kind: "set", id: "b", x: 2, n: 1 },
  ])
  const cell = store.cellAt({ x: 0, y: 0 })
  cell.viewers = 1
  store.commit(0, () => {})
  const { version } = cell
  attempt(atomic, () => {
    apply(store, [
      { kind: "remove", id: "a" },
      { kind: "set", id: "a", x: 15, n: 2 },
      { kind: "set", id: "b", x: 25, n: 2 },
      { kind: "set", id: "c", x: 3, n: 2 },
    ])
    throw new Error("undone")
  })
  expect(store.commit(0, () => {})).toBe(0)
  expect(cell.version).toBe(version)
  expect(store.cellCount).toBe(1)
})
