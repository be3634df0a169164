// Creates the call layer of one server: handlers, router, and the state that all sessions share.
import { RateLimiter } from "@hawser/protocol/core"
import type { CallEntry } from "@hawser/protocol/core"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import type { Base } from "../base/create-base.ts"
import type { Session } from "../base/session.ts"
import { CallRouter } from "./call-router.ts"
import { HandlerTable } from "./handler-table.ts"
import { Idempotency } from "./idempotency.ts"
import { StartSchedule } from "./start-schedule.ts"

/** The call layer of one server. */
export interface Calls<User extends AuthenticatedUser> {
  readonly handlers: HandlerTable<Session<User>>
  readonly router: CallRouter<User>
  /** Rate-limit buckets of all users. */
  readonly limiter: RateLimiter
  readonly idempotency: Idempotency
  readonly starts: StartSchedule
}

/** @param entries all calls that clients may make, by name. */
export function createCalls<User extends AuthenticatedUser>(
  contractName: string,
  entries: ReadonlyMap<string, CallEntry>,
  { clock, limits, codec, onError }: Base,
): Calls<User> {
  const handlers = new HandlerTable<Session<User>>(contractName, entries)
  const idempotency = new Idempotency(clock, limits)
  return {
    handlers,
    router: new CallRouter<User>({
      calls: entries,
      handlers: handlers.byName,
      clock,
      idempotency,
      codec,
      onError,
    }),
    limiter: new RateLimiter(),
    idempotency,
    starts: new StartSchedule(),
  }
}
