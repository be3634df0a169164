import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "./heartbeat.machine.ts"
import type { HeartbeatEffect, HeartbeatInput, HeartbeatState } from "./heartbeat.machine.ts"

const options = { probeAfterMs: 30_000, probeTimeoutMs: 5_000 }
const listening: HeartbeatState = { kind: "listening", heardAtMs: 1000, lastNumber: 4 }
const probing: HeartbeatState = {
  kind: "probing",
  heardAtMs: 1000,
  lastNumber: 5,
  sentAtMs: 31_000,
  timeoutMs: 5_000,
}
const dead: HeartbeatState = { kind: "dead" }

describe("every state × every input", () => {
  it.each<[string, HeartbeatState, HeartbeatInput, HeartbeatState, unknown[]]>([
    ["listening hears", listening, { kind: "heard", nowMs: 9 }, { ...listening, heardAtMs: 9 }, []],
    ["listening ignores a pong", listening, { kind: "pong", number: 4, nowMs: 9 }, listening, []],
    [
      "listening probes when asked",
      listening,
      { kind: "probe", nowMs: 2000 },
      { kind: "probing", heardAtMs: 1000, lastNumber: 5, sentAtMs: 2000, timeoutMs: 5_000 },
      [{ kind: "sendPing", number: 5 }],
    ],
    [
      "listening probes when in doubt, with the time that it is given",
      listening,
      { kind: "doubt", nowMs: 2000, timeoutMs: 700 },
      { kind: "probing", heardAtMs: 1000, lastNumber: 5, sentAtMs: 2000, timeoutMs: 700 },
      [{ kind: "sendPing", number: 5 }],
    ],
    ["listening sleeps on before its time", listening, { kind: "wake", nowMs: 30_999 }, listening, []],
    [
      "listening probes on time",
      listening,
      { kind: "wake", nowMs: 31_000 },
      probing,
      [{ kind: "sendPing", number: 5 }],
    ],
    ["probing hears", probing, { kind: "heard", nowMs: 33_000 }, { ...probing, heardAtMs: 33_000 }, []],
    ["probing ignores an older pong", probing, { kind: "pong", number: 4, nowMs: 31_100 }, probing, []],
    [
      "probing ignores a pong of the future",
      probing,
      { kind: "pong", number: 6, nowMs: 31_100 },
      probing,
      [],
    ],
    [
      "probing measures its pong",
      probing,
      { kind: "pong", number: 5, nowMs: 31_080 },
      { kind: "listening", heardAtMs: 31_080, lastNumber: 5 },
      [{ kind: "roundTrip", ms: 80 }],
    ],
    ["probing sends no second probe", probing, { kind: "probe", nowMs: 32_000 }, probing, []],
    [
      "probing sends another probe when in doubt that wants its answer sooner",
      probing,
      { kind: "doubt", nowMs: 32_000, timeoutMs: 700 },
      { kind: "probing", heardAtMs: 1000, lastNumber: 6, sentAtMs: 32_000, timeoutMs: 700 },
      [{ kind: "sendPing", number: 6 }],
    ],
    [
      "probing sends another probe when in doubt after its time: the answer to the first would prove nothing",
      probing,
      { kind: "doubt", nowMs: 90_000, timeoutMs: 700 },
      { kind: "probing", heardAtMs: 1000, lastNumber: 6, sentAtMs: 90_000, timeoutMs: 700 },
      [{ kind: "sendPing", number: 6 }],
    ],
    [
      "probing keeps its probe when a doubt would only start it over",
      probing,
      { kind: "doubt", nowMs: 35_500, timeoutMs: 700 },
      probing,
      [],
    ],
    ["probing waits for its time", probing, { kind: "wake", nowMs: 35_999 }, probing, []],
    [
      "probing gives up on time",
      probing,
      { kind: "wake", nowMs: 36_000 },
      dead,
      [{ kind: "dead", silentMs: 35_000 }],
    ],
    ["death stays when heard", dead, { kind: "heard", nowMs: 9 }, dead, []],
    ["death stays at a pong", dead, { kind: "pong", number: 5, nowMs: 9 }, dead, []],
    ["death sends no probe", dead, { kind: "probe", nowMs: 9 }, dead, []],
    ["death has no doubts", dead, { kind: "doubt", nowMs: 9, timeoutMs: 700 }, dead, []],
    ["death does not wake", dead, { kind: "wake", nowMs: 1e9 }, dead, []],
  ])("%s", (...[, state, input, next, effects]) => {
    expect(stepHeartbeat(options, state, input)).toEqual([next, effects])
  })

  it("wants to be woken by silence, by the later of probe and sound, and never once dead", () => {
    expect(wakeAtHeartbeat(options, initialHeartbeat(7))).toBe(30_007)
    expect(wakeAtHeartbeat(options, listening)).toBe(31_000)
    expect(wakeAtHeartbeat(options, probing)).toBe(36_000)
    expect(wakeAtHeartbeat(options, { ...probing, heardAtMs: 34_000 })).toBe(39_000)
    expect(wakeAtHeartbeat(options, { ...probing, timeoutMs: 700 })).toBe(31_700)
    expect(wakeAtHeartbeat(options, dead)).toBeUndefined()
  })
})

