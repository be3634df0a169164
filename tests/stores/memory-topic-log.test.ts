// The topic log in memory passes the suite of topic logs.
import { TimerQueue } from "@hawser/protocol/core"
import { SimulatedClock } from "@hawser/protocol/testing"
import { MemoryTopicLog } from "../../packages/server/src/topics/memory-topic-log.ts"
import { topicLogSuite } from "./topic-log-suite.ts"
import type { TextPublication } from "./topic-log-suite.ts"

topicLogSuite("MemoryTopicLog", async (limits) => {
  const clock = new SimulatedClock()
  const log = new MemoryTopicLog<TextPublication>({
    historyOf: (topic) => (topic.startsWith("kept") ? limits : undefined),
    timers: new TimerQueue(clock, (error) => {
      throw error
    }),
    clock,
    epoch: "memory",
    limits: { topicHistoryMaxBytes: 1_000_000, idleTopicsMax: 100 },
  })
  return {
    log,
    advance: (ms) => clock.advance(ms),
    close: async () => log.stop(),
  }
})
