import { HawserError, closeCode } from "@hawser/protocol"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialReconnect, stepReconnect, wakeAtReconnect } from "./reconnect.machine.ts"
import type {
  ReconnectEffect,
  ReconnectInput,
  ReconnectOptions,
  ReconnectState,
} from "./reconnect.machine.ts"
import { fixed, noReconnect } from "./strategies.ts"

const options: ReconnectOptions = {
  strategy: fixed({ baseMs: 1000, jitter: "none" }),
  tokenTimeoutMs: 100,
  dialTimeoutMs: 200,
  welcomeTimeoutMs: 300,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 60_000,
}

/** A supervisor under test: its state, the time, and everything it asked for. */
class Supervisor {
  state: ReconnectState = initialReconnect()
  nowMs = 0
  random = 0
  effects: ReconnectEffect[] = []
  readonly #options: ReconnectOptions

  constructor(changed: Partial<ReconnectOptions> = {}) {
    this.#options = { ...options, ...changed }
  }

  get dial(): number {
    return this.state.row.dial
  }

  step(input: ReconnectInput): string {
    const { nowMs, random } = this
    const [state, effects] = stepReconnect(this.#options, this.state, input, { nowMs, random })
    this.state = state
    this.effects = [...effects]
    return [state.kind, ...effects.map((effect) => effect.kind)].join(" ")
  }

  /** Lets time pass until the machine wants to be woken. */
  wake(): string {
    this.nowMs = wakeAtReconnect(this.state) ?? this.nowMs
    return this.step({ kind: "wake" })
  }

  lose(code: number, error?: HawserError): string {
    return this.step({ kind: "lost", dial: this.dial, code, error })
  }

  /** From wherever a token is awaited to an open session. */
  open(token = "good"): this {
    this.step({ kind: "token", dial: this.dial, token })
    this.step({ kind: "opened", dial: this.dial })
    this.step({ kind: "welcomed", dial: this.dial })
    return this
  }
}

type Kind = ReconnectState["kind"]

/** A supervisor in the given state, by the shortest way. */
function inState(kind: Kind): Supervisor {
  const supervisor = new Supervisor()
  const way: Record<Kind, readonly ReconnectInput["kind"][]> = {
    idle: [],
    gettingToken: ["connect"],
    dialing: ["connect", "token"],
    authenticating: ["connect", "token", "opened"],
    open: ["connect", "token", "opened", "welcomed"],
    waiting: ["connect", "token", "lost"],
    closed: ["connect", "token", "close"],
  }
  for (const step of way[kind]) supervisor.step(inputOf(step, supervisor.dial))
  expect(supervisor.state.kind).toBe(kind)
  return supervisor
}

function inputOf(kind: ReconnectInput["kind"], dial: number): ReconnectInput {
  switch (kind) {
    case "connect":
    case "close":
    case "wake":
      return { kind }
    case "token":
      return { kind, dial, token: "good" }
    case "tokenFailed":
    case "failed":
      return { kind, dial, error: new HawserError("connection_timeout") }
    case "opened":
    case "welcomed":
      return { kind, dial }
    case "lost":
      return { kind, dial, code: 1006, error: undefined }
  }
}

const kinds = ["idle", "gettingToken", "dialing", "authenticating", "open", "waiting", "closed"] as const
const dialled = ["token", "tokenFailed", "opened", "welcomed", "failed", "lost"] as const
const inputs = ["connect", "close", ...dialled, "wake"] as const

// The cells that change anything: `state + input` → the next state and the effects. Every other cell does nothing.
const transitions: Readonly<Record<string, string>> = {
  "idle + connect": "gettingToken getToken",
  "idle + close": "closed",
  "gettingToken + close": "closed",
  "gettingToken + token": "dialing dial",
  "gettingToken + tokenFailed": "waiting",
  "gettingToken + failed": "waiting",
  "gettingToken + lost": "waiting",
  "dialing + close": "closed abandon",
  "dialing + opened": "authenticating sendHello",
  "dialing + failed": "waiting abandon",
  "dialing + lost": "waiting abandon",
  "authenticating + close": "closed abandon",
  "authenticating + welcomed": "open",
  "authenticating + failed": "waiting abandon",
  "authenticating + lost": "waiting abandon",
  "open + close": "closed abandon sessionLost",
  "open + failed": "waiting abandon sessionLost",
  "open + lost": "waiting abandon sessionLost",
  "waiting + connect": "gettingToken getToken",
  "waiting + close": "closed",
  "closed + connect": "gettingToken getToken",
}
const cells = kinds.flatMap((kind) => inputs.map((input) => [kind, input] as const))

describe("every state × every input", () => {
  it.each(cells)("answers in %s to %s", (kind, input) => {
    const supervisor = inState(kind)
    const before = supervisor.state
    const expected = transitions[`${kind} + ${input}`]
    expect(supervisor.step(inputOf(input, supervisor.dial))).toBe(expected ?? kind)
    if (expected === undefined) expect(supervisor.state).toBe(before)
  })

  it.each(kinds.flatMap((kind) => dialled.map((input) => [kind, input] as const)))(
    "ignores in %s a %s of another dial",
    (kind, input) => {
      const supervisor = inState(kind)
      const before = supervisor.state
      for (const away of [-2, -1, 1, 2]) {
        expect(supervisor.step(inputOf(input, supervisor.dial + away))).toBe(kind)
        expect(supervisor.state).toBe(before)
      }
    },
  )

  it.each([
    ["gettingToken", 100, "waiting"],
    ["dialing", 200, "waiting abandon"],
    ["authenticating", 300, "waiting abandon"],
    ["waiting", 1000, "gettingToken getToken"],
  ] as const)("does in %s on time, after %d ms, and not before: %s", (kind, afterMs, expected) => {
    const supervisor = inState(kind)
    expect(wakeAtReconnect(supervisor.state)).toBe(afterMs)
    supervisor.nowMs = afterMs - 1
    expect(supervisor.step({ kind: "wake" })).toBe(kind)
    supervisor.nowMs = afterMs
    expect(supervisor.step({ kind: "wake" })).toBe(expected)
  })

  it.each(["idle", "open", "closed"] as const)("wants no waking in %s", (kind) => {
    expect(wakeAtReconnect(inState(kind).state)).toBeUndefined()
  })

  it("names the token and the dial in its effects", () => {
    const supervisor = new Supervisor()
    supervisor.step({ kind: "connect" })
    expect(supervisor.effects).toEqual([{ kind: "getToken", dial: 1, refused: undefined }])
    supervisor.step({ kind: "token", dial: 1, token: "abc" })
    expect(supervisor.effects).toEqual([{ kind: "dial", dial: 1 }])
    supervisor.step({ kind: "opened", dial: 1 })
    expect(supervisor.effects).toEqual([{ kind: "sendHello", dial: 1, token: "abc" }])
    supervisor.step({ kind: "welcomed", dial: 1 })
    supervisor.lose(1006)
    expect(supervisor.effects).toMatchObject([
      { kind: "abandon", dial: 1 },
      { kind: "sessionLost", error: { code: "connection_lost" } },
    ])
  })
})

describe("the end of a connection", () => {
  it.each([
    [closeCode.forbidden, "auth_forbidden"],
    [closeCode.replaced, "replaced"],
  ])("never retries close code %d", (code, expected) => {
    for (const kind of ["dialing", "authenticating", "open"] as const) {
      const supervisor = inState(kind)
      supervisor.lose(code)
      expect(supervisor.state).toMatchObject({ kind: "closed", error: { code: expected } })
      expect(supervisor.wake()).toBe("closed")
    }
  })

  it.each([1000, 1001, 1002, 1003, 1006, 1011, 1012, 1013, 4400, 4408, 4410, 4413, 4429, 4500, 4503, 4999])(
    "retries close code %d",
    (code) => {
      const supervisor = inState("open")
      expect(supervisor.lose(code)).toBe("waiting abandon sessionLost")
    },
  )

  it("believes what the server said before its close code", () => {
    const supervisor = inState("open")
    supervisor.lose(1006, new HawserError("replaced"))
    expect(supervisor.state).toMatchObject({ kind: "closed", error: { code: "replaced" } })
    const shut = inState("open")
    shut.lose(4403, new HawserError("server_shutdown"))
    expect(shut.state.kind).toBe("waiting")
  })

  it.each([
    [5_000, 0, 5_000],
    [5_000, 0.5, 5_250],
    [500, 0.9, 1_000],
    [-5, 0, 1_000],
    [1e12, 0, 60_000],
    [Infinity, 0, 60_000],
  ])("honours and clamps a retryAfter of %d ms (draw %d) → %d ms", (retryAfterMs, random, delayMs) => {
    const supervisor = inState("open")
    supervisor.random = random
    supervisor.lose(4429, new HawserError("rate_limited", { retryAfterMs }))
    expect(supervisor.state).toMatchObject({ kind: "waiting", delayMs, dueAtMs: delayMs })
  })
})

describe("a refused token", () => {
  const refuse = (supervisor: Supervisor, token: string): string => {
    supervisor.step({ kind: "token", dial: supervisor.dial, token })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    return supervisor.lose(4401)
  }

  it("asks at once for another one, and says why", () => {
    const supervisor = inState("gettingToken")
    expect(refuse(supervisor, "old")).toBe("gettingToken abandon getToken")
    expect(supervisor.effects[1]).toMatchObject({ kind: "getToken", refused: { code: "auth_token_invalid" } })
  })

  it("ends the attempts when the same token comes again", () => {
    const supervisor = inState("gettingToken")
    refuse(supervisor, "old")
    expect(supervisor.step({ kind: "token", dial: supervisor.dial, token: "old" })).toBe("closed")
    expect(supervisor.state).toMatchObject({ error: { code: "auth_token_invalid" } })
  })

  it("waits after the second refusal, and remembers both", () => {
    const supervisor = inState("gettingToken")
    refuse(supervisor, "one")
    expect(refuse(supervisor, "two")).toBe("waiting abandon")
    supervisor.wake()
    expect(supervisor.step({ kind: "token", dial: supervisor.dial, token: "one" })).toBe("closed")
  })

  it("names the refusal, not a later lost network, when it ends the attempts", () => {
    const supervisor = inState("gettingToken")
    refuse(supervisor, "one")
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "two" })
    supervisor.lose(1006)
    supervisor.wake()
    expect(supervisor.effects).toMatchObject([{ kind: "getToken", refused: { code: "auth_token_invalid" } }])
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "one" })
    expect(supervisor.state).toMatchObject({ kind: "closed", error: { code: "auth_token_invalid" } })
  })

  it("is taken again after a session that was open, and after connect", () => {
    const supervisor = inState("gettingToken")
    refuse(supervisor, "one")
    supervisor.open("two")
    supervisor.lose(1006)
    supervisor.wake()
    expect(supervisor.effects).toMatchObject([{ kind: "getToken", refused: undefined }])
    expect(supervisor.step({ kind: "token", dial: supervisor.dial, token: "one" })).toBe("dialing dial")
    refuse(supervisor, "one")
    supervisor.step({ kind: "close" })
    supervisor.step({ kind: "connect" })
    expect(supervisor.step({ kind: "token", dial: supervisor.dial, token: "one" })).toBe("dialing dial")
  })
})