describe("random lives", () => {
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom("heard", "pong", "stalePong", "probe", "doubt", "wake", "wakeOnTime"),
      passMs: fc.oneof(fc.constant(0), fc.nat(8_000)),
      timeoutMs: fc.constantFrom(500, 2_000, 10_000),
    }),
    { maxLength: 60 },
  )
  type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never

  /** Keeps the books that the invariants of the machine's header speak of. */
  class Books {
    state: HeartbeatState = initialHeartbeat(0)
    nowMs = 0
    deaths = 0
    #heardAtMs = 0
    #sent = 0
    /** How long the answer to the probe that is out may take; undefined when none is. */
    #outForMs: number | undefined

    step({ what, passMs, timeoutMs }: Step): void {
      this.nowMs += passMs
      if (what === "wakeOnTime") this.nowMs = Math.max(this.nowMs, wakeAtHeartbeat(options, this.state) ?? 0)
      const input = this.#inputOf(what, timeoutMs)
      const before = this.state
      const [next, effects] = stepHeartbeat(options, before, input)
      if (before.kind === "dead") expect([next, effects]).toEqual([before, []])
      else if (what === "heard") this.#heardAtMs = this.nowMs
      for (const effect of effects) this.#apply(effect, input)
      expect(next.kind === "probing").toBe(this.#outForMs !== undefined && next.kind !== "dead")
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
        case "heard":
        case "probe":
        case "wake":
          return { kind: what, nowMs }
      }
    }

    #apply(effect: HeartbeatEffect, input: HeartbeatInput): void {
      switch (effect.kind) {
        case "sendPing":
          if (input.kind !== "doubt") expect(this.#outForMs).toBeUndefined()
          this.#sent += 1
          expect(effect.number).toBe(this.#sent)
          this.#outForMs = input.kind === "doubt" ? input.timeoutMs : options.probeTimeoutMs
          break
        case "roundTrip":
          expect(effect.ms).toBeGreaterThanOrEqual(0)
          this.#outForMs = undefined
          this.#heardAtMs = this.nowMs
          break
        case "dead":
          this.deaths += 1
          expect(this.#outForMs).toBeDefined()
          expect(effect.silentMs).toBe(this.nowMs - this.#heardAtMs)
          expect(effect.silentMs).toBeGreaterThanOrEqual(this.#outForMs ?? Infinity)
      }
    }
  }

  it("count one probe at most, number probes from 1, and call no connection dead within its probe's time", () => {
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

  it("notices silence within probeAfterMs + probeTimeoutMs", () => {
    let state = initialHeartbeat(0)
    const woken: number[] = []
    for (let at = wakeAtHeartbeat(options, state); at !== undefined; at = wakeAtHeartbeat(options, state)) {
      woken.push(at)
      state = stepHeartbeat(options, state, { kind: "wake", nowMs: at })[0]
    }
    expect(woken).toEqual([30_000, 35_000])
    expect(state.kind).toBe("dead")
  })

  it("notices within the time of the doubt that a connection did not survive a sleep", () => {
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
