import { describe, expect, it } from "vitest"
import { EventBus } from "./event-bus.ts"
import { EventDelivery } from "./event-delivery.ts"
import type { Delivered } from "./event-delivery.ts"

/** Named works that the test ends. */
function createScene() {
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const bus = new EventBus<Record<string, Delivered>>({ onError })
  const delivery = new EventDelivery({
    optionalEvents: new Set(),
    events: new Map(),
    bus,
    onTopicEvent: () => {},
    onError,
  })
  const done: string[] = []
  const ends = new Map<string, () => void>()
  const runSlowly = (name: string): void =>
    delivery.run(async () => {
      await new Promise<void>((resolve) => ends.set(name, resolve))
      done.push(name)
    })
  const run = (name: string): void => delivery.run(() => void done.push(name))
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { errors, done, runSlowly, run, end }
}

describe("EventDelivery", () => {
  it("runs at once while nothing is being validated", () => {
    const { done, run } = createScene()
    run("a")
    expect(done).toEqual(["a"])
  })

  it("door-8 keeps the order behind each work that takes time, also behind the second one", async () => {
    const { errors, done, runSlowly, run, end } = createScene()
    runSlowly("a")
    runSlowly("b")
    await end("a")
    expect(done).toEqual(["a"])
    run("c")
    expect(done).toEqual(["a"])
    await end("b")
    expect(done).toEqual(["a", "b", "c"])
    run("d")
    expect([done.at(-1), errors]).toEqual(["d", []])
  })
})
