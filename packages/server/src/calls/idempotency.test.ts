import { defaultServerLimits } from "@hawser/protocol"
import { TypeTable, clientMessageLimits, createFrameCodec } from "@hawser/protocol/core"
import { SimulatedClock, unwatched } from "@hawser/protocol/testing"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Idempotency } from "./idempotency.ts"
import type { Outcome } from "./job.ts"

const done = (payload: unknown): Outcome => ({ ok: true, payload })
const failed = (code: string): Outcome => ({
  ok: false,
  error: { code, message: "m", category: "system" },
})

function setUp(limits = { idempotencyMs: 600, idempotencyMaxCount: 3 }) {
  const clock = new SimulatedClock()
  const idempotency = new Idempotency(clock, { ...defaultServerLimits, ...limits })
  let executed = 0
  /** Executes at once, and numbers its outcomes. */
  const once = (id: string): Outcome | Promise<Outcome> =>
    idempotency.once({ userId: "u", id }, () => {
      executed += 1
      return done(executed)
    })
  return { clock, idempotency, once }
}

/** A request that runs until its test lets it end. */
function running(idempotency: Idempotency, id: string) {
  let end: (outcome: Outcome) => void = () => {}
  let executions = 0
  const outcome = idempotency.once({ userId: "u", id }, () => {
    executions += 1
    return new Promise<Outcome>((resolve) => (end = resolve))
  })
  return { outcome, end: (settled: Outcome) => end(settled), executions: () => executions }
}

describe("Idempotency", () => {
  it("executes once, and returns the first outcome to each repetition", () => {
    const { once, idempotency } = setUp()
    expect([once("a"), once("a"), once("b"), once("a")]).toEqual([done(1), done(1), done(2), done(1)])
    expect(idempotency.size).toBe(2)
  })

  it("lets a repetition wait for the request that still runs", async () => {
    const { idempotency, clock } = setUp()
    const first = running(idempotency, "a")
    const second = running(idempotency, "a")
    first.end(done("x"))
    await clock.settle()
    expect(await second.outcome).toEqual(done("x"))
    expect(await idempotency.once({ userId: "u", id: "a" }, () => done("again"))).toEqual(done("x"))
    expect([first.executions(), second.executions()]).toEqual([1, 0])
  })

  it("forgets an outcome after its time, counted from the outcome and not from the call", async () => {
    const { idempotency, clock } = setUp()
    const first = running(idempotency, "a")
    await clock.advance(5_000)
    first.end(done("x"))
    await clock.settle()
    await clock.advance(599)
    expect(await idempotency.once({ userId: "u", id: "a" }, () => done("again"))).toEqual(done("x"))
    await clock.advance(1)
    expect(idempotency.once({ userId: "u", id: "a" }, () => done("again"))).toEqual(done("again"))
  })

  it("executes again after an outcome's time, also while an older request still runs", async () => {
    const { idempotency, clock, once } = setUp()
    running(idempotency, "slow")
    expect(once("a")).toEqual(done(1))
    await clock.advance(600)
    expect(once("a")).toEqual(done(2))
    expect(once("a")).toEqual(done(2))
    expect(idempotency.size).toBe(1)
  })

  it("waits for a handler that never ends as long as for an outcome, and no longer", async () => {
    const { idempotency, clock } = setUp()
    const hung = running(idempotency, "a")
    await clock.advance(599)
    const patient = running(idempotency, "a")
    await clock.advance(1)
    expect(idempotency.once({ userId: "u", id: "a" }, () => done("again"))).toEqual(done("again"))
    hung.end(done("late"))
    await clock.settle()
    expect([await patient.outcome, patient.executions()]).toEqual([done("late"), 0])
    expect(idempotency.once({ userId: "u", id: "a" }, () => done("third"))).toEqual(done("again"))
  })

  it("expires all other entries in time, though one handler never ends", async () => {
    const { idempotency, clock } = setUp()
    running(idempotency, "hung")
    for (let user = 0; user < 1_000; user += 1)
      unwatched(idempotency.once({ userId: `user ${user}`, id: "a" }, () => done(user)))
    expect(idempotency.size).toBe(1_001)
    await clock.advance(600)
    unwatched(idempotency.once({ userId: "last", id: "a" }, () => done("last")))
    expect(idempotency.size).toBe(1)
  })

  it("remembers as many outcomes as its bound, and evicts none on a read", () => {
    const { idempotency, once } = setUp()
    for (const id of ["a", "b", "c"]) unwatched(once(id))
    expect([once("a"), once("a"), once("b"), once("c")]).toEqual([done(1), done(1), done(2), done(3)])
    expect(once("d")).toEqual(done(4))
    expect(idempotency.size).toBe(3)
    expect([once("b"), once("a")]).toEqual([done(2), done(5)])
  })

  it("counts an outcome of a repeated execution as the latest", async () => {
    const { idempotency, clock, once } = setUp()
    running(idempotency, "slow")
    unwatched(once("a"))
    await clock.advance(300)
    unwatched(once("b"))
    await clock.advance(300)
    expect(once("a")).toEqual(done(3))
    // A running request does not count towards the bound.
    expect([once("c"), once("a"), once("b")]).toEqual([done(4), done(3), done(2)])
    expect(once("d")).toEqual(done(5))
    expect([once("c"), once("a"), once("d"), once("b")]).toEqual([done(4), done(3), done(5), done(6)])
  })

  it.each(["invalid_input", "forbidden", "not_available", "out_of_stock"])(
    "remembers a refusal that would come out the same: %s",
    (code) => {
      const { idempotency } = setUp()
      expect(idempotency.once({ userId: "u", id: "a" }, () => failed(code))).toEqual(failed(code))
      expect(idempotency.once({ userId: "u", id: "a" }, () => done("again"))).toEqual(failed(code))
    },
  )

  it.each([
    ...["rate_limited", "timeout", "sys_internal_error", "sys_service_unavailable"],
    ...["cancelled", "session_ended", "auth_token_expired"],
  ])("executes again after a failure that may pass: %s", async (code) => {
    const { idempotency, clock } = setUp()
    expect(idempotency.once({ userId: "u", id: "a" }, () => failed(code))).toEqual(failed(code))
    expect(idempotency.size).toBe(0)
    const late = running(idempotency, "b")
    late.end(failed(code))
    await clock.settle()
    expect(await late.outcome).toEqual(failed(code))
    expect(idempotency.once({ userId: "u", id: "b" }, () => done("again"))).toEqual(done("again"))
  })

  it("remembers no outcome of a request that throws", () => {
    const { idempotency } = setUp()
    const broken = (): Outcome => {
      throw new Error("broken")
    }
    expect(() => idempotency.once({ userId: "u", id: "a" }, broken)).toThrow("broken")
    expect(idempotency.size).toBe(0)
  })

  it("never evicts running requests, for any number of them", () => {
    const { idempotency } = setUp({ idempotencyMs: 600, idempotencyMaxCount: 1 })
    const first = running(idempotency, "a")
    running(idempotency, "b")
    const again = running(idempotency, "a")
    expect([first.executions(), again.executions()]).toEqual([1, 0])
  })

  it("executes a repetition again if the first caller's session ended", async () => {
    const { idempotency, clock } = setUp()
    const first = running(idempotency, "a")
    const repetition = idempotency.once({ userId: "u", id: "a" }, () => done("again"))
    first.end(failed("session_ended"))
    await clock.settle()
    expect(await repetition).toEqual(done("again"))
  })

  it("separates users, and removes users without outcomes", async () => {
    const { idempotency, clock } = setUp()
    for (const userId of ["u", "v"]) unwatched(idempotency.once({ userId, id: "a" }, () => done(userId)))
    expect(idempotency.once({ userId: "v", id: "a" }, () => done("again"))).toEqual(done("v"))
    await clock.advance(600)
    unwatched(idempotency.once({ userId: "w", id: "a" }, () => done("w")))
    expect(idempotency.size).toBe(1)
  })

  it("agrees with a model of executions and times", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ ask: fc.nat(8) }) },
      { weight: 1, arbitrary: fc.record({ passMs: fc.nat(400) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (sequence, bound) => {
          const { clock, idempotency, once } = setUp({ idempotencyMs: 600, idempotencyMaxCount: bound })
          let oracle: { readonly id: number; readonly number: number; readonly atMs: number }[] = []
          let executed = 0
          for (const one of sequence) {
            if ("passMs" in one) {
              await clock.advance(one.passMs)
              continue
            }
            oracle = oracle.filter(({ atMs }) => clock.now() - atMs < 600)
            const known = oracle.find(({ id }) => id === one.ask)
            if (known === undefined) {
              executed += 1
              oracle = [...oracle, { id: one.ask, number: executed, atMs: clock.now() }].slice(-bound)
            }
            expect(once(`${one.ask}`)).toEqual(done(known?.number ?? executed))
            expect(idempotency.size).toBeLessThanOrEqual(bound)
          }
        },
      ),
      { numRuns: 1000 },
    )
  }, 30_000)
})

