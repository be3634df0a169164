import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialHeartbeat, stepHeartbeat, wakeAtHeartbeat } from "./heartbeat.machine.ts"
import type { HeartbeatInput, HeartbeatState } from "./heartbeat.machine.ts"

const options = { probeAfterMs: 30_000, probeTimeoutMs: 5_000 }
const listening: HeartbeatState = { kind: "listening", heardAtMs: 1000, lastNumber: 4 }
const probing: HeartbeatState = { kind: "probing", heardAtMs: 1000, lastNumber: 5, sentAtMs: 31_000 }
const dead: HeartbeatState = { kind: "dead" }

describe("every state × every input", () => {
  it.each<[string, HeartbeatState, HeartbeatInput, HeartbeatState, unknown[]]>([
    ["listening hears", listening, { kind: "heard", nowMs: 9 }, { ...listening, heardAtMs: 9 }, []],
    ["listening ignores a pong", listening, { kind: "pong", number: 4, nowMs: 9 }, listening, []],
    [
      "listening probes when asked",
      listening,
      { kind: "probe", nowMs: 2000 },
      { kind: "probing", heardAtMs: 1000, lastNumber: 5, sentAtMs: 2000 },
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
    ["death does not wake", dead, { kind: "wake", nowMs: 1e9 }, dead, []],
  ])("%s", (...[, state, input, next, effects]) => {
    expect(stepHeartbeat(options, state, input)).toEqual([next, effects])
  })

  it("wants to be woken by silence, by the later of probe and sound, and never once dead", () => {
    expect(wakeAtHeartbeat(options, initialHeartbeat(7))).toBe(30_007)
    expect(wakeAtHeartbeat(options, listening)).toBe(31_000)
    expect(wakeAtHeartbeat(options, probing)).toBe(36_000)
    expect(wakeAtHeartbeat(options, { ...probing, heardAtMs: 34_000 })).toBe(39_000)
    expect(wakeAtHeartbeat(options, dead)).toBeUndefined()
  })
})

describe("random lives", () => {
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom("heard", "pong", "stalePong", "probe", "wake", "wakeOnTime"),
      passMs: fc.oneof(fc.constant(0), fc.nat(8_000)),
    }),
    { maxLength: 60 },
  )

  it("keep one probe out at most, number probes from 1, and call no connection dead that was just heard", () => {
    let deaths = 0
    fc.assert(
      fc.property(steps, (sequence) => {
        let state = initialHeartbeat(0)
        let nowMs = 0
        let heardAtMs = 0
        let sent = 0
        let isOut = false
        for (const { what, passMs } of sequence) {
          nowMs += passMs
          if (what === "wakeOnTime") nowMs = Math.max(nowMs, wakeAtHeartbeat(options, state) ?? 0)
          if (what === "heard" && state.kind !== "dead") heardAtMs = nowMs
          const number = what === "stalePong" ? sent - 1 : sent
          const [next, effects] =
            what === "pong" || what === "stalePong"
              ? stepHeartbeat(options, state, { kind: "pong", number, nowMs })
              : stepHeartbeat(options, state, { kind: what === "wakeOnTime" ? "wake" : what, nowMs })
          if (state.kind === "dead") expect([next, effects]).toEqual([state, []])
          for (const effect of effects) {
            switch (effect.kind) {
              case "sendPing":
                expect(isOut).toBe(false)
                sent += 1
                expect(effect.number).toBe(sent)
                isOut = true
                break
              case "roundTrip":
                expect(effect.ms).toBeGreaterThanOrEqual(0)
                isOut = false
                heardAtMs = nowMs
                break
              case "dead":
                deaths += 1
                expect(isOut).toBe(true)
                expect(effect.silentMs).toBe(nowMs - heardAtMs)
                expect(effect.silentMs).toBeGreaterThanOrEqual(options.probeTimeoutMs)
            }
          }
          expect(next.kind === "probing").toBe(isOut && next.kind !== "dead")
          state = next
        }
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
})
