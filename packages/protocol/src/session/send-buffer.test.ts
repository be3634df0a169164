import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { OutboundMessage } from "../transport.ts"
import { emptyDigest, extendDigest, hashMessage } from "./digest.ts"
import { SendBuffer } from "./send-buffer.ts"

const limitsOf = (maxCount: number, maxBytes: number) => ({
  sendBufferMaxCount: maxCount,
  sendBufferMaxBytes: maxBytes,
})
const unlimited = limitsOf(Infinity, Infinity)
const alone = () => ({ bytes: 0 })
const message = (seed: number, length = 2): OutboundMessage => ({
  bytes: Uint8Array.from({ length }, (_, index) => (seed * 31 + index) & 0xff),
})

/** A buffer with `count` messages, of which the first `sent` were sent. */
function filled(count: number, sent = 0): { buffer: SendBuffer; messages: OutboundMessage[] } {
  const buffer = new SendBuffer(unlimited, alone())
  const messages = Array.from({ length: count }, (_, index) => message(index))
  for (const one of messages) buffer.append(one)
  for (let number = 0; number < sent; number += 1) buffer.markSent()
  return { buffer, messages }
}

describe("SendBuffer", () => {
  it("counts a message of several buffers once, until the last of them removes it", () => {
    const kept = { bytes: 0 }
    const [ann, ben] = [new SendBuffer(unlimited, kept), new SendBuffer(unlimited, kept)]
    const shared = message(1, 100)
    for (const buffer of [ann, ben]) buffer.append(shared)
    ann.append(message(2, 10))
    expect([kept.bytes, ann.bytes, ben.bytes]).toEqual([110, 110, 100])
    ann.markSent()
    ann.acknowledge(1)
    expect([kept.bytes, ann.bytes]).toEqual([110, 10])
    ben.clear()
    expect([kept.bytes, ben.bytes]).toEqual([10, 0])
    ann.clear()
    expect(kept.bytes).toBe(0)
  })

  it("numbers messages from 1 and returns them in order", () => {
    const { buffer, messages } = filled(3)
    expect([buffer.base, buffer.sent, buffer.head, buffer.bytes]).toEqual([0, 0, 3, 6])
    for (const expected of messages) {
      expect(buffer.next).toBe(expected)
      expect(buffer.next).toBe(expected)
      buffer.markSent()
    }
    expect(buffer.next).toBeUndefined()
    buffer.markSent()
    expect(buffer.sent).toBe(3)
  })

  it("removes acknowledged messages, and refuses a count above the sent ones", () => {
    const { buffer, messages } = filled(3, 2)
    expect(buffer.acknowledge(3)).toBe(false)
    expect(buffer.unacknowledged()).toEqual(messages)
    expect(buffer.acknowledge(1)).toBe(true)
    expect([buffer.base, buffer.bytes]).toEqual([1, 4])
    expect(buffer.unacknowledged()).toEqual(messages.slice(1))
    expect(buffer.acknowledge(0)).toBe(true)
    expect(buffer.acknowledge(1)).toBe(true)
    expect(buffer.base).toBe(1)
  })

  it("returns unreceived messages again for a new connection, and no acknowledged one", () => {
    const { buffer, messages } = filled(4, 4)
    buffer.acknowledge(1)
    buffer.rewind(2)
    expect([buffer.sent, buffer.next]).toEqual([2, messages[2]])
    expect(buffer.acknowledge(3)).toBe(false)
    buffer.rewind(0)
    expect([buffer.sent, buffer.next]).toEqual([1, messages[1]])
    buffer.rewind(99)
    expect([buffer.sent, buffer.next]).toEqual([4, undefined])
  })

  it("returns the digest of every buffered count, also when it is empty", () => {
    const { buffer, messages } = filled(3, 3)
    const digests = messages.reduce<number[]>(
      (list, { bytes }) => [...list, extendDigest(list.at(-1) ?? emptyDigest, hashMessage(bytes))],
      [emptyDigest],
    )
    expect([0, 1, 2, 3].map((count) => buffer.digestAt(count))).toEqual(digests)
    expect([-1, 4].map((count) => buffer.digestAt(count))).toEqual([undefined, undefined])
    buffer.acknowledge(2)
    expect([1, 2, 3].map((count) => buffer.digestAt(count))).toEqual([undefined, ...digests.slice(2)])
    buffer.acknowledge(3)
    expect([2, 3, 4].map((count) => buffer.digestAt(count))).toEqual([undefined, digests[3], undefined])
    buffer.append(message(9))
    expect(buffer.digestAt(4)).toBe(extendDigest(digests[3] ?? 0, hashMessage(message(9).bytes)))
  })

  it("is full at its count or its bytes, but takes any single message", () => {
    const buffer = new SendBuffer(limitsOf(2, 10), alone())
    expect(buffer.isFullFor(1_000)).toBe(false)
    buffer.append(message(1, 6))
    expect([4, 5].map((bytes) => buffer.isFullFor(bytes))).toEqual([false, true])
    buffer.append(message(2, 0))
    expect(buffer.isFullFor(0)).toBe(true)
    buffer.markSent()
    buffer.acknowledge(1)
    expect([10, 11].map((bytes) => buffer.isFullFor(bytes))).toEqual([false, true])
    buffer.markSent()
    buffer.acknowledge(2)
    expect(buffer.isFullFor(1_000)).toBe(false)
  })

  it("keeps order and digests while its ring grows and wraps around", () => {
    const buffer = new SendBuffer(unlimited, alone())
    const waiting: OutboundMessage[] = []
    let digest = emptyDigest
    for (let number = 1; number <= 5_000; number += 1) {
      const one = message(number, number % 5)
      expect(buffer.append(one)).toBe(number)
      waiting.push(one)
      digest = extendDigest(digest, hashMessage(one.bytes))
      buffer.markSent()
      // Two of three are acknowledged, so that it grows repeatedly with different start indices.
      if (number % 3 !== 0) buffer.acknowledge(buffer.base + 1)
      if (number % 3 !== 0) waiting.shift()
    }
    expect(buffer.unacknowledged()).toEqual(waiting)
    expect(buffer.digestAt(5_000)).toBe(digest)
    expect(buffer.bytes).toBe(waiting.reduce((sum, { bytes }) => sum + bytes.length, 0))
  })

  it("hashes a message once for all buffers that share it", () => {
    const shared = message(1)
    new SendBuffer(unlimited, alone()).append(shared)
    expect(shared.hash).toBe(hashMessage(shared.bytes) | 0)
    shared.hash = 12_345
    const other = new SendBuffer(unlimited, alone())
    other.append(shared)
    expect(other.digestAt(1)).toBe(extendDigest(emptyDigest, 12_345))
    expect(other.next).toBe(shared)
    const zero: OutboundMessage = { ...message(2), hash: 0 }
    other.append(zero)
    expect(zero.hash).toBe(0)
  })

  it("is empty after clear, and continues its numbers", () => {
    const { buffer } = filled(3, 1)
    const digest = buffer.digestAt(3)
    buffer.clear()
    expect([buffer.base, buffer.sent, buffer.head, buffer.bytes]).toEqual([3, 3, 3, 0])
    expect([buffer.next, buffer.unacknowledged(), buffer.digestAt(3)]).toEqual([undefined, [], digest])
    expect(buffer.append(message(4))).toBe(4)
  })
})

