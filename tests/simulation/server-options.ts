// Parts of a run that a simulated server uses.
import type { SimulatedClock } from "@hawser/protocol/testing"
import type { Session } from "@hawser/server"
import type { JournalOption } from "../../packages/server/src/journal/server-journal.ts"
import type { BoardBook } from "./boards.ts"
import type { SimulationContract, SimulationUser } from "./contract.ts"
import type { Draw, Plan } from "./plan.ts"
import type { RequestBook } from "./request-book.ts"
import type { SessionBook, SessionRecord } from "./session-book.ts"
import type { Seen } from "./sometimes.ts"
import type { Trace } from "./trace.ts"

export type SimulationSession = Session<SimulationUser, SimulationContract>

export interface ServerEndOptions {
  readonly clock: SimulatedClock
  readonly draw: Draw
  /** Draws of the changes of boards beside the planned ones. */
  readonly extra: Draw
  readonly plan: Plan
  readonly seen: Seen
  readonly trace: Trace
  readonly sessions: SessionBook
  readonly requests: RequestBook
  readonly boards: BoardBook
  /** Milliseconds since 1970 by the clock of the server's machine and of the token service. */
  readonly wallClockMs: () => number
  readonly nextId: () => number
  /** Number of the state that the server serves: that of the processes before it, if it continues their journal. */
  readonly number: number
  /** Number of its process. */
  readonly life: number
  readonly journal: JournalOption | undefined
  readonly onDetached: (record: SessionRecord) => void
  /** Reports a violation inside a hook, where the product would catch a throw. */
  readonly onViolation: (violation: unknown) => void
}
