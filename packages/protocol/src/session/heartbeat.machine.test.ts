import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "./heartbeat.machine.ts"
import type {
  HeartbeatEffect,
  HeartbeatInput,
  HeartbeatOptions,
  HeartbeatState,
} from "./heartbeat.machine.ts"

const options: HeartbeatOptions = {
  probeAfterMs: 30_000,
  probeTimeoutMs: 5_000,
  unansweredMs: 6_000,
  unansweredTimeoutMs: 900,
  leastAnswerMs: 20,
}
const alive = { heardAtMs: 1000, lastNumber: 4, measuredAtMs: 800 }
const listening: HeartbeatState = { kind: "listening", ...alive }
const asking: HeartbeatState = { kind: "asking", ...alive, askedAtMs: 2000 }
const probe = { ...alive, lastNumber: 5, sentAtMs: 31_000, timeoutMs: 5_000 }
const probing: HeartbeatState = { kind: "probing", ...probe }
const overdue: HeartbeatState = { kind: "overdue", ...probe, deadAtMs: 96_000 }
const dead: HeartbeatState = { kind: "dead" }

describe("every state × every input", () => {
  const ping5 = [{ kind: "sendPing", number: 5 }]
  const ping6 = [{ kind: "sendPing", number: 6 }]
  const probed = (sentAtMs: number, timeoutMs: number): HeartbeatState => ({
    ...probing,
    lastNumber: 5,
    sentAtMs,
    timeoutMs,
  })

  it.each<[string, HeartbeatState, HeartbeatInput, HeartbeatState, unknown[]]>([
    [
      "listening records a message",
      listening,
      { kind: "heard", nowMs: 9 },
      { ...listening, heardAtMs: 9 },
      [],
    ],
    ["listening ignores a pong", listening, { kind: "pong", number: 4, nowMs: 9 }, listening, []],
    ["listening records a sent reliable message", listening, { kind: "asked", nowMs: 2000 }, asking, []],
    [
      "surprise-C3 listening sends a probe along with a message when it has not measured for a quarter of probeAfterMs",
      { ...listening, heardAtMs: 8_200 },
      { kind: "asked", nowMs: 8_300 },
      { ...probing, heardAtMs: 8_200, sentAtMs: 8_300, timeoutMs: 6_900 },
      ping5,
    ],
    [
      "surprise-C3 listening sends no probe along with a message before that",
      { ...listening, heardAtMs: 8_200 },
      { kind: "asked", nowMs: 8_299 },
      { kind: "asking", ...alive, heardAtMs: 8_200, askedAtMs: 8_299 },
      [],
    ],
    [
      "surprise-A10 listening probes when a request times out and no message was received since it was sent",
      listening,
      { kind: "unanswered", sentAtMs: 1000, nowMs: 2000 },
      probed(2000, 900),
      ping5,
    ],
    [
      "listening does not probe for a request that timed out, if a message was received since",
      listening,
      { kind: "unanswered", sentAtMs: 999, nowMs: 2000 },
      listening,
      [],
    ],
    [
      "surprise-A10 listening does not probe for a request that timed out before an answer can arrive",
      listening,
      { kind: "unanswered", sentAtMs: 1981, nowMs: 2000 },
      listening,
      [],
    ],
    ["listening probes on request", listening, { kind: "probe", nowMs: 2000 }, probed(2000, 5_000), ping5],
    [
      "listening probes at a doubt, with the time of the doubt",
      listening,
      { kind: "doubt", nowMs: 2000, timeoutMs: 700 },
      probed(2000, 700),
      ping5,
    ],
    ["listening does nothing before its time", listening, { kind: "wake", nowMs: 30_999 }, listening, []],
    ["listening probes on time", listening, { kind: "wake", nowMs: 31_000 }, probing, ping5],
    [
      "asking returns to listening at a message",
      asking,
      { kind: "heard", nowMs: 2020 },
      { ...listening, heardAtMs: 2020 },
      [],
    ],
    [
      "asking counts a message that is too early for an answer as received, not as the answer",
      asking,
      { kind: "heard", nowMs: 2019 },
      { ...asking, heardAtMs: 2019 },
      [],
    ],
    ["asking ignores a pong", asking, { kind: "pong", number: 4, nowMs: 2100 }, asking, []],
    ["asking keeps the time of the first message", asking, { kind: "asked", nowMs: 2500 }, asking, []],
    [
      "surprise-A10 asking probes when the request times out",
      asking,
      { kind: "unanswered", sentAtMs: 2000, nowMs: 4000 },
      probed(4000, 900),
      ping5,
    ],
    ["asking probes on request", asking, { kind: "probe", nowMs: 3000 }, probed(3000, 5_000), ping5],
    [
      "asking probes at a doubt",
      asking,
      { kind: "doubt", nowMs: 3000, timeoutMs: 700 },
      probed(3000, 700),
      ping5,
    ],
    ["asking waits for its time", asking, { kind: "wake", nowMs: 7_999 }, asking, []],
    [
      "surprise-A10 asking probes when no message was received for unansweredMs",
      asking,
      { kind: "wake", nowMs: 8_000 },
      probed(8_000, 900),
      ping5,
    ],
    [
      "asking probes after probeAfterMs of silence, if that is sooner",
      { ...asking, askedAtMs: 30_000 },
      { kind: "wake", nowMs: 31_000 },
      probing,
      ping5,
    ],
    [
      "probing records a message",
      probing,
      { kind: "heard", nowMs: 33_000 },
      { ...probing, heardAtMs: 33_000 },
      [],
    ],
    ["probing ignores an older pong", probing, { kind: "pong", number: 4, nowMs: 31_100 }, probing, []],
    [
      "probing ignores a pong with a later number",
      probing,
      { kind: "pong", number: 6, nowMs: 31_100 },
      probing,
      [],
    ],
    [
      "probing measures the round trip at its pong",
      probing,
      { kind: "pong", number: 5, nowMs: 31_080 },
      { kind: "listening", heardAtMs: 31_080, lastNumber: 5, measuredAtMs: 31_080 },
      [{ kind: "roundTrip", ms: 80 }],
    ],
    ["probing needs no message to be answered", probing, { kind: "asked", nowMs: 32_000 }, probing, []],
    [
      "probing keeps its probe when a request times out",
      probing,
      { kind: "unanswered", sentAtMs: 2000, nowMs: 32_000 },
      probing,
      [],
    ],
    ["probing sends no second probe", probing, { kind: "probe", nowMs: 32_000 }, probing, []],
    [
      "probing sends another probe at a doubt with an earlier deadline",
      probing,
      { kind: "doubt", nowMs: 32_000, timeoutMs: 700 },
      { ...probing, lastNumber: 6, sentAtMs: 32_000, timeoutMs: 700 },
      ping6,
    ],
    [
      "probing sends another probe at a doubt after its time, because the answer to the first would prove nothing",
      probing,
      { kind: "doubt", nowMs: 90_000, timeoutMs: 700 },
      { ...probing, lastNumber: 6, sentAtMs: 90_000, timeoutMs: 700 },
      ping6,
    ],
    [
      "probing keeps its probe at a doubt with a later deadline",
      probing,
      { kind: "doubt", nowMs: 35_500, timeoutMs: 700 },
      probing,
      [],
    ],
    ["probing waits for its time", probing, { kind: "wake", nowMs: 35_999 }, probing, []],
    [
      "probing is dead on time",
      probing,
      { kind: "wake", nowMs: 36_050 },
      dead,
      [{ kind: "dead", silentMs: 35_050 }],
    ],
    [
      "surprise-A1 probing that is woken late waits as long as it was late, because received messages may be unread",
      probing,
      { kind: "wake", nowMs: 36_051 },
      { ...overdue, deadAtMs: 36_102 },
      [],
    ],
    [
      "surprise-A1 probing that is woken a minute late waits no longer than the probe's time",
      probing,
      { kind: "wake", nowMs: 91_000 },
      overdue,
      [],
    ],
    [
      "overdue returns to probing at a message",
      overdue,
      { kind: "heard", nowMs: 91_500 },
      { ...probing, heardAtMs: 91_500 },
      [],
    ],
    ["overdue ignores an older pong", overdue, { kind: "pong", number: 4, nowMs: 91_500 }, overdue, []],
    [
      "surprise-A1 overdue accepts its pong",
      overdue,
      { kind: "pong", number: 5, nowMs: 91_500 },
      { kind: "listening", heardAtMs: 91_500, lastNumber: 5, measuredAtMs: 91_500 },
      [{ kind: "roundTrip", ms: 60_500 }],
    ],
    ["overdue needs no message to be answered", overdue, { kind: "asked", nowMs: 92_000 }, overdue, []],
    [
      "overdue keeps its deadline when a request times out",
      overdue,
      { kind: "unanswered", sentAtMs: 2000, nowMs: 92_000 },
      overdue,
      [],
    ],
    ["overdue sends no second probe", overdue, { kind: "probe", nowMs: 92_000 }, overdue, []],
    [
      "overdue sends another probe at a doubt",
      overdue,
      { kind: "doubt", nowMs: 92_000, timeoutMs: 700 },
      { ...probing, lastNumber: 6, sentAtMs: 92_000, timeoutMs: 700 },
      ping6,
    ],
    ["overdue waits for its end", overdue, { kind: "wake", nowMs: 95_999 }, overdue, []],
    [
      "overdue is dead at any later time",
      overdue,
      { kind: "wake", nowMs: 151_000 },
      dead,
      [{ kind: "dead", silentMs: 150_000 }],
    ],
    ["dead ignores a message", dead, { kind: "heard", nowMs: 9 }, dead, []],
    ["dead ignores a pong", dead, { kind: "pong", number: 5, nowMs: 9 }, dead, []],
    ["dead ignores a sent message", dead, { kind: "asked", nowMs: 9 }, dead, []],
    ["dead ignores a timed-out request", dead, { kind: "unanswered", sentAtMs: 1, nowMs: 9 }, dead, []],
    ["dead sends no probe", dead, { kind: "probe", nowMs: 9 }, dead, []],
    ["dead ignores a doubt", dead, { kind: "doubt", nowMs: 9, timeoutMs: 700 }, dead, []],
    ["dead ignores a wake", dead, { kind: "wake", nowMs: 1e9 }, dead, []],
  ])("%s", (...[, state, input, next, effects]) => {
    expect(stepHeartbeat(options, state, input)).toEqual([next, effects])
  })

  it("requests a wake for silence, for the later of probe and message, and none once dead", () => {
    expect(wakeAtHeartbeat(options, initialHeartbeat(7))).toBe(30_007)
    expect(wakeAtHeartbeat(options, listening)).toBe(31_000)
    expect(wakeAtHeartbeat(options, asking)).toBe(8_000)
    expect(wakeAtHeartbeat(options, { ...asking, askedAtMs: 29_000 })).toBe(31_000)
    expect(wakeAtHeartbeat(options, probing)).toBe(36_000)
    expect(wakeAtHeartbeat(options, { ...probing, ...probe, heardAtMs: 34_000 })).toBe(39_000)
    expect(wakeAtHeartbeat(options, { ...probing, ...probe, timeoutMs: 700 })).toBe(31_700)
    expect(wakeAtHeartbeat(options, overdue)).toBe(96_000)
    expect(wakeAtHeartbeat(options, dead)).toBeUndefined()
  })
})