describe("the memory of a SendBuffer", () => {
  setFlagsFromString("--expose-gc")
  const collectGarbage = async (): Promise<number> => {
    // A WeakRef keeps its target until the end of the turn in which it was read.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    runInNewContext("gc()")
    return process.memoryUsage().heapUsed
  }

  it("does not retain an acknowledged message", async () => {
    const { buffer, messages } = filled(10, 10)
    const watched = messages.splice(0).map((one) => new WeakRef(one))
    buffer.acknowledge(4)
    await collectGarbage()
    expect(watched.map((one) => one.deref() !== undefined)).toEqual(watched.map((_, index) => index >= 4))
    buffer.clear()
    await collectGarbage()
    expect(watched.filter((one) => one.deref() !== undefined)).toEqual([])
    expect(buffer.head).toBe(10)
  })

  it("retains no large ring once everything is acknowledged", async () => {
    const shared = message(1)
    const before = await collectGarbage()
    const buffers = Array.from({ length: 1_000 }, () => new SendBuffer(unlimited, alone()))
    for (const buffer of buffers) {
      for (let number = 0; number < 1_024; number += 1) buffer.append(shared)
      buffer.rewind(1_024)
    }
    expect((await collectGarbage()) - before).toBeGreaterThan(8_000_000)
    for (const buffer of buffers) buffer.acknowledge(1_024)
    expect((await collectGarbage()) - before).toBeLessThan(2_000_000)
    expect(buffers.every(({ base }) => base === 1_024)).toBe(true)
  })
})

