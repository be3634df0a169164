import { HawserError } from "@hawser/protocol"
import { describe, expect, it } from "vitest"
import { initialReconnect } from "./reconnect-state.ts"
import { sameStatus, statusIterator, statusOf } from "./status.ts"
import type { ClientStatus } from "./status.ts"

const open: ClientStatus = { state: "open" }
const connecting: ClientStatus = { state: "connecting", attempt: 0 }
const waiting = (attempt: number): ClientStatus => ({
  state: "reconnecting",
  attempt,
  delayMs: 10,
  waiting: true,
  error: undefined,
})

/** An iterator over a feed that a test drives. */
function setUp(current: ClientStatus = connecting) {
  const listeners = new Set<(status: ClientStatus) => void>()
  const statuses = statusIterator(current, (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  })
  const tell = (status: ClientStatus): void => {
    for (const listener of listeners) listener(status)
  }
  return { statuses, tell, listeners }
}

describe("statusIterator", () => {
  it("yields the current status, then every change in order", async () => {
    const { statuses, tell } = setUp()
    tell(open)
    tell(waiting(1))
    expect([await statuses.next(), await statuses.next(), await statuses.next()]).toEqual(
      [connecting, open, waiting(1)].map((value) => ({ value, done: false })),
    )
  })

  it("answers readers that wait, first come first served", async () => {
    const { statuses, tell } = setUp()
    await statuses.next()
    const readers = [statuses.next(), statuses.next()]
    tell(open)
    tell(waiting(1))
    tell(waiting(2))
    expect(await Promise.all(readers)).toEqual([open, waiting(1)].map((value) => ({ value, done: false })))
    expect(await statuses.next()).toEqual({ value: waiting(2), done: false })
  })

  it("unsubscribes when the loop is left", async () => {
    const { statuses, tell, listeners } = setUp()
    tell(open)
    const seen: string[] = []
    for await (const status of statuses) {
      seen.push(status.state)
      if (status.state === "open") break
    }
    expect(seen).toEqual(["connecting", "open"])
    expect(listeners.size).toBe(0)
    expect(await statuses.next()).toEqual({ value: undefined, done: true })
  })

  it("ends waiting readers and drops unread statuses on return, also twice", async () => {
    const { statuses, tell } = setUp()
    await statuses.next()
    const reader = statuses.next()
    expect(await statuses.return?.()).toEqual({ value: undefined, done: true })
    expect(await reader).toEqual({ value: undefined, done: true })
    tell(open)
    expect(await statuses.return?.()).toEqual({ value: undefined, done: true })
    expect(await statuses.next()).toEqual({ value: undefined, done: true })
  })

  it("loses the oldest changes of a reader that is more than 64 behind", async () => {
    const { statuses, tell } = setUp()
    for (let attempt = 1; attempt <= 100; attempt += 1) tell(waiting(attempt))
    const first = await statuses.next()
    expect(first.value).toEqual(waiting(37))
    for (let count = 1; count < 64; count += 1) await statuses.next()
    const reader = statuses.next()
    tell(open)
    expect((await reader).value).toEqual(open)
  })

  it("is its own iterable", () => {
    const { statuses } = setUp()
    expect(statuses[Symbol.asyncIterator]()).toBe(statuses)
  })
})

describe("statusOf", () => {
  const { row } = initialReconnect()
  const error = new HawserError("connection_lost")
  const failed = { ...row, failures: 2, lastError: error }
  const limited = { deadlineMs: 1, overdueAtMs: 1 }
  const connection = {
    row,
    openedAtMs: 1,
    token: "",
    isUnconfirmed: false,
    openDial: 0,
    isProven: false,
    renewal: undefined,
  }
  const reconnecting = { state: "reconnecting", attempt: 2, delayMs: 0, waiting: false, error }

  it.each([
    [initialReconnect(), { state: "idle" }],
    [{ kind: "gettingToken", row, isCounted: true, ...limited } as const, connecting],
    [{ kind: "dialing", row, token: "", ...limited } as const, connecting],
    [{ kind: "authenticating", row, token: "", isMove: false, ...limited } as const, connecting],
    [{ kind: "authenticating", row, token: "", isMove: true, ...limited } as const, open],
    [{ kind: "open", moveAtMs: undefined, ...connection } as const, open],
    [{ kind: "moving", deadlineMs: 1, ...connection } as const, open],
    [
      { kind: "waiting", row: failed, dueAtMs: 5, delayMs: 9 } as const,
      { ...reconnecting, delayMs: 9, waiting: true },
    ],
    [{ kind: "gettingToken", row: failed, isCounted: true, ...limited } as const, reconnecting],
    [
      { kind: "dialing", row: { ...row, wasOpen: true }, token: "", ...limited } as const,
      { ...reconnecting, attempt: 0, error: undefined },
    ],
    [{ kind: "closed", row, error } as const, { state: "closed", error }],
  ])("tells of $kind", (state, expected) => {
    expect(statusOf(state)).toEqual(expected)
  })
})

describe("sameStatus", () => {
  it("compares what a watcher can tell apart", () => {
    expect(sameStatus(open, { state: "open" })).toBe(true)
    expect(sameStatus(open, connecting)).toBe(false)
    expect(sameStatus(waiting(1), waiting(1))).toBe(true)
    expect(sameStatus(waiting(1), waiting(2))).toBe(false)
    expect(
      sameStatus(waiting(1), {
        state: "reconnecting",
        attempt: 1,
        delayMs: 10,
        waiting: false,
        error: undefined,
      }),
    ).toBe(false)
  })
})
