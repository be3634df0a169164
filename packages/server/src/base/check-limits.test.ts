import { defaultServerLimits, defineContract } from "@hawser/protocol"
import { leastHeartbeatMs } from "@hawser/protocol/core"
import type { ServerLimits } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { checkLimits } from "./check-limits.ts"
import { createServer } from "../server.ts"

const notNumbers = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]

function withLimit(name: string, value: number): Partial<ServerLimits> {
  return { ...defaultServerLimits, [name]: value }
}

it("takes the defaults", () => {
  expect(checkLimits()).toEqual(defaultServerLimits)
  expect(checkLimits({})).toEqual(defaultServerLimits)
})

it("overrides the defaults with the chosen limits", () => {
  const chosen = {
    sessionsPerUser: 1,
    message: { ...defaultServerLimits.message, maxBytes: 1 },
    clientMessage: { ...defaultServerLimits.clientMessage, maxDepth: 1 },
  }
  expect(checkLimits(chosen)).toEqual({ ...defaultServerLimits, ...chosen })
})

const numbers = Object.keys(defaultServerLimits).filter(
  (name) => name !== "message" && name !== "clientMessage",
)

describe.each(numbers)("limits.%s", (name) => {
  // Without a window, sessions end with their connection.
  const mayBeZero = name === "resumeWindowMs" || name === "leaveWindowMs"
  const range = mayBeZero ? "0, or a number above it" : "a number above 0"
  it.each(notNumbers.filter((value) => value !== 0 || !mayBeZero))("refuses %s and says so", (value) => {
    expect(() => checkLimits(withLimit(name, value))).toThrow(
      new RangeError(`limits.${name} must be ${range} and at most 2147483647, not ${value}`),
    )
  })
})

const nested = Object.keys(defaultServerLimits.message).flatMap((name) => [
  ["message", name] as const,
  ["clientMessage", name] as const,
])

describe.each(nested)("limits.%s.%s", (group, name) => {
  it.each(notNumbers)("refuses %s and says so", (value) => {
    const limits = { [group]: { ...defaultServerLimits[group], [name]: value } }
    expect(() => checkLimits(limits)).toThrow(
      new RangeError(`limits.${group}.${name} must be a number above 0 and at most 2147483647, not ${value}`),
    )
  })
})

describe.each(["pingAfterMs", "pongTimeoutMs"])("limits.%s", (name) => {
  it("is refused below its least value", () => {
    expect(() => checkLimits(withLimit(name, 99.9))).toThrow(
      new RangeError(`limits.${name} must be at least 100 ms, not 99.9`),
    )
  })

  it("is taken at its least value", () => {
    expect(checkLimits(withLimit(name, leastHeartbeatMs))).toMatchObject({ [name]: 100 })
  })
})

it("accepts 0 for resumeWindowMs, with which no session waits for a resume", () => {
  expect(checkLimits({ resumeWindowMs: 0 })).toEqual({ ...defaultServerLimits, resumeWindowMs: 0 })
})

it("accepts 0 for leaveWindowMs, with which no session waits for a page that was left", () => {
  expect(checkLimits({ leaveWindowMs: 0 })).toEqual({ ...defaultServerLimits, leaveWindowMs: 0 })
})

it("checks limits when a server is created", () => {
  const contract = defineContract({ name: "empty", commands: {}, queries: {}, events: {} })
  const authenticate = (token: string): { id: string } => ({ id: token })
  expect(() => createServer(contract, { authenticate, limits: { pingAfterMs: 50 } })).toThrow(
    "limits.pingAfterMs must be at least 100 ms, not 50",
  )
})