/** Reference model: a list of all appended messages. */
class Oracle {
  readonly #limits: { readonly maxCount: number; readonly maxBytes: number }
  readonly #all: OutboundMessage[] = []
  base = 0
  sent = 0

  constructor(limits: { readonly maxCount: number; readonly maxBytes: number }) {
    this.#limits = limits
  }

  get head(): number {
    return this.#all.length
  }

  get bytes(): number {
    return this.unacknowledged().reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  get next(): OutboundMessage | undefined {
    return this.#all[this.sent]
  }

  isFullFor(bytes: number): boolean {
    const count = this.unacknowledged().length
    return count > 0 && (count + 1 > this.#limits.maxCount || this.bytes + bytes > this.#limits.maxBytes)
  }

  append(one: OutboundMessage): number {
    return this.#all.push(one)
  }

  markSent(): void {
    this.sent = Math.min(this.sent + 1, this.head)
  }

  acknowledge(count: number): boolean {
    if (count > this.sent) return false
    this.base = Math.max(this.base, count)
    return true
  }

  rewind(count: number): void {
    this.sent = count
  }

  digestAt(count: number): number | undefined {
    if (count < this.base || count > this.head) return undefined
    return this.#all
      .slice(0, count)
      .reduce((digest, { bytes }) => extendDigest(digest, hashMessage(bytes)), emptyDigest)
  }

  unacknowledged(): OutboundMessage[] {
    return this.#all.slice(this.base)
  }

  clear(): void {
    this.base = this.head
    this.sent = this.head
  }
}

describe("random lives", () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.record({ what: fc.constant("append" as const), draw: fc.nat(40) }) },
      { weight: 6, arbitrary: fc.record({ what: fc.constant("send" as const), draw: fc.nat(4) }) },
      { weight: 3, arbitrary: fc.record({ what: fc.constant("acknowledge" as const), draw: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant("rewind" as const), draw: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant("digestAt" as const), draw: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant("isFullFor" as const), draw: fc.nat(300) }) },
    ),
    { maxLength: 80, size: "max" },
  )
  type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never

  /** One step of either; returns its observable result. Messages are compared by identity. */
  function step(
    buffer: SendBuffer | Oracle,
    { what, draw }: Step,
    pool: readonly OutboundMessage[],
  ): unknown[] {
    const { base, sent, head } = buffer
    const around = base - 2 + (draw % (head - base + 4))
    const shown: unknown[] = []
    switch (what) {
      case "append": {
        const one = pool[draw % pool.length]
        if (one !== undefined && !buffer.isFullFor(one.bytes.length)) shown.push(buffer.append(one))
        break
      }
      case "send":
        for (let count = 0; count <= draw; count += 1) buffer.markSent()
        break
      case "acknowledge":
        shown.push(buffer.acknowledge(around))
        break
      case "rewind":
        buffer.rewind(base + (draw % (head - base + 1)))
        break
      case "digestAt":
        shown.push(buffer.digestAt(around), buffer.digestAt(base), buffer.digestAt(head))
        break
      case "isFullFor":
        shown.push(buffer.isFullFor(draw))
    }
    const next = buffer.next === undefined ? -1 : pool.indexOf(buffer.next)
    return [what, ...shown, sent, buffer.base, buffer.sent, buffer.head, buffer.bytes, next]
  }

  it("agree with a list, in 10,000 of them", () => {
    const limits = fc.record({ maxCount: fc.integer({ min: 1, max: 40 }), maxBytes: fc.nat(900) })
    let largest = 0
    fc.assert(
      fc.property(limits, steps, fc.boolean(), (bounds, sequence, clears) => {
        const pool = Array.from({ length: 41 }, (_, index) => message(index, index))
        const buffer = new SendBuffer(limitsOf(bounds.maxCount, bounds.maxBytes), alone())
        const oracle = new Oracle(bounds)
        const seen: unknown[] = []
        const expected: unknown[] = []
        for (const [index, one] of sequence.entries()) {
          if (clears && index === 40) {
            buffer.clear()
            oracle.clear()
          }
          seen.push(step(buffer, one, pool))
          expected.push(step(oracle, one, pool))
          largest = Math.max(largest, buffer.head - buffer.base)
        }
        seen.push(buffer.unacknowledged().map((one) => pool.indexOf(one)))
        expected.push(oracle.unacknowledged().map((one) => pool.indexOf(one)))
        expect(JSON.stringify(seen)).toBe(JSON.stringify(expected))
      }),
      { numRuns: 10_000 },
    )
    expect(largest).toBeGreaterThan(16)
  }, 120_000)
})
