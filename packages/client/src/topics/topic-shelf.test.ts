import { integer } from "@hawser/protocol"
import { Encoded } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { Replicas } from "../replicas/replicas.ts"
import { TopicShelf } from "./topic-shelf.ts"
import { Topic } from "./topic.ts"

function never(): Promise<never> {
  return new Promise(() => {})
}

const copies = new Replicas({
  replicas: {},
  copyOf: () => undefined,
  clock: new SimulatedClock(),
  wallClockMs: () => 0,
  onError: () => {},
})

function fill(shelf: TopicShelf, from: number, count: number): void {
  for (let number = from; number < from + count; number += 1) shelf.use(topicOf(shelf, `chat:${number}`))
}

function topicOf(shelf: TopicShelf, name: string): Topic {
  return new Topic({
    name,
    schema: undefined,
    events: ["chatMessage"],
    replicas: { cursors: { fields: { x: integer() } } },
    copies: () => copies,
    calls: {
      join: never,
      leave: () => Promise.resolve(),
      publish: never,
      setState: never,
      requestTimeoutMs: 10_000,
      hold: (value) => new Encoded(value),
      after: () => () => {},
    },
    status: () => ({ state: "open" }),
    inOrder: (work) => work(),
    onUse: (topic) => shelf.use(topic),
    onError: (error) => {
      throw error
    },
  })
}

describe("TopicShelf", () => {
  setFlagsFromString("--expose-gc")
  const collectGarbage = async (): Promise<void> => {
    // A WeakRef holds its target until the turn in which it was read is over.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    runInNewContext("gc()")
  }

  it("evicts topics that are not joined, have no listeners and are not referenced", async () => {
    const shelf = new TopicShelf()
    for (let round = 0; round < 50; round += 1) {
      fill(shelf, round * 100, 100)
      await collectGarbage()
    }
    expect(shelf.size).toBeLessThan(400)
    expect(shelf.all().length).toBeLessThan(400)
  })

  it.each<[string, (topic: Topic) => unknown]>([
    ["that is joined", (topic) => void topic.join().catch(() => {})],
    ["with a listener", (topic) => topic.on("chatMessage", () => {})],
    ["with a gap listener", (topic) => topic.onGap(() => {})],
    ["with an end listener", (topic) => topic.onLeft(() => {})],
    ["with a presence listener", (topic) => topic.presence.subscribe(() => {})],
    ["with a listener of a replica", (topic) => topic.replica("cursors").subscribe(() => {})],
    [
      "with a listener of a record",
      (topic) =>
        topic
          .replica("cursors")
          .record("a")
          .subscribe(() => {}),
    ],
    ["with an iteration", (topic) => topic[Symbol.asyncIterator]()],
  ])("keeps an unreferenced topic %s", async (_what, begin) => {
    const shelf = new TopicShelf()
    const used: unknown[] = []
    ;(() => {
      const topic = topicOf(shelf, "chat:used")
      shelf.use(topic)
      fill(shelf, 0, 200)
      // The sweep has made it idle; its use puts it back on the shelf.
      used.push(begin(topic))
    })()
    for (let round = 1; round < 10; round += 1) {
      fill(shelf, round * 200, 200)
      await collectGarbage()
    }
    expect(shelf.get("chat:used")?.name).toBe("chat:used")
    expect(shelf.get("chat:7")).toBeUndefined()
  })

  it("returns the same object while the application references it", async () => {
    const shelf = new TopicShelf()
    const topic = topicOf(shelf, "chat:held")
    shelf.use(topic)
    fill(shelf, 0, 200)
    await collectGarbage()
    expect(shelf.get("chat:held")).toBe(topic)
    expect(shelf.all()).toContain(topic)
    expect(topic.isUsed).toBe(false)
  })

  it("releases a topic when its listeners have unsubscribed", async () => {
    const shelf = new TopicShelf()
    const stop = (() => {
      const topic = topicOf(shelf, "chat:left")
      shelf.use(topic)
      return [topic.on("chatMessage", () => {}), topic.onGap(() => {}), topic.presence.subscribe(() => {})]
    })()
    for (const unsubscribe of stop.splice(0)) unsubscribe()
    fill(shelf, 0, 200)
    await collectGarbage()
    fill(shelf, 200, 200)
    expect(shelf.get("chat:left")).toBeUndefined()
  })
})
