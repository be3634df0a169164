import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"
import { ReceiveCount } from "./receive-count.ts"

const message = (byte: number): Uint8Array => Uint8Array.of(0x40, byte)

/** The digest of the first `count` messages of a history. */
const digestOf = (bytes: readonly number[], count: number): number =>
  bytes
    .slice(0, count)
    .reduce((digest, byte) => extendDigest(digest, hashMessage(message(byte))), emptyDigest)

describe("ReceiveCount", () => {
  it("starts with no messages and their digest", () => {
    const count = new ReceiveCount()
    expect([count.received, count.handled, count.receivedDigest, count.handledDigest]).toEqual([0, 0, 0, 0])
  })

  it("numbers messages from 1, equal ones too", () => {
    const count = new ReceiveCount()
    expect([count.receive(message(1)), count.receive(message(1)), count.received]).toEqual([1, 2, 2])
    expect(count.handled).toBe(0)
  })

  it("counts the longest settled prefix as handled, with its digest", () => {
    const count = new ReceiveCount()
    const history = [5, 6, 7, 8]
    for (const byte of history) count.receive(message(byte))
    const handled = [3, 2, 1, 4].map((number) => {
      count.settle(number)
      return [count.handled, count.handledDigest]
    })
    expect(handled).toEqual([0, 0, 3, 4].map((number) => [number, digestOf(history, number)]))
    expect(count.receivedDigest).toBe(count.handledDigest)
  })

  it("agrees with a list of the settled messages", () => {
    const steps = fc.array(
      fc.oneof(fc.record({ receive: fc.nat(3) }), fc.record({ settle: fc.integer({ min: -1, max: 20 }) })),
      { maxLength: 80 },
    )
    fc.assert(
      fc.property(steps, (sequence) => {
        const count = new ReceiveCount()
        const history: number[] = []
        const settled: boolean[] = [] // the oracle: one mark per received message
        const seen: unknown[] = []
        const expected: unknown[] = []
        for (const step of sequence) {
          if ("receive" in step) {
            history.push(step.receive)
            expected.push(settled.push(false))
            seen.push(count.receive(message(step.receive)))
          } else if (settled[step.settle - 1] === false) {
            count.settle(step.settle)
            settled[step.settle - 1] = true
          } else {
            expect(() => count.settle(step.settle)).toThrow(RangeError)
          }
          const open = settled.indexOf(false)
          const handled = open === -1 ? settled.length : open
          expected.push([settled.length, handled, digestOf(history, handled), digestOf(history, Infinity)])
          seen.push([count.received, count.handled, count.handledDigest, count.receivedDigest])
        }
        expect(seen).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  }, 30_000)

  it.each([-1, 0, 0.5, 2, NaN, Infinity])(
    "refuses to settle %d of one message, and stays as it was",
    (number) => {
      const count = new ReceiveCount()
      count.receive(message(1))
      expect(() => count.settle(number)).toThrow(
        new RangeError(`message ${number} cannot be settled: 0 handled, 1 received`),
      )
      count.settle(1)
      expect(count.handled).toBe(1)
      expect(() => count.settle(1)).toThrow(RangeError)
    },
  )

  it("refuses to settle a message twice that was settled ahead of others", () => {
    const count = new ReceiveCount()
    for (const byte of [1, 2, 3]) count.receive(message(byte))
    count.settle(2)
    expect(() => count.settle(2)).toThrow(RangeError)
    count.settle(1)
    expect(count.handled).toBe(2)
  })
})