describe("the count of failures", () => {
  const failedOpen = (heldMs: number): Supervisor => {
    const supervisor = inState("waiting")
    supervisor.wake()
    supervisor.open()
    supervisor.nowMs += heldMs
    supervisor.lose(1006)
    return supervisor
  }

  it.each([
    [0, 2],
    [9_999, 2],
    [10_000, 1],
    [50_000, 1],
  ])("after a session of %d ms counts %d", (heldMs, failures) => {
    expect(failedOpen(heldMs).state.row.failures).toBe(failures)
  })

  it("gives up after the strategy's attempts, with the last error as the cause", () => {
    const supervisor = new Supervisor({ strategy: fixed({ baseMs: 10, attempts: 3, jitter: "none" }) })
    supervisor.step({ kind: "connect" })
    const seen = [1, 2, 3, 4].map(() => {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      const result = supervisor.lose(1006)
      if (supervisor.state.kind === "waiting") supervisor.wake()
      return result
    })
    expect(seen).toEqual(["waiting abandon", "waiting abandon", "waiting abandon", "closed abandon"])
    expect(supervisor.state).toMatchObject({
      error: { code: "reconnect_exhausted", cause: { code: "connection_lost" } },
    })
    supervisor.step({ kind: "connect" })
    expect(supervisor.state.row.failures).toBe(0)
  })

  it("gives up when the next attempt would start after totalMs, the server's wait included", () => {
    const strategy = fixed({ baseMs: 1000, totalMs: 2500, jitter: "none" })
    const supervisor = new Supervisor({ strategy })
    supervisor.step({ kind: "connect" })
    for (const expected of ["waiting", "waiting", "closed"]) {
      supervisor.step({ kind: "tokenFailed", dial: supervisor.dial, error: new HawserError("timeout") })
      expect(supervisor.state.kind).toBe(expected)
      if (expected === "waiting") supervisor.wake()
    }
    const asked = new Supervisor({ strategy })
    asked.step({ kind: "connect" })
    asked.open()
    asked.lose(4429, new HawserError("rate_limited", { retryAfterMs: 2501 }))
    expect(asked.state).toMatchObject({ kind: "closed", error: { code: "reconnect_exhausted" } })
  })

  it("closes at the first failure with noReconnect", () => {
    const supervisor = new Supervisor({ strategy: noReconnect })
    supervisor.step({ kind: "connect" })
    supervisor.open()
    expect(supervisor.lose(1006)).toBe("closed abandon sessionLost")
  })
})

