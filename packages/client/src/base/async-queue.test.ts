import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AsyncQueue, asItIs } from "./async-queue.ts"
import type { OverflowPolicy } from "./async-queue.ts"

const over = { value: undefined, done: true }
const item = (value: number) => ({ value, done: false })

function setUp(maxCount = 3) {
  const returns = { count: 0 }
  const queue = new AsyncQueue<number>({ maxCount, read: asItIs, onReturn: () => (returns.count += 1) })
  return { queue, returns }
}

describe("AsyncQueue", () => {
  it("gives items to readers in order, whether items or readers wait", async () => {
    const { queue } = setUp()
    queue.push(1)
    queue.push(2)
    expect([await queue.next(), await queue.next()]).toEqual([item(1), item(2)])
    const waiting = [queue.next(), queue.next()]
    queue.push(3)
    queue.push(4)
    expect(await Promise.all(waiting)).toEqual([item(3), item(4)])
    expect(queue.size).toBe(0)
  })

  it("drops the oldest item at its bound", async () => {
    const { queue } = setUp(2)
    for (const value of [1, 2, 3, 4]) queue.push(value)
    expect(queue.size).toBe(2)
    expect([await queue.next(), await queue.next()]).toEqual([item(3), item(4)])
  })

  it("leaves its bound to the policy of the producer", async () => {
    const { queue } = setUp(2)
    const sumOldest: OverflowPolicy<number> = (items) => {
      const [first = 0, second = 0] = items.splice(0, 2)
      items.unshift(first + second)
    }
    for (const value of [1, 2, 3, 4]) queue.push(value, sumOldest)
    expect([await queue.next(), await queue.next()]).toEqual([item(6), item(4)])
  })

  it("ends after the items that wait, once, and drops later ones", async () => {
    const { queue } = setUp()
    queue.push(1)
    queue.end()
    queue.end(new Error("late"))
    queue.push(2)
    expect([queue.isEnded, await queue.next(), await queue.next()]).toEqual([true, item(1), over])
  })

  it("throws the error of its end once, to the first reader", async () => {
    const { queue } = setUp()
    const waiting = [queue.next(), queue.next()]
    queue.end(new Error("broken"))
    await expect(waiting[0]).rejects.toThrow("broken")
    expect([await waiting[1], await queue.next()]).toEqual([over, over])
  })

  it("keeps the error of its end until it is read", async () => {
    const { queue } = setUp()
    queue.push(1)
    queue.end(new Error("broken"))
    expect([queue.error?.message, await queue.next()]).toEqual(["broken", item(1)])
    await expect(queue.next()).rejects.toThrow("broken")
    expect([queue.error, await queue.next()]).toEqual([undefined, over])
  })

  it("abandons its items, and replaces an earlier end", async () => {
    const { queue } = setUp()
    queue.push(1)
    queue.end()
    queue.abandon(new Error("aborted"))
    expect(queue.size).toBe(0)
    await expect(queue.next()).rejects.toThrow("aborted")
    queue.abandon()
    expect(await queue.next()).toEqual(over)
  })

  it("drops its items and its error on return, ends the readers that wait, and reports each return", async () => {
    const first = setUp()
    first.queue.push(1)
    first.queue.end(new Error("broken"))
    expect(await first.queue.return()).toEqual(over)
    expect(await first.queue.next()).toEqual(over)
    const second = setUp()
    const waiting = second.queue.next()
    expect([await second.queue.return(), await second.queue.return(), await waiting]).toEqual([
      over,
      over,
      over,
    ])
    expect([first.returns.count, second.returns.count]).toEqual([1, 2])
  })

  it("reads an item when a reader takes it, not before, and passes on what reading throws", async () => {
    const read: number[] = []
    const queue = new AsyncQueue<number, string>({
      maxCount: 3,
      async read(value) {
        read.push(value)
        if (value < 0) throw new RangeError("negative")
        return { value: `${value}`, done: false }
      },
      onReturn() {},
    })
    queue.push(1)
    queue.push(-1)
    expect(read).toEqual([])
    expect(await queue.next()).toEqual({ value: "1", done: false })
    await expect(queue.next()).rejects.toThrow(RangeError)
    expect(read).toEqual([1, -1])
  })

  it("yields undefined like any other item", async () => {
    const queue = new AsyncQueue<undefined>({ maxCount: 1, read: asItIs, onReturn() {} })
    queue.push(undefined)
    queue.end()
    expect([await queue.next(), await queue.next()]).toEqual([{ value: undefined, done: false }, over])
  })

  it("is left when a loop breaks", async () => {
    const { queue, returns } = setUp()
    queue.push(1)
    queue.push(2)
    for await (const value of queue) if (value === 1) break
    expect([returns.count, queue.isEnded, queue.size]).toEqual([1, true, 0])
  })

  it("gives every reader the next item, as two lists would", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (steps) => {
        const queue = new AsyncQueue<number>({ maxCount: 1_000, read: asItIs, onReturn() {} })
        const results: Promise<IteratorResult<number, undefined>>[] = []
        let pushed = 0
        for (const isPush of steps) {
          if (isPush) queue.push((pushed += 1))
          else results.push(queue.next())
        }
        queue.end()
        const expected = results.map((_, index) => (index < pushed ? item(index + 1) : over))
        expect(await Promise.all(results)).toEqual(expected)
        expect(queue.size).toBe(Math.max(0, pushed - results.length))
      }),
    )
  })
})
