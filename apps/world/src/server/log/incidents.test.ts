import { pino } from "pino"
import { describe, expect, test } from "vitest"
import { createIncidentLog } from "./incidents.ts"

/** The log as the world creates it, with the widest possible fields. */
function incidentLog() {
  const clock = { nowMs: 0 }
  const lines: string[] = []
  const log = pino({ base: { pid: 4_194_304 } }, { write: (line: string) => void lines.push(line) })
  return { ...createIncidentLog({ log, nowMs: () => clock.nowMs }), clock, lines }
}

function parsed(line: string): unknown {
  return JSON.parse(line)
}

function peerError(code: string, message = "Invalid WebSocket frame: RSV1 must be clear"): Error {
  return Object.assign(new RangeError(message), { code })
}

describe("a peer's violation", () => {
  test("door-4 is counted, and logged once a minute and kind, with the number of omitted lines", () => {
    const { report, violations, lines, clock } = incidentLog()
    for (let frame = 0; frame < 5_000; frame += 1) report(peerError("WS_ERR_UNEXPECTED_RSV_1"))
    for (let cut = 0; cut < 300; cut += 1) report(peerError("ECONNRESET", "read ECONNRESET"))
    expect(lines.map(parsed)).toMatchObject([
      { kind: "WS_ERR_UNEXPECTED_RSV_1", leftOut: 0, msg: "a peer broke the rules" },
      { kind: "ECONNRESET", leftOut: 0, why: "read ECONNRESET" },
    ])
    clock.nowMs = 59_999
    report(peerError("WS_ERR_UNEXPECTED_RSV_1"))
    expect(lines).toHaveLength(2)
    clock.nowMs = 60_000
    report(peerError("WS_ERR_UNEXPECTED_RSV_1"))
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ leftOut: 5_000 })
    expect([...violations]).toEqual([
      ["WS_ERR_UNEXPECTED_RSV_1", 5_002],
      ["ECONNRESET", 300],
    ])
  })

  test("abuse-A35 door-4 takes at most 256 bytes of the log, whatever its message holds, and no stack", () => {
    const { report, lines, clock } = incidentLog()
    const code = `WS_ERR_${"X".repeat(48)}`
    for (let count = 0; count < 3_000_000; count += 500_000) {
      for (const message of [
        "\u0000".repeat(1_000),
        '"\\'.repeat(500),
        "😀".repeat(500),
        "a\n".repeat(500),
      ]) {
        clock.nowMs += 60_000
        report(peerError(code, message))
      }
    }
    expect(lines.length).toBe(24)
    for (const line of lines) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(256)
      expect(line).not.toMatch(/stack|incidents\.test/)
    }
  })

  test("door-4 has one of 64 kinds, and counts as `other` beyond them", () => {
    const { report, violations, lines } = incidentLog()
    for (let kind = 0; kind < 1_000; kind += 1) report(peerError(`WS_ERR_${kind}`))
    expect(violations.size).toBe(65)
    expect(violations.get("other")).toBe(936)
    expect(lines).toHaveLength(65)
  })
})

describe("a fault of the server", () => {
  test("door-4 is logged with its stack, 5 times a minute", () => {
    const { report, violations, lines, clock } = incidentLog()
    const fail = (): void => report(new Error(`the disk ${clock.nowMs} is on fire`))
    for (let count = 0; count < 1_000; count += 1) fail()
    expect(lines).toHaveLength(5)
    expect(parsed(lines[0] ?? "")).toMatchObject({ err: { type: "Error", message: "the disk 0 is on fire" } })
    expect(lines[0]).toMatch(/"stack":".*incidents\.test/)
    report(new TypeError("another one"))
    report("a text")
    expect(lines).toHaveLength(7)
    clock.nowMs = 60_000
    fail()
    expect(JSON.parse(lines[7] ?? "")).toMatchObject({ leftOut: 995 })
    expect(violations.size).toBe(0)
  })
})
