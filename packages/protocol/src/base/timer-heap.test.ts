import fc from "fast-check"
import { expect, it } from "vitest"
import { TimerHeap } from "./timer-heap.ts"

it("orders entries by time, then by their creation, also while entries are removed", () => {
  const step = fc.record({ atMs: fc.nat(20), remove: fc.option(fc.nat(100)), isPopped: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const heap = new TimerHeap()
      let model: ReturnType<TimerHeap["add"]>[] = []
      for (const { atMs, remove, isPopped } of steps) {
        model.push(heap.add(atMs, () => {}))
        model.sort((one, other) => one.atMs - other.atMs || one.order - other.order)
        const gone = isPopped ? model[0] : remove === null ? undefined : model[remove % model.length]
        if (gone !== undefined) {
          expect([heap.remove(gone), heap.remove(gone)]).toEqual([true, false])
          model = model.filter((entry) => entry !== gone)
        }
        expect([heap.first, heap.size]).toEqual([model[0], model.length])
      }
      expect(heap.added).toBe(steps.length)
      heap.clear()
      expect([heap.first, heap.size, model.every((entry) => !heap.remove(entry))]).toEqual([
        undefined,
        0,
        true,
      ])
    }),
  )
})
