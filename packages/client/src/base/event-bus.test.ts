import { describe, expect, it } from "vitest"
import { EventBus } from "./event-bus.ts"

interface Events {
  readonly say: string
  readonly count: number
}

type Settle = (resolve: () => void, reject: (error: unknown) => void) => void

/** An object with a `then`, as promises of other libraries are. */
function thenable(settle: Settle): object {
  // oxlint-disable-next-line unicorn/no-thenable -- the subject of the test
  return Object.fromEntries([["then", settle]])
}

function fail(message: string): never {
  throw new Error(message)
}

/** A bus whose errors are collected, and a log for its listeners. */
function setUp() {
  const errors: string[] = []
  const log: string[] = []
  const bus = new EventBus<Events>({ onError: (error, event) => errors.push(`${event}: ${String(error)}`) })
  return { bus, errors, log }
}

describe("emit", () => {
  it("calls the listeners of the event, in order of subscription, the same one twice if added twice", () => {
    const { bus, log } = setUp()
    const twice = (text: string): number => log.push(`twice ${text}`)
    bus.on("say", twice)
    bus.on("say", (text) => log.push(`other ${text}`))
    bus.on("say", twice)
    bus.on("count", (count) => log.push(`count ${count}`))
    bus.emit("say", "hi")
    expect(log).toEqual(["twice hi", "other hi", "twice hi"])
    expect([bus.listenerCount("say"), bus.listenerCount("count")]).toEqual([3, 1])
  })

  it("does nothing without listeners", () => {
    const { bus, errors } = setUp()
    bus.emit("say", "hi")
    expect(errors).toEqual([])
  })

  it("starts async listeners and does not wait for them", async () => {
    const { bus, log } = setUp()
    bus.on("say", async (text) => {
      log.push(`start ${text}`)
      await Promise.resolve()
      log.push(`end ${text}`)
    })
    bus.emit("say", "a")
    bus.emit("say", "b")
    expect(log).toEqual(["start a", "start b"])
    await Promise.resolve()
    expect(log).toEqual(["start a", "start b", "end a", "end b"])
  })

  it("collects what listeners throw and reject with, and calls the others all the same", async () => {
    const { bus, errors, log } = setUp()
    bus.on("say", () => {
      throw new Error("thrown")
    })
    bus.on("say", () => Promise.reject(new Error("rejected")))
    bus.on("say", async () => {
      await Promise.resolve()
      throw new Error("late")
    })
    bus.on("say", (text) => log.push(text))
    bus.emit("say", "hi")
    expect([log, errors]).toEqual([["hi"], ["say: Error: thrown"]])
    await bus.emitAsync("count", 0)
    await new Promise(setImmediate)
    expect(errors.toSorted()).toEqual(["say: Error: late", "say: Error: rejected", "say: Error: thrown"])
  })

  it("does not call a listener that another one removed meanwhile", () => {
    const { bus, log } = setUp()
    bus.on("say", () => second())
    const second = bus.on("say", () => log.push("second"))
    bus.on("say", () => log.push("third"))
    bus.emit("say", "hi")
    expect(log).toEqual(["third"])
  })

  it("lets a listener remove itself without skipping the next", () => {
    const { bus, log } = setUp()
    const first = bus.on("say", () => {
      log.push("first")
      first()
    })
    bus.on("say", () => log.push("second"))
    bus.emit("say", "hi")
    bus.emit("say", "hi")
    expect(log).toEqual(["first", "second", "second"])
  })

  it("calls a listener that was added meanwhile from the next event on", () => {
    const { bus, log } = setUp()
    const only = bus.on("say", (text) => {
      only() // the event has no listener for a moment
      bus.on("say", (later) => log.push(`${text} then ${later}`))
    })
    bus.emit("say", "a")
    expect(log).toEqual([])
    bus.emit("say", "b")
    expect(log).toEqual(["a then b"])
  })

  it("takes an emit inside a listener at once", () => {
    const { bus, log } = setUp()
    bus.on("count", (count) => {
      log.push(`in ${count}`)
      if (count < 2) bus.emit("count", count + 1)
      log.push(`out ${count}`)
    })
    bus.emit("count", 0)
    expect(log).toEqual(["in 0", "in 1", "in 2", "out 2", "out 1", "out 0"])
  })
})

