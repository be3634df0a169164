import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { OutboundMessage } from "../transport.ts"
import { VolatileSlots } from "./volatile-slots.ts"

const message = (byte: number): OutboundMessage => ({ bytes: Uint8Array.of(byte) })

describe("VolatileSlots", () => {
  it("keeps the latest of each key, at the end", () => {
    const slots = new VolatileSlots(10)
    const [a1, b, a2] = [message(1), message(2), message(3)]
    expect([slots.put("a", a1), slots.put("b", b), slots.put("a", a2)]).toEqual([0, 0, 1])
    expect(slots.size).toBe(2)
    expect(slots.take()).toEqual([b, a2])
    expect(slots.size).toBe(0)
    expect(slots.take()).toEqual([])
  })

  it("drops the oldest key beyond the bound", () => {
    const slots = new VolatileSlots(2)
    const [a, b, c] = [message(1), message(2), message(3)]
    expect([slots.put("a", a), slots.put("b", b), slots.put("c", c)]).toEqual([0, 0, 1])
    expect(slots.take()).toEqual([b, c])
  })

  it("holds nothing with a bound of 0", () => {
    const slots = new VolatileSlots(0)
    expect(slots.put("a", message(1))).toBe(1)
    expect(slots.size).toBe(0)
  })

  it("agrees with a list, and loses none uncounted", () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom("a", "b", "c", "d", "e", "__proto__") },
        fc.constant(undefined),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(fc.nat(5), steps, (maxCount, sequence) => {
        const slots = new VolatileSlots(maxCount)
        let oracle: (readonly [string, OutboundMessage])[] = []
        let put = 0
        let lost = 0
        let taken = 0
        for (const [index, key] of sequence.entries()) {
          if (key === undefined) {
            const messages = slots.take()
            expect(messages).toEqual(oracle.map(([, kept]) => kept))
            taken += messages.length
            oracle = []
            continue
          }
          const next = message(index)
          oracle = [...oracle.filter(([other]) => other !== key), [key, next] as const].slice(
            -maxCount || sequence.length,
          )
          if (maxCount === 0) oracle = []
          put += 1
          lost += slots.put(key, next)
          expect(slots.size).toBe(oracle.length)
          expect(slots.size).toBeLessThanOrEqual(maxCount)
        }
        expect(taken + lost + slots.size).toBe(put)
      }),
      { numRuns: 2000 },
    )
  })
})
