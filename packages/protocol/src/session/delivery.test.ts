import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Delivery } from "./delivery.ts"

describe("Delivery", () => {
  it("numbers each direction from 1", () => {
    const delivery = new Delivery()
    expect([delivery.countOutbound(), delivery.countOutbound(), delivery.countInbound()]).toEqual([1, 2, 1])
    expect([delivery.sent, delivery.received, delivery.handled]).toEqual([2, 1, 0])
  })

  it("counts as handled the longest settled prefix", () => {
    const delivery = new Delivery()
    for (let count = 0; count < 4; count += 1) delivery.countInbound()
    const handled = [3, 2, 1, 4].map((number) => {
      delivery.settle(number)
      return delivery.handled
    })
    expect(handled).toEqual([0, 0, 3, 4])
  })

  it("agrees with a list of what was settled", () => {
    const steps = fc.array(
      fc.oneof({ weight: 2, arbitrary: fc.constant("in" as const) }, fc.constant("out" as const), fc.nat(15)),
      { maxLength: 80 },
    )
    fc.assert(
      fc.property(steps, (sequence) => {
        const delivery = new Delivery()
        const settled: boolean[] = [] // the oracle: one mark per received message
        let sent = 0
        for (const step of sequence) {
          if (step === "in") expect(delivery.countInbound()).toBe(settled.push(false))
          else if (step === "out") expect(delivery.countOutbound()).toBe((sent += 1))
          else if (settled[step - 1] === false) {
            delivery.settle(step)
            settled[step - 1] = true
          } else expect(() => delivery.settle(step)).toThrow(RangeError)
          const open = settled.indexOf(false)
          expect(delivery.handled).toBe(open === -1 ? settled.length : open)
          expect(delivery.received).toBe(settled.length)
          expect(delivery.sent).toBe(sent)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it.each([-1, 0, 0.5, 2, NaN])("refuses to settle %d of one message", (number) => {
    const delivery = new Delivery()
    delivery.countInbound()
    expect(() => delivery.settle(number)).toThrow(RangeError)
    delivery.settle(1)
    expect(delivery.handled).toBe(1)
  })
})