describe("emitAsync", () => {
  it("resolves when every listener is done", async () => {
    const { bus, log } = setUp()
    let finish = (): void => {}
    bus.on("say", () => new Promise<void>((resolve) => (finish = resolve)))
    bus.on("say", () => log.push("sync"))
    const done = bus.emitAsync("say", "hi").then(() => log.push("done"))
    await new Promise(setImmediate)
    expect(log).toEqual(["sync"])
    finish()
    await done
    expect(log).toEqual(["sync", "done"])
  })

  it("resolves when listeners fail", async () => {
    const { bus, errors } = setUp()
    bus.on("say", () => Promise.reject(new Error("rejected")))
    bus.on("say", () => {
      throw new Error("thrown")
    })
    await expect(bus.emitAsync("say", "hi")).resolves.toBeUndefined()
    expect(errors).toEqual(["say: Error: thrown", "say: Error: rejected"])
  })

  it("waits for anything with a `then`, and collects its failure", async () => {
    const { bus, errors, log } = setUp()
    bus.on("say", () =>
      thenable((resolve) => {
        setImmediate(() => {
          log.push("late")
          resolve()
        })
      }),
    )
    bus.on("say", () => thenable((_, reject) => reject(new Error("refused"))))
    bus.on("say", () =>
      thenable(() => {
        throw new Error("broken")
      }),
    )
    bus.on("say", () => new Proxy(new Map(), { get: () => fail("trap"), has: () => true }))
    await bus.emitAsync("say", "hi")
    expect(log).toEqual(["late"])
    expect(errors.toSorted()).toEqual(["say: Error: broken", "say: Error: refused", "say: Error: trap"])
  })
})

describe("once", () => {
  it("calls for one event only, also when the listener emits itself", () => {
    const { bus, log } = setUp()
    bus.once("count", (count) => {
      log.push(`${count}`)
      bus.emit("count", count + 1)
    })
    bus.emit("count", 1)
    bus.emit("count", 5)
    expect(log).toEqual(["1"])
    expect(bus.listenerCount("count")).toBe(0)
  })

  it("collects what the listener rejects with, and can be taken back", async () => {
    const { bus, errors, log } = setUp()
    bus.once("say", () => Promise.reject(new Error("no")))
    bus.once("say", (text) => log.push(text))()
    await bus.emitAsync("say", "hi")
    expect([errors, log]).toEqual([["say: Error: no"], []])
  })
})

describe("unsubscribing", () => {
  it("removes one subscription, and is harmless twice", () => {
    const { bus, log } = setUp()
    const listener = (text: string): number => log.push(text)
    const first = bus.on("say", listener)
    bus.on("say", listener)
    first()
    first()
    bus.emit("say", "hi")
    expect(log).toEqual(["hi"])
    expect(bus.listenerCount("say")).toBe(1)
  })

  it("happens when the signal aborts", () => {
    const { bus, log } = setUp()
    const controller = new AbortController()
    bus.on("say", (text) => log.push(text), { signal: controller.signal })
    bus.once("say", (text) => log.push(text), { signal: controller.signal })
    controller.abort()
    bus.emit("say", "hi")
    expect([log, bus.listenerCount("say")]).toEqual([[], 0])
  })

  it("is done from the start when the signal has aborted", () => {
    const { bus } = setUp()
    bus.on("say", () => {}, { signal: AbortSignal.abort() })()
    bus.once("say", () => {}, { signal: AbortSignal.abort() })
    expect(bus.listenerCount("say")).toBe(0)
  })

  it("lets go of the signal", () => {
    const { bus } = setUp()
    const { signal } = new AbortController()
    const watched = new Set<unknown>()
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
      watched.add(listener)
      add(type, listener)
    }
    signal.removeEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
      watched.delete(listener)
      remove(type, listener)
    }
    const unsubscribe = bus.on("say", () => {}, { signal })
    bus.once("say", () => {}, { signal })
    expect(watched.size).toBe(2)
    unsubscribe()
    bus.emit("say", "hi")
    expect(watched.size).toBe(0)
  })
})