describe("random sequences", () => {
  const errors = [
    new HawserError("connection_timeout"),
    new HawserError("auth_token_invalid"),
    new HawserError("auth_token_expired", { retryAfterMs: 2000 }),
    new HawserError("rate_limited", { retryAfterMs: 1e9 }),
    new HawserError("replaced"),
  ]
  const codes = [1000, 1006, 1008, 1012, 4401, 4403, 4409, 4429, 4503]
  /** The input that carries each state on, so that sequences reach deep states. */
  const onward: Record<Kind, ReconnectInput["kind"]> = {
    idle: "connect",
    gettingToken: "token",
    dialing: "opened",
    authenticating: "welcomed",
    open: "lost",
    waiting: "wake",
    closed: "connect",
  }
  const moves = fc.array(
    fc.record({
      input: fc.oneof({ weight: 3, arbitrary: fc.constant("onward" as const) }, fc.constantFrom(...inputs)),
      away: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 1 })),
      error: fc.constantFrom(...errors),
      code: fc.constantFrom(...codes),
      token: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      passMs: fc.constantFrom(0, 1, 150, 1000, 10_000),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
    { maxLength: 60, size: "max" },
  )
  type Move = typeof moves extends fc.Arbitrary<readonly (infer M)[]> ? M : never

  function inputFor({ input, away, error, code, token }: Move, state: ReconnectState): ReconnectInput {
    const kind = input === "onward" ? onward[state.kind] : input
    const dial = state.row.dial + away
    if (kind === "token") return { kind, dial, token }
    if (kind === "failed" || kind === "tokenFailed") return { kind, dial, error }
    if (kind === "lost") return { kind, dial, code, error: code === 1006 ? error : undefined }
    return inputOf(kind, dial)
  }

  /** Keeps the books that the invariants of the machine's header speak of. */
  class Books {
    readonly alive = new Set<number>()
    readonly refused = new Set<string>()
    lastDial = 0

    check(before: ReconnectState, input: ReconnectInput, supervisor: Supervisor): void {
      const { state: after, effects } = supervisor
      const restarted = input.kind === "connect" && (before.kind === "idle" || before.kind === "closed")
      if (restarted || (before.kind === "open" && after.kind !== "open")) this.refused.clear()
      this.#noteRefusal(before, after)
      for (const effect of effects) this.#apply(effect, after)
      // (3) After `closed` nothing happens until `connect`.
      if (before.kind === "closed" && input.kind !== "connect") {
        expect(after).toBe(before)
        expect(effects).toEqual([])
      }
      // (4) The count resets only after a stable session; a person's connect starts a new row.
      if (after.row.failures < before.row.failures && !restarted) {
        expect(before.kind).toBe("open")
        if (before.kind === "open")
          expect(supervisor.nowMs - before.openedAtMs).toBeGreaterThanOrEqual(10_000)
        expect(after.row.failures).toBe(1)
      }
      if (restarted) expect(after.row.failures).toBe(0)
      expect(after.row.failures - before.row.failures).toBeLessThanOrEqual(1)
      const isSocketState = ["dialing", "authenticating", "open"].includes(after.kind)
      expect([...this.alive]).toEqual(isSocketState ? [after.row.dial] : [])
      if (after.kind === "waiting") {
        expect(after.delayMs).toBeGreaterThanOrEqual(1000)
        expect(after.delayMs).toBeLessThanOrEqual(66_000)
      }
      if (input.kind === "close") expect(after.kind).toBe("closed")
    }

    #noteRefusal(before: ReconnectState, after: ReconnectState): void {
      const failed = after.row.lastError !== before.row.lastError && after.kind !== "closed"
      if (failed && "token" in before && after.row.lastError?.retry === "afterReauth")
        this.refused.add(before.token)
    }

    #apply(effect: ReconnectEffect, after: ReconnectState): void {
      switch (effect.kind) {
        case "dial":
          expect([...this.alive]).toEqual([]) // (1)
          expect(effect.dial).toBeGreaterThan(this.lastDial)
          this.lastDial = effect.dial
          this.alive.add(effect.dial)
          break
        case "sendHello":
          expect(this.alive.has(effect.dial)).toBe(true)
          expect([...this.refused]).not.toContain(effect.token) // (2)
          break
        case "abandon":
          expect(this.alive.delete(effect.dial)).toBe(true)
          break
        case "getToken":
          expect(effect.dial).toBe(after.row.dial)
          break
        case "sessionLost":
          break
      }
    }
  }

  it("keeps invariants 1 to 4", () => {
    const reached = new Map<string, number>()
    fc.assert(
      fc.property(moves, (sequence) => {
        const supervisor = new Supervisor()
        const books = new Books()
        for (const move of sequence) {
          const before = supervisor.state
          supervisor.nowMs += move.passMs
          if (move.input === "onward") supervisor.nowMs = Math.max(supervisor.nowMs, wakeIfWaiting(before))
          supervisor.random = move.random
          const input = inputFor(move, before)
          supervisor.step(input)
          books.check(before, input, supervisor)
          reached.set(supervisor.state.kind, (reached.get(supervisor.state.kind) ?? 0) + 1)
        }
      }),
      { numRuns: 1000 },
    )
    for (const kind of kinds) expect(reached.get(kind) ?? 0, kind).toBeGreaterThan(200)
  })

  it("never dials after close until connect, from wherever it was", () => {
    fc.assert(
      fc.property(moves, moves, (before, after) => {
        const supervisor = new Supervisor()
        for (const move of before) supervisor.step(inputFor(move, supervisor.state))
        supervisor.step({ kind: "close" })
        expect(supervisor.state.kind).toBe("closed")
        for (const move of after) {
          supervisor.nowMs += move.passMs
          const input = inputFor(move, supervisor.state)
          if (input.kind === "connect") continue
          expect(supervisor.step(input)).toBe("closed")
        }
      }),
      { numRuns: 1000 },
    )
  })

  function wakeIfWaiting(state: ReconnectState): number {
    return state.kind === "waiting" ? state.dueAtMs : 0
  }
})
