// Bounds of the memory log that hold for all topics together, and its state as plain data.
import { TimerQueue, outbound } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MemoryTopicLog } from "./memory-topic-log.ts"
import type { LogPublication } from "./topic-log.ts"
import type { TopicLogRecord } from "./topic-records.ts"

const maxAgeMs = 1_000
/** Memory of an entry beside its frame, in bytes. */
const entryBytes = 128

interface NewLog {
  readonly clock?: SimulatedClock
  readonly historyMaxBytes?: number
  readonly idleTopicsMax?: number
}

/** Topics whose name begins with `kept` have a history. */
function newLog({ clock = new SimulatedClock(), historyMaxBytes = 2_000, idleTopicsMax = 2 }: NewLog = {}) {
  const timers = new TimerQueue(clock, (error) => {
    throw error
  })
  const limits = { maxCount: 4, maxAgeMs, maxBytes: 1_000 }
  const log = new MemoryTopicLog<LogPublication>({
    historyOf: (topic) => (topic.startsWith("kept") ? limits : undefined),
    timers,
    clock,
    epoch: "e",
    limits: { topicHistoryMaxBytes: historyMaxBytes, idleTopicsMax },
  })
  return { log, clock, timers }
}

function publication(bytes: number, except?: string): LogPublication {
  let encodedWith = 0
  return {
    except,
    encode: (offset) => void (encodedWith = offset),
    retained: () => outbound(new Uint8Array(bytes).fill(encodedWith)),
  }
}

function entriesOf(log: MemoryTopicLog<LogPublication>, topic: string) {
  const read = log.read(topic, { since: undefined, recent: 100, maxBytes: 10_000 })
  return (
    read && {
      ...read,
      entries: read.entries.map(({ offset, message: { bytes }, except }) => ({ offset, bytes, except })),
    }
  )
}

const subscriber = (): void => {}
const subscribedNames = ["kept", "kept:b", "brief"] as const

/** Sorts topics with subscribers: their order has no meaning. */
function comparable(log: MemoryTopicLog<LogPublication>) {
  const { topics, ...rest } = log.freeze()
  const active = topics.filter(({ endsInMs }) => endsInMs === null)
  return {
    ...rest,
    active: active.toSorted((one, other) => (one.topic < other.topic ? -1 : 1)),
    idle: topics.filter(({ endsInMs }) => endsInMs !== null),
  }
}

/** Returns a copy of the record, as a journal returns it. */
function stored(record: TopicLogRecord): TopicLogRecord {
  return structuredClone(record)
}

describe("MemoryTopicLog", () => {
  it("evicts the oldest publication of any topic at the bound of all histories", () => {
    const { log } = newLog({ historyMaxBytes: 3 * (entryBytes + 10), idleTopicsMax: 9 })
    for (const topic of ["kept:a", "kept:b", "kept:a", "kept:b"]) log.append(topic, publication(10))
    expect(log.historyBytes).toBe(3 * (entryBytes + 10))
    expect(
      ["kept:a", "kept:b"].map((topic) => entriesOf(log, topic)?.entries.map(({ offset }) => offset)),
    ).toEqual([[2], [1, 2]])
  })

  it("counts the key of a withheld publication's client", () => {
    const { log } = newLog({ historyMaxBytes: 100_000 })
    log.append("kept", publication(2))
    const bytes = log.historyBytes
    log.append("kept", publication(2, "x".repeat(300)))
    expect(log.historyBytes).toBe(2 * bytes + 600)
  })

  it("evicts the topic that lost its last subscriber first at the bound of topics without subscribers", () => {
    const { log } = newLog({ idleTopicsMax: 2 })
    log.subscribe("kept:a", subscriber)
    for (const topic of ["kept:a", "kept:b", "kept:c", "kept:d"]) log.append(topic, publication(10))
    expect(log.freeze().topics.map(({ topic }) => topic)).toEqual(["kept:a", "kept:c", "kept:d"])
    log.unsubscribe("kept:a", subscriber)
    expect(log.freeze().topics.map(({ topic }) => topic)).toEqual(["kept:d", "kept:a"])
  })

  it("throws if the encoding of a publication publishes to the same topic, and numbers one publication", () => {
    const { log } = newLog()
    const inner = publication(1)
    const outer = { ...publication(1), encode: () => void log.append("kept", inner) }
    expect(() => log.append("kept", outer)).toThrow(/its payload published to the same topic/)
    expect(log.head("kept")).toMatchObject({ offset: 1 })
  })

  it("has neither timers nor histories after stop", () => {
    const { log, timers } = newLog()
    log.append("kept", publication(10))
    expect(timers.size).toBe(1)
    log.stop()
    expect([timers.size, log.historyBytes]).toEqual([0, 0])
  })
})