describe("random lives", () => {
  const whats = [
    "heard",
    "pong",
    "stalePong",
    "asked",
    "unanswered",
    "probe",
    "doubt",
    "wake",
    "wakeOnTime",
  ] as const
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom(...whats),
      passMs: fc.oneof(fc.constant(0), fc.nat(8_000)),
      timeoutMs: fc.constantFrom(10, 500, 2_000, 10_000),
    }),
    { maxLength: 60 },
  )
  type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never

  /** Checks the invariants of the machine's header. */
  class Books {
    state: HeartbeatState = initialHeartbeat(0)
    nowMs = 0
    deaths = 0
    #heardAtMs = 0
    #sent = 0
    /** Time for the answer to the outstanding probe; undefined if there is none. */
    #outForMs: number | undefined

    step({ what, passMs, timeoutMs }: Step): void {
      this.nowMs += passMs
      if (what === "wakeOnTime") this.nowMs = Math.max(this.nowMs, wakeAtHeartbeat(options, this.state) ?? 0)
      const input = this.#inputOf(what, timeoutMs)
      const before = this.state
      const [next, effects] = stepHeartbeat(options, before, input)
      if (before.kind === "dead") expect([next, effects]).toEqual([before, []])
      else if (what === "heard") this.#heardAtMs = this.nowMs
      for (const effect of effects) this.#apply(effect, input, before)
      const isOut = this.#outForMs !== undefined && next.kind !== "dead"
      expect(next.kind === "probing" || next.kind === "overdue").toBe(isOut)
      this.state = next
    }

    #inputOf(what: Step["what"], timeoutMs: number): HeartbeatInput {
      const { nowMs } = this
      switch (what) {
        case "pong":
          return { kind: "pong", number: this.#sent, nowMs }
        case "stalePong":
          return { kind: "pong", number: this.#sent - 1, nowMs }
        case "doubt":
          return { kind: "doubt", nowMs, timeoutMs }
        case "wakeOnTime":
          return { kind: "wake", nowMs }
        case "unanswered":
          return { kind: "unanswered", sentAtMs: nowMs - timeoutMs, nowMs }
        case "asked":
        case "heard":
        case "probe":
        case "wake":
          return { kind: what, nowMs }
      }
    }

    #apply(effect: HeartbeatEffect, input: HeartbeatInput, before: HeartbeatState): void {
      switch (effect.kind) {
        case "sendPing": {
          if (input.kind !== "doubt") expect(this.#outForMs).toBeUndefined()
          if (input.kind === "unanswered") {
            expect(this.#heardAtMs).toBeLessThanOrEqual(input.sentAtMs)
            expect(this.nowMs - input.sentAtMs).toBeGreaterThanOrEqual(options.leastAnswerMs)
          }
          this.#sent += 1
          expect(effect.number).toBe(this.#sent)
          const isUnanswered =
            input.kind === "unanswered" ||
            (input.kind === "wake" &&
              before.kind === "asking" &&
              this.nowMs >= before.askedAtMs + options.unansweredMs)
          const { unansweredMs, unansweredTimeoutMs, probeTimeoutMs } = options
          const ofItself = isUnanswered ? unansweredTimeoutMs : probeTimeoutMs
          if (input.kind === "doubt") this.#outForMs = input.timeoutMs
          else this.#outForMs = input.kind === "asked" ? unansweredMs + unansweredTimeoutMs : ofItself
          break
        }
        case "roundTrip":
          expect(effect.ms).toBeGreaterThanOrEqual(0)
          this.#outForMs = undefined
          this.#heardAtMs = this.nowMs
          break
        case "dead":
          this.deaths += 1
          if (before.kind === "probing")
            expect(this.nowMs - (wakeAtHeartbeat(options, before) ?? 0)).toBeLessThanOrEqual(50)
          expect(this.#outForMs).toBeDefined()
          expect(effect.silentMs).toBe(this.nowMs - this.#heardAtMs)
          expect(effect.silentMs).toBeGreaterThanOrEqual(this.#outForMs ?? Infinity)
      }
    }
  }

  it("have at most one valid probe, number probes from 1, and no dead connection within its probe's time", () => {
    let deaths = 0
    fc.assert(
      fc.property(steps, (sequence) => {
        const books = new Books()
        for (const step of sequence) books.step(step)
        deaths += books.deaths
      }),
      { numRuns: 2000 },
    )
    expect(deaths).toBeGreaterThan(200)
  })

  it("detects silence within probeAfterMs + probeTimeoutMs", () => {
    let state = initialHeartbeat(0)
    const woken: number[] = []
    for (let at = wakeAtHeartbeat(options, state); at !== undefined; at = wakeAtHeartbeat(options, state)) {
      woken.push(at)
      state = stepHeartbeat(options, state, { kind: "wake", nowMs: at })[0]
    }
    expect(woken).toEqual([30_000, 35_000])
    expect(state.kind).toBe("dead")
  })

  it("detects within the time of the doubt that a connection did not survive a sleep", () => {
    const awakeAtMs = 500_000
    const [state] = stepHeartbeat(options, initialHeartbeat(0), {
      kind: "doubt",
      nowMs: awakeAtMs,
      timeoutMs: 2_000,
    })
    const wakeAtMs = wakeAtHeartbeat(options, state)
    expect(wakeAtMs).toBe(502_000)
    expect(stepHeartbeat(options, state, { kind: "wake", nowMs: 501_999 })[0].kind).toBe("probing")
    expect(stepHeartbeat(options, state, { kind: "wake", nowMs: 502_000 })[0].kind).toBe("dead")
  })
})
