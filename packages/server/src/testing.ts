// Calls a handler of a server in a unit test, without a network: validation, middleware, handler, check of the result.
// No rate limit, no idempotency key and no deadline applies. Must not open connections.
import { HawserError } from "@hawser/protocol"
import type { CallInput, CommandName, Contract, QueryName, ValidOutput } from "@hawser/protocol"
import { RateLimiter, assertGiven, assertOptions, errorWithCode, unknownName } from "@hawser/protocol/core"
import type { CallEntry, OptionTable } from "@hawser/protocol/core"
import { checkedUser } from "./base/authenticate.ts"
import type { AuthenticatedUser } from "./base/authenticate.ts"
import { callReporting } from "./base/hooks.ts"
import type { SendOutcome, Session } from "./base/session.ts"
import { CallBuckets } from "./calls/call-buckets.ts"
import { CallRouter } from "./calls/call-router.ts"
import type { Caller } from "./calls/call-router.ts"
import type { Job, Outcome } from "./calls/job.ts"
import { LazyAbort } from "./calls/lazy-abort.ts"
import { testPartsOf } from "./calls/test-parts.ts"
import type { TestParts } from "./calls/test-parts.ts"
import type { Server } from "./server-api.ts"

/** Spec of a command or query of a contract. */
type SpecOf<C extends Contract, K extends string> =
  K extends CommandName<C> ? C["commands"][K] : K extends QueryName<C> ? C["queries"][K] : never

/** A command or query, with its schemas. */
type RepliedEntry = Exclude<CallEntry, { readonly call: "stream" }>

/** Event that a handler sent to the session of its caller. */
export interface SentEvent {
  /** Name of the event. */
  readonly event: string
  /** Payload, as the handler passed it. */
  readonly payload: unknown
}

/** Options of `callHandler`. `input` may be left out if the call has none, or if its type includes undefined. */
export type HandlerCall<Input, User extends AuthenticatedUser> = HandlerCaller<User> &
  (undefined extends Input ? Partial<HandlerInput<Input>> : HandlerInput<Input>)

/** Input of a call of `callHandler`. */
export interface HandlerInput<Input> {
  /** Input of the call, before validation. */
  readonly input: Input
}

/** Caller of `callHandler`. */
export interface HandlerCaller<User extends AuthenticatedUser> {
  /** User of the caller's session. */
  readonly user: User
  /** List to which the events are added that the handler sends by `session.send`. Default: they are discarded. */
  readonly sent?: SentEvent[]
}

const callOptions: OptionTable<HandlerCall<unknown, AuthenticatedUser>> = {
  user: "any",
  input: "any",
  sent: "any",
}

/**
 * Runs a command or query as the request of a client would: validation, middleware, handler, check of the result, encoding.
 * Resolves with the value that the client would receive. Its session is detached and belongs to no topic or list of the server.
 * Rejects with the HawserError that the client would receive; for a fault of the server, `cause` is the fault.
 * @throws TypeError, as a rejection, for a name that is no command or query or has no handler, for a user without an
 * `id`, and for an unknown option.
 */
export function callHandler<
  C extends Contract,
  User extends AuthenticatedUser,
  K extends CommandName<C> | QueryName<C>,
>(
  server: Server<C, User>,
  name: K,
  call: HandlerCall<CallInput<SpecOf<C, K>>, User>,
): Promise<ValidOutput<SpecOf<C, K>>>
export async function callHandler(
  server: object,
  name: string,
  call: HandlerCall<unknown, AuthenticatedUser>,
): Promise<unknown> {
  assertGiven("callHandler", call, "callHandler(server, name, { user, input })")
  assertOptions("callHandler", call, callOptions)
  const { user, input, sent = [] } = call
  const parts = testPartsOf(server)
  const { base, calls, entries, dialect } = parts
  const entry = entries.get(name)
  if (entry === undefined || entry.call === "stream") {
    const { commands, queries } = base.contract
    const names = Object.keys({ ...commands, ...queries })
    throw unknownName(`the contract "${base.contract.name}" has no command or query`, name, names)
  }
  if (!calls.handlers.byName.has(name)) throw new TypeError(`no handler for "${name}"`)
  const session = new TestSession(checkedUser(user), base, sent)
  const caller = {
    session,
    dialect,
    buckets: new CallBuckets(new RateLimiter(), user.id),
    isRerun: () => false,
  }
  const { outcome, fault } = await run(parts, caller, newJob(entry, name, input))
  if (!outcome.ok) {
    const { code, ...rest } = outcome.error
    throw errorWithCode(code, { ...rest, ...(fault === undefined ? {} : { cause: fault }) })
  }
  return overTheWire(base, "payload" in outcome ? outcome.payload : undefined)
}

/** Runs one request. `fault`: the error that a server would report to `onError`. */
async function run(
  { base, calls, entries }: TestParts,
  caller: Caller<AuthenticatedUser>,
  job: Job,
): Promise<{ readonly outcome: Outcome; readonly fault: unknown }> {
  const faults: unknown[] = []
  const router = new CallRouter<AuthenticatedUser>({
    ...base,
    calls: entries,
    handlers: calls.handlers.byName,
    idempotency: calls.idempotency,
    onError: (fault) => faults.push(fault),
  })
  const outcome = await router.execute(caller, job)
  for (const follow of job.afterReply ?? []) callReporting(follow, base.onError)
  const [fault] = faults
  return { outcome, fault: fault instanceof Error && fault.cause !== undefined ? fault.cause : fault }
}

/** Encodes and decodes a result. @throws HawserError for one that cannot be sent. */
function overTheWire(base: TestParts["base"], payload: unknown): unknown {
  const frame = { kind: "reply", reference: 1, outcome: { ok: true, payload } } as const
  let bytes: Uint8Array
  try {
    bytes = base.codec.encode(frame)
  } catch (cause) {
    throw new HawserError("sys_internal_error", { cause })
  }
  const decoded = base.sentCodec.decode(bytes, 0)
  return decoded.kind === "reply" && decoded.outcome.ok ? decoded.outcome.payload : undefined
}

function newJob({ call }: RepliedEntry, name: string, payload: unknown): Job {
  const sent = { kind: "request", type: name, payload, budgetMs: 0, reference: 1 } as const
  return {
    frame: { ...sent, call },
    count: 1,
    abort: new LazyAbort(),
    credit: 0,
    afterReply: undefined,
    arrivedAtMs: 0,
    name,
    failure: undefined,
  }
}

/** Session of one call of `callHandler`. It records its events. */
class TestSession implements Session<AuthenticatedUser> {
  readonly id = "test"
  readonly address = "127.0.0.1"
  readonly attached = false
  readonly user: AuthenticatedUser
  active = true
  readonly #events: TestParts["base"]["events"]
  readonly #atomic: TestParts["base"]["atomic"]
  readonly #sent: SentEvent[]

  constructor(
    user: AuthenticatedUser,
    { events, atomic }: Pick<TestParts["base"], "events" | "atomic">,
    sent: SentEvent[],
  ) {
    this.user = user
    this.#events = events
    this.#atomic = atomic
    this.#sent = sent
  }

  send(event: string, payload: unknown): SendOutcome {
    if (!this.#events.has(event)) throw unknownName("the contract has no event", event, this.#events.keys())
    if (!this.active) return "ended"
    const outcome = this.#atomic.isOpen ? "held" : "buffered"
    this.#atomic.defer(() => {
      // The end of the session may have waited, too.
      if (this.active) this.#sent.push({ event, payload })
    })
    return outcome
  }

  end(): void {
    this.#atomic.defer(() => {
      this.active = false
    })
  }
}
