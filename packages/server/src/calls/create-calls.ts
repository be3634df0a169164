// Creates the call layer of one server: handlers, router, and the state that all sessions share.
import { RateLimiter } from "@hawser/protocol/core"
import type { CallEntry } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Session } from "../base/session.ts"
import { CallRouter } from "./call-router.ts"
import { HandlerTable } from "./handler-table.ts"
import { Idempotency } from "./idempotency.ts"
import { LaneWarnings } from "./lane-warnings.ts"
import type { OutcomeRecord } from "./outcome-record.ts"
import { StartSchedule } from "./start-schedule.ts"

/** The call layer of one server. */
export type Calls<User extends AuthenticatedUser> = Readonly<ReturnType<typeof createCalls<User>>>

/**
 * @param entries all calls that clients may make, by name.
 * @param base lowest layer; `onOutcome` is called with each outcome of a request with an idempotency key.
 */
export function createCalls<User extends AuthenticatedUser>(
  contractName: string,
  entries: ReadonlyMap<string, CallEntry>,
  base: Base & { readonly onOutcome?: ((outcome: OutcomeRecord) => void) | undefined },
) {
  const handlers = new HandlerTable<Session<User>>(contractName, entries, base.atomic)
  const idempotency = new Idempotency(base.clock, base.limits, base.onOutcome)
  return {
    handlers,
    router: new CallRouter<User>({ ...base, calls: entries, handlers: handlers.byName, idempotency }),
    /** Rate-limit buckets of all users. */
    limiter: new RateLimiter(),
    idempotency,
    laneWarnings: new LaneWarnings(base),
    starts: new StartSchedule(),
  }
}
