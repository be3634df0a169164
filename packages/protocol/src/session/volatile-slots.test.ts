import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { OutboundMessage } from "../transport.ts"
import { VolatileSlots } from "./volatile-slots.ts"

const bounds = (volatileSlots: number) => ({ volatileSlots, volatileSlotsMaxBytes: 1_000 })
const message = (byte: number): OutboundMessage => ({ bytes: Uint8Array.of(byte) })

describe("VolatileSlots", () => {
  it("surprise-C1 keeps the latest value of each key in the slot of the previous one", () => {
    const slots = new VolatileSlots(bounds(10))
    const [a1, b, a2] = [message(1), message(2), message(3)]
    expect([slots.put("a", a1), slots.put("b", b), slots.put("a", a2)]).toEqual([0, 0, 1])
    expect(slots.size).toBe(2)
    expect(slots.take().map((value) => value.message)).toEqual([a2, b])
    expect(slots.size).toBe(0)
    expect(slots.take()).toEqual([])
  })

  it("returns the oldest value, and removes it by its key", () => {
    const slots = new VolatileSlots(bounds(10))
    expect(slots.first).toBeUndefined()
    const [a1, b, a2] = [message(1), message(2), message(3)]
    slots.put("a", a1)
    slots.put("b", b)
    expect(slots.first).toEqual({ key: "a", message: a1 })
    slots.put("a", a2)
    expect(slots.first).toEqual({ key: "a", message: a2 })
    slots.delete("a")
    slots.delete("nobody")
    expect(slots.first?.message).toBe(b)
    slots.delete("b")
    expect([slots.first, slots.size]).toEqual([undefined, 0])
  })

  it("drops the oldest key at the bound", () => {
    const slots = new VolatileSlots(bounds(2))
    const [a, b, c] = [message(1), message(2), message(3)]
    expect([slots.put("a", a), slots.put("b", b), slots.put("c", c)]).toEqual([0, 0, 1])
    expect(slots.take().map((value) => value.message)).toEqual([b, c])
  })

  it("drops the oldest keys above the bytes, and never the latest", () => {
    const slots = new VolatileSlots({ volatileSlots: 10, volatileSlotsMaxBytes: 100 })
    const of = (length: number): OutboundMessage => ({ bytes: new Uint8Array(length) })
    expect([slots.put("a", of(40)), slots.put("b", of(40)), slots.bytes]).toEqual([0, 0, 80])
    expect([slots.put("c", of(30)), slots.bytes, slots.first?.key]).toEqual([1, 70, "b"])
    expect([slots.put("b", of(20)), slots.bytes]).toEqual([1, 50])
    expect([slots.put("d", of(500)), slots.size, slots.bytes]).toEqual([2, 1, 500])
    slots.delete("d")
    expect([slots.size, slots.bytes]).toEqual([0, 0])
    slots.put("e", of(7))
    slots.take()
    expect(slots.bytes).toBe(0)
  })

  it("holds nothing with a bound of 0", () => {
    const slots = new VolatileSlots(bounds(0))
    expect(slots.put("a", message(1))).toBe(1)
    expect(slots.size).toBe(0)
  })

  it("agrees with a list, and counts every dropped value", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e", "__proto__")
    const steps = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.record({ what: fc.constant("put" as const), key }) },
        { weight: 2, arbitrary: fc.constant({ what: "first" } as const) },
        fc.constant({ what: "take" } as const),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(fc.nat(5), steps, (maxCount, sequence) => {
        const slots = new VolatileSlots(bounds(maxCount))
        let oracle: (readonly [string, OutboundMessage])[] = []
        let put = 0
        let lost = 0
        let taken = 0
        for (const [index, step] of sequence.entries()) {
          if (step.what === "take") {
            const messages = slots.take().map((value) => value.message)
            expect(messages).toEqual(oracle.map(([, kept]) => kept))
            taken += messages.length
            oracle = []
          } else if (step.what === "first") {
            const { first } = slots
            expect(first === undefined ? undefined : [first.key, first.message]).toEqual(oracle[0])
            if (first === undefined) continue
            slots.delete(first.key)
            taken += 1
            oracle = oracle.slice(1)
          } else {
            const next = message(index)
            const isKnown = oracle.some(([other]) => other === step.key)
            const one = [step.key, next] as const
            oracle = isKnown ? oracle.map((kept) => (kept[0] === step.key ? one : kept)) : [...oracle, one]
            oracle = oracle.slice(maxCount === 0 ? sequence.length : -maxCount)
            put += 1
            lost += slots.put(step.key, next)
          }
          expect(slots.size).toBe(oracle.length)
        }
        expect(taken + lost + slots.size).toBe(put)
      }),
      { numRuns: 2000 },
    )
  })
})
