import { HawserError, defaultClientLimits } from "@hawser/protocol"
import { streamWindowMax } from "@hawser/protocol/core"
import type { Schema } from "@hawser/protocol"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ItemReader } from "./item-reader.ts"

/** Numbers pass, doubled; anything else does not. `late` makes the validator asynchronous. */
function numbers(late = false): Schema {
  const check = (value: unknown) =>
    typeof value === "number" ? { value: value * 2 } : { issues: [{ message: "no number" }] }
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => (late ? Promise.resolve(check(value)) : check(value)),
    },
  }
}

interface SetUpOptions {
  readonly window?: number
  readonly signal?: AbortSignal
  readonly late?: boolean
}

/** A reader whose stream has begun, and its calls of `grant` and `giveUp`. */
function setUp({ window = 4, signal, late }: SetUpOptions = {}) {
  const granted: number[] = []
  const givenUp: string[] = []
  const reader = new ItemReader({
    name: "count",
    schema: numbers(late),
    window,
    signal,
    grant: (items) => granted.push(items),
    giveUp: (reason) => {
      givenUp.push(reason.code)
      reader.end(reason)
    },
  })
  reader.begin()
  return { reader, granted, givenUp }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (HawserError.is(error)) return error.code
    throw error
  }
  return "none"
}

const over = { value: undefined, done: true }

describe("reading", () => {
  it.each([false, true])("yields validated items in order, waiting or not (late: %s)", async (late) => {
    const { reader } = setUp({ late })
    reader.push(1)
    reader.push(2)
    expect(await reader.next()).toEqual({ value: 2, done: false })
    expect(await reader.next()).toEqual({ value: 4, done: false })
    const waiting = [reader.next(), reader.next()]
    reader.push(3)
    reader.push(4)
    expect(await Promise.all(waiting)).toEqual([
      { value: 6, done: false },
      { value: 8, done: false },
    ])
  })

  it("yields what arrived before the end, then stays over", async () => {
    const { reader, givenUp } = setUp()
    reader.push(1)
    reader.end(undefined)
    expect(await reader.next()).toEqual({ value: 2, done: false })
    expect([await reader.next(), await reader.next()]).toEqual([over, over])
    expect(givenUp).toEqual([])
  })

  it("throws an error once, after what arrived before it", async () => {
    const { reader } = setUp()
    reader.push(1)
    reader.end(new HawserError("forbidden"))
    reader.end(new HawserError("timeout"))
    reader.push(2)
    expect(await reader.next()).toEqual({ value: 2, done: false })
    expect(await codeOf(reader.next())).toBe("forbidden")
    expect(await reader.next()).toEqual(over)
  })

  it("throws at the first of those that wait, and tells the others that it is over", async () => {
    const { reader } = setUp()
    const waiting = [reader.next(), reader.next(), reader.next()]
    reader.end(new HawserError("connection_lost"))
    const [first, ...others] = await Promise.allSettled(waiting)
    expect(first).toMatchObject({ status: "rejected", reason: { code: "connection_lost" } })
    expect(others).toEqual([
      { status: "fulfilled", value: over },
      { status: "fulfilled", value: over },
    ])
  })

  it.each([false, true])("throws for an item that does not fit, and leaves (late: %s)", async (late) => {
    const { reader, givenUp } = setUp({ late })
    reader.push("one")
    reader.push(2)
    expect(await codeOf(reader.next())).toBe("invalid_reply")
    expect([await reader.next(), givenUp]).toEqual([over, ["invalid_reply"]])
  })
})

describe("credit", () => {
  it("grants the window at once, and the read ones again when half of it was read", async () => {
    const { reader, granted } = setUp({ window: 5 })
    for (const item of [1, 2, 3, 4, 5]) reader.push(item)
    for (let index = 0; index < 2; index += 1) await reader.next()
    expect(granted).toEqual([5])
    await reader.next()
    expect(granted).toEqual([5, 3])
    await reader.next()
    expect(granted).toEqual([5, 3])
  })

  it("grants one by one with a window of one", async () => {
    const { reader, granted } = setUp({ window: 1 })
    reader.push(1)
    await reader.next()
    reader.push(2)
    await reader.next()
    expect(granted).toEqual([1, 1, 1])
  })

  it("grants nothing more once the stream has ended", async () => {
    const { reader, granted } = setUp({ window: 2 })
    reader.push(1)
    reader.push(2)
    reader.end(undefined)
    await reader.next()
    await reader.next()
    expect(granted).toEqual([2])
  })

  it("gives up a server that sends more than it may, and keeps what it might", async () => {
    const { reader, givenUp } = setUp({ window: 2 })
    for (const item of [1, 2, 3]) reader.push(item)
    expect(givenUp).toEqual(["invalid_reply"])
    expect([(await reader.next()).value, (await reader.next()).value]).toEqual([2, 4])
    expect(await codeOf(reader.next())).toBe("invalid_reply")
  })

  it("begins anew with the whole window in another session", () => {
    const { reader, granted } = setUp({ window: 3 })
    reader.begin()
    for (const item of [1, 2, 3]) reader.push(item)
    expect(granted).toEqual([3, 3])
  })
})

describe("leaving", () => {
  it("lets go of what was not read, and tells the server", async () => {
    const { reader, givenUp } = setUp()
    reader.push(1)
    expect(await reader.return()).toEqual(over)
    reader.push(2)
    expect([await reader.next(), givenUp]).toEqual([over, ["cancelled"]])
  })

  it("ends those that wait", async () => {
    const { reader } = setUp()
    const waiting = reader.next()
    await reader.return()
    expect(await waiting).toEqual(over)
  })

  it("is what the end of a loop does", async () => {
    const { reader, givenUp } = setUp()
    reader.push(1)
    reader.push(2)
    for await (const item of reader) {
      expect(item).toBe(2)
      break
    }
    expect(givenUp).toEqual(["cancelled"])
  })

  it("throws `cancelled` after an abort, whatever has arrived and however it ended", async () => {
    const controller = new AbortController()
    const { reader } = setUp({ signal: controller.signal })
    reader.push(1)
    reader.push(2)
    await reader.next()
    reader.end(undefined)
    controller.abort("enough")
    expect(await codeOf(reader.next())).toBe("cancelled")
    expect(await reader.next()).toEqual(over)
  })
})

it("never has more items on their way and waiting than the window, and reads each once in order", async () => {
  const window = fc.integer({ min: 1, max: 9 })
  const steps = fc.array(fc.boolean(), { maxLength: 80, size: "max" })
  await fc.assert(
    fc.asyncProperty(window, steps, async (size, pushes) => {
      const { reader, granted, givenUp } = setUp({ window: size })
      const read: unknown[] = []
      let pushed = 0
      const credit = (): number => granted.reduce((sum, items) => sum + items, 0) - pushed
      for (const isPush of pushes) {
        if (!isPush && read.length < pushed) read.push((await reader.next()).value)
        else if (credit() > 0) reader.push(++pushed)
        expect(credit() + pushed - read.length).toBeLessThanOrEqual(size)
        // A reader without unread items always has credit.
        expect(read.length < pushed || credit() > 0).toBe(true)
      }
      expect(read).toEqual(read.map((_, index) => 2 * (index + 1)))
      expect(givenUp).toEqual([])
    }),
  )
})

it("has a default window that may be asked for", () => {
  expect(defaultClientLimits.streamWindow).toBeLessThanOrEqual(streamWindowMax)
})