describe("outcomes as plain data", () => {
  const codec = createFrameCodec(new TypeTable(), clientMessageLimits)

  it("are remembered for the rest of their time, results, errors and empty results alike", async () => {
    const { clock, idempotency } = setUp({ idempotencyMs: 600, idempotencyMaxCount: 10 })
    const outcomes: readonly Outcome[] = [
      { ok: true, payload: codec.hold({ gold: 5 }, 1).withoutValue() },
      { ok: true, payload: undefined },
      failed("forbidden"),
      { ok: false, error: { code: "odd", message: "m", category: "system" }, isExecuted: true },
    ]
    for (const [place, outcome] of outcomes.entries())
      await idempotency.once({ userId: "u", id: `${place}` }, () => outcome)
    await clock.advance(200)
    const records = idempotency.freeze()
    expect(records.map(({ inMs }) => inMs)).toEqual([400, 400, 400, 400])
    const restored = new Idempotency(clock, { ...defaultServerLimits, idempotencyMs: 600 })
    restored.thaw(records, 100)
    const again = (id: string) => restored.once({ userId: "u", id }, () => done("executed again"))
    expect(outcomes.map((_, place) => again(`${place}`))).toEqual(outcomes)
    expect(restored.bytes).toBeGreaterThan(0)
    await clock.advance(300)
    expect(again("0")).toEqual(done("executed again"))
  })

  it("do not hold requests that still run", () => {
    const { idempotency } = setUp()
    running(idempotency, "slow")
    expect(idempotency.freeze()).toEqual([])
  })
})