describe("a topic log as plain data", () => {
  it("contains no sessions, functions or undefined values", () => {
    const { log, clock } = newLog()
    log.append("kept", publication(2, "ann"))
    log.subscribe("brief", subscriber)
    log.append("brief", publication(2))
    expect(clock.now()).toBe(0)
    expect(log.freeze()).toEqual({
      epochs: 2,
      topics: [
        { topic: "brief", epoch: "e-2", offset: 1, endsInMs: null },
        { topic: "kept", epoch: "e-1", offset: 1, endsInMs: maxAgeMs },
      ],
      publications: [{ topic: "kept", offset: 1, bytes: Uint8Array.of(1, 1), ageMs: 0, except: "ann" }],
    })
  })

  it("still withholds a publication from its publisher", () => {
    const { log } = newLog()
    log.append("kept", publication(2, "ann"))
    log.append("kept", publication(2))
    const restored = newLog().log
    restored.thaw(stored(log.freeze()))
    expect(restored.freeze().publications.map(({ except }) => except)).toEqual(["ann", null])
    expect(entriesOf(restored, "kept")?.entries.map(({ except }) => except)).toEqual(["ann", undefined])
  })

  it("ages while it is stored", async () => {
    const { log, clock } = newLog({ idleTopicsMax: 9 })
    log.append("kept:old", publication(2))
    log.subscribe("kept", subscriber)
    log.append("kept", publication(2))
    await clock.advance(600)
    log.append("kept", publication(2))
    const restored = newLog({ idleTopicsMax: 9 })
    restored.log.thaw(stored(log.freeze()), 500)
    restored.log.subscribe("kept", subscriber)
    restored.log.endThaw()
    expect(restored.log.freeze().topics.map(({ topic }) => topic)).toEqual(["kept"])
    expect(entriesOf(restored.log, "kept")?.entries).toMatchObject([{ offset: 2 }])
    expect(entriesOf(restored.log, "kept")?.head).toEqual(log.head("kept"))
  })

  it("ends the topics whose subscribers did not return", async () => {
    const { log } = newLog()
    for (const topic of ["kept", "brief"]) {
      log.subscribe(topic, subscriber)
      log.append(topic, publication(2))
    }
    const restored = newLog()
    restored.log.thaw(stored(log.freeze()))
    expect(["kept", "brief"].map((topic) => restored.log.head(topic))).toEqual([
      log.head("kept"),
      log.head("brief"),
    ])
    restored.log.endThaw()
    expect(restored.log.head("brief")).toBeUndefined()
    expect(restored.log.head("kept")).toEqual(log.head("kept"))
    await restored.clock.advance(maxAgeMs)
    expect(restored.log.head("kept")).toMatchObject({ offset: 0 })
  })

  const step = fc.record({
    what: fc.constantFrom("publish", "publish", "subscribe", "unsubscribe", "wait"),
    topic: fc.constantFrom(...subscribedNames, "kept:c", "kept:d"),
    size: fc.nat(400),
    ms: fc.nat(700),
  })

  it("continues exactly as the frozen log would", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.array(step, { maxLength: 30 }),
        async (before, after) => {
          const clock = new SimulatedClock()
          const { log } = newLog({ clock })
          const subscribed = new Set<string>()
          const run = async (
            logs: readonly MemoryTopicLog<LogPublication>[],
            { what, topic, size, ms }: (typeof before)[number],
          ) => {
            if (what === "wait") await clock.advance(ms)
            if (what === "subscribe") subscribed.add(topic)
            if (what === "unsubscribe") subscribed.delete(topic)
            return logs.map((each) => {
              if (what === "subscribe") each.subscribe(topic, subscriber)
              if (what === "unsubscribe") each.unsubscribe(topic, subscriber)
              const position = what === "publish" ? each.append(topic, publication(size)) : undefined
              return {
                position,
                bytes: each.historyBytes,
                read: entriesOf(each, topic),
                all: comparable(each),
              }
            })
          }
          for (const each of before) await run([log], each)
          const { log: restored } = newLog({ clock })
          restored.thaw(stored(log.freeze()))
          for (const topic of subscribed) restored.subscribe(topic, subscriber)
          restored.endThaw()
          expect(comparable(restored)).toEqual(comparable(log))
          for (const each of after) {
            const [expected, actual] = await run([log, restored], each)
            expect(actual).toEqual(expected)
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})
