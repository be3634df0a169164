import { SimulatedClock } from "@hawser/protocol/testing"
import { expect, it } from "vitest"
import { MemoryTopicLog } from "../topics/memory-topic-log.ts"
import type { LogPublication } from "../topics/topic-log.ts"
import { restoreTopics } from "./restore-topics.ts"

const limits = { maxCount: 10, maxAgeMs: 60_000, maxBytes: 10_000 }

it("keeps publications in the order of their offsets when a later one has an earlier time", () => {
  const clock = new SimulatedClock()
  const log = new MemoryTopicLog<LogPublication>({
    historyOf: () => limits,
    timers: { after: () => () => {} },
    clock,
    epoch: "e",
    limits: { topicHistoryMaxBytes: 100_000, idleTopicsMax: 10 },
  })
  const published = (offset: number, atMs: number) => ({
    offset,
    atMs,
    bytes: new Uint8Array([offset]),
    except: null,
  })
  const topic = (publications: readonly ReturnType<typeof published>[]) => ({
    epoch: "a-1",
    offset: 4,
    endsAtMs: undefined,
    publications: [...publications],
  })
  const topics = new Map([
    ["room:a", topic([published(1, 5_000), published(2, 5_002), published(3, 5_001), published(4, 5_003)])],
    ["room:b", topic([published(4, 4_999)])],
  ])
  restoreTopics({ topics, isWhole: true }, { log }, { clock, wallClockMs: () => 6_000 })
  const read = log.read("room:a", { since: undefined, recent: 10, maxBytes: 1_000 })
  expect(read?.entries.map(({ offset }) => offset)).toEqual([1, 2, 3, 4])
})
