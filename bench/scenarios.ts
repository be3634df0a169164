// The scenarios, in the order in which they run.
import { journalShares } from "./scenarios/journal-share.ts"
import { recovery } from "./scenarios/recovery.ts"
import { idleMemory } from "./scenarios/idle-memory.ts"
import { stalledReader } from "./scenarios/stalled-reader.ts"
import { storm } from "./scenarios/storm.ts"
import { worldGrowth, worldTick } from "./scenarios/world-tick.ts"
import { requestReply } from "./scenarios/request-reply.ts"
import { burst, loneEvents } from "./scenarios/fan-out.ts"
import type { Scenario } from "./scenarios/scenario.ts"

export const scenarios: readonly Scenario[] = [
  requestReply,
  loneEvents,
  burst,
  storm,
  idleMemory,
  stalledReader,
  recovery,
  ...journalShares,
  worldTick,
  ...worldGrowth,
]
