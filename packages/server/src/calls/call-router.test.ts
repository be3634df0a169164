import { defaultServerLimits, defineContract } from "@hawser/protocol"
import {
  RateLimiter,
  TypeTable,
  clientMessageLimits,
  createFrameCodec,
  indexCalls,
} from "@hawser/protocol/core"
import type { Contract, Schema } from "@hawser/protocol"
import { SimulatedClock } from "@hawser/protocol/testing"
import { describe, expect, it } from "vitest"
import type { AuthenticatedUser } from "../base/authenticate.ts"
import { ServerCounters } from "../base/counters.ts"
import { createCompactDialect } from "../session/conversation/compact-dialect.ts"
import type { Dialect } from "../session/conversation/dialect.ts"
import { profile20 } from "../profile20/index.ts"
import type { Profile20 } from "../profile20/index.ts"
import type { Session } from "../base/session.ts"
import { CallBuckets } from "./call-buckets.ts"
import { CallRouter } from "./call-router.ts"
import type { AnyHandler } from "./call-router.ts"
import { Idempotency } from "./idempotency.ts"
import { LazyAbort } from "./lazy-abort.ts"

const codec = createFrameCodec(new TypeTable(), clientMessageLimits)
const compact = createCompactDialect<AuthenticatedUser>(codec, defaultServerLimits)

/** The dialect of `2.0` with these options. */
function dialect20(options?: Profile20<Contract, AuthenticatedUser>): Dialect<AuthenticatedUser> {
  const contract = defineContract({ name: "old" })
  return profile20(options)({
    contract,
    limits: defaultServerLimits,
    wallClockMs: () => 0,
    counters: new ServerCounters(),
  })
}

const hostile = `a\u2028\u001b[31m\r\n${"x".repeat(60_000)}`
const shown = `"a\\u2028\\u001b[31m\\u000d\\u000a${"x".repeat(35)}"…`
const buckets = new CallBuckets(new RateLimiter(), "u")
const isRerun = (): boolean => false
const session: Session<AuthenticatedUser> = {
  id: "s",
  user: { id: "u\n2" },
  address: "127.0.0.1",
  active: true,
  attached: true,
  send: () => "sent",
  end: () => {},
}

/** Returns the outcome of a `2.0` request with the hostile name, and the logged errors. */
async function ask(options: Profile20<Contract, AuthenticatedUser> = {}) {
  const clock = new SimulatedClock()
  const logged: unknown[] = []
  const router = new CallRouter({
    calls: new Map(),
    handlers: new Map(),
    clock,
    idempotency: new Idempotency(clock, { ...defaultServerLimits, idempotencyMs: 1 }),
    codec,
    onError: (error) => logged.push(error),
  })
  const frame = {
    kind: "request",
    call: "command",
    type: hostile,
    payload: {},
    budgetMs: 0,
    reference: "1",
  } as const
  const counted = { arrivedAtMs: 0, name: hostile, failure: undefined }
  const job = { frame, count: 0, abort: new LazyAbort(), credit: 0, afterReply: undefined, ...counted }
  return {
    outcome: await router.execute({ session, dialect: dialect20(options), buckets, isRerun }, job),
    logged,
  }
}

it("shows the name of an unknown request short and on one line", async () => {
  expect(await ask()).toEqual({
    outcome: {
      ok: false,
      error: { code: "sys_invalid_message", message: `unknown request ${shown}`, category: "validation" },
    },
    logged: [],
  })
})

it("abuse-A35 logs the name of a request short and on one line", async () => {
  const failing = (): never => {
    throw new Error("broken")
  }
  const { logged } = await ask({ requests: { [hostile]: failing } })
  expect(logged).toEqual([new Error(`handler of ${shown} for user "u\\u000a2" failed`)])
})

it("awaits a result that is a promise of another library, such as a query that runs when it is awaited", async () => {
  let ran = 0
  const query = {
    // oxlint-disable-next-line unicorn/no-thenable -- as query builders are
    then(resolve: (value: unknown) => void) {
      ran += 1
      resolve("done")
    },
  }
  const clock = new SimulatedClock()
  const router = new CallRouter({
    calls: indexCalls(defineContract({ name: "c", commands: { save: {} } })),
    handlers: new Map([["save", () => query]]),
    clock,
    idempotency: new Idempotency(clock, defaultServerLimits),
    codec,
    onError: (error) => expect.fail(String(error)),
  })
  const frame = { kind: "request", call: undefined, type: "save", payload: undefined, budgetMs: 0 } as const
  const counted = { arrivedAtMs: 0, name: "save", failure: undefined, credit: 0, afterReply: undefined }
  const job = { frame: { ...frame, reference: 1 }, count: 1, abort: new LazyAbort(), ...counted }
  const outcome = await router.execute({ session, dialect: compact, buckets, isRerun }, job)
  expect([outcome, ran]).toEqual([{ ok: true, payload: undefined }, 1])
})

describe("streams", () => {
  const anything: Schema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
  const contract = defineContract({ name: "c", streams: { watch: { input: anything, item: anything } } })

  function setUp(handler: AnyHandler<Session<AuthenticatedUser>>) {
    const clock = new SimulatedClock()
    const logged: unknown[] = []
    const idempotency = new Idempotency(clock, defaultServerLimits)
    const router = new CallRouter({
      calls: indexCalls(contract),
      handlers: new Map([["watch", handler]]),
      clock,
      idempotency,
      codec,
      onError: (error) => logged.push(error),
    })
    const frame = { kind: "request", call: undefined, type: "watch", payload: 1, budgetMs: 0 } as const
    const counted = { arrivedAtMs: 0, name: "watch", failure: undefined }
    const abort = new LazyAbort()
    const job = { frame: { ...frame, reference: 1, key: "k" }, count: 1, abort, credit: 0, ...counted }
    const execute = (dialect: Dialect<AuthenticatedUser> = compact) =>
      router.execute({ session, dialect, buckets, isRerun }, { ...job, afterReply: [] })
    return { router, execute, idempotency, logged }
  }

  it("start anew each time, also with the same key", async () => {
    const { router, execute, idempotency } = setUp(({ input }) => [input])
    const [one, two] = [await execute(), await execute()]
    expect([one, two]).toMatchObject([
      { ok: true, items: [1] },
      { ok: true, items: [1] },
    ])
    expect([idempotency.size, router.isStream("watch"), router.isStream("toString")]).toEqual([
      0,
      true,
      false,
    ])
  })

  it("may be prepared for a while before they start", async () => {
    const { execute } = setUp(() => Promise.resolve(new Set(["late"])))
    expect(await execute()).toMatchObject({ ok: true, items: new Set(["late"]) })
  })

  it("are not available in protocol 2.0", async () => {
    const { execute } = setUp(() => [])
    expect(await execute(dialect20())).toMatchObject({ ok: false, error: { code: "not_available" } })
  })

  it.each([["text"], [5], [null], [undefined], [{}]])("fail when their handler returns %j", async (value) => {
    const { execute, logged } = setUp(() => value)
    expect(await execute()).toMatchObject({ ok: false, error: { code: "sys_internal_error" } })
    expect(logged).toEqual([
      new Error('handler of "watch" for user "u\\u000a2" failed', {
        cause: new TypeError('the handler of "watch" returned no iterable'),
      }),
    ])
  })
})
