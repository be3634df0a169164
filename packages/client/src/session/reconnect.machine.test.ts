import { HawserError } from "@hawser/protocol"
import { closeCode } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { DialBudget } from "./dial-budget.ts"
import { stepReconnect } from "./reconnect.machine.ts"
import { initialReconnect, wakeAtReconnect } from "./reconnect-state.ts"
import type { ReconnectEffect, ReconnectInput, ReconnectOptions, ReconnectState } from "./reconnect-state.ts"
import { exponential, fixed, noReconnect } from "./strategies.ts"
import type { ReconnectStrategy } from "./strategies.ts"

const options: ReconnectOptions = {
  strategy: fixed({ baseMs: 1000, jitter: "none" }),
  // So large that only the tests of the budget meet it.
  dialBurst: 1e6,
  dialsPerMinute: 1e6,
  dialTimeoutMaxMs: 1_000,
  stableAfterMs: 10_000,
  retryAfterMaxMs: 60_000,
}
const limits = { tokenMs: 100, dialMs: 200, welcomeMs: 300 }
const defaultBudget = { dialBurst: 3, dialsPerMinute: 12 }

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
    const [state, effects] = stepReconnect(this.#options, this.state, input, { nowMs, random, limits })
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
  open(token = "good", resumed = false): this {
    this.step({ kind: "token", dial: this.dial, token })
    this.step({ kind: "opened", dial: this.dial })
    this.step({ kind: "welcomed", dial: this.dial, resumed })
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
    moving: ["connect", "token", "opened", "welcomed", "move"],
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
    case "hurry":
    case "close":
    case "move":
    case "wake":
      return { kind }
    case "renewed":
      return { kind, renewal: 1, token: "fresh" }
    case "token":
      return { kind, dial, token: "good" }
    case "tokenFailed":
    case "failed":
      return { kind, dial, error: new HawserError("connection_timeout") }
    case "opened":
    case "renew":
    case "confirmed":
      return { kind, dial }
    case "welcomed":
      return { kind, dial, resumed: false }
    case "lost":
      return { kind, dial, code: 1006, error: undefined }
  }
}

const kinds = [
  ...(["idle", "gettingToken", "dialing", "authenticating"] as const),
  ...(["open", "moving", "waiting", "closed"] as const),
] as const
const dialled = [
  "token",
  "tokenFailed",
  "opened",
  "welcomed",
  "failed",
  "lost",
  "renew",
  "confirmed",
] as const
const inputs = ["connect", "hurry", "close", ...dialled, "renewed", "move", "wake"] as const

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
  "open + close": "closed abandon connectionLost",
  "open + failed": "waiting abandon connectionLost",
  "open + lost": "waiting abandon connectionLost",
  "open + move": "moving dial",
  "open + renew": "open renewToken",
  "moving + close": "closed abandon abandon connectionLost",
  "moving + opened": "authenticating abandon sendHello",
  "moving + failed": "open abandon",
  "moving + lost": "open abandon",
  "moving + renew": "moving renewToken",
  "waiting + connect": "gettingToken getToken",
  "waiting + hurry": "gettingToken getToken",
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
      // While moving, the dial before is the one that is open.
      for (const away of kind === "moving" ? [-3, -2, 1, 2] : [-2, -1, 1, 2]) {
        expect(supervisor.step(inputOf(input, supervisor.dial + away))).toBe(kind)
        expect(supervisor.state).toBe(before)
      }
    },
  )

  it.each([
    ["gettingToken", 100, "waiting"],
    ["dialing", 200, "waiting abandon"],
    ["authenticating", 300, "waiting abandon"],
    ["moving", 200, "open abandon"],
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
    supervisor.step({ kind: "welcomed", dial: 1, resumed: false })
    supervisor.lose(1006)
    expect(supervisor.effects).toMatchObject([
      { kind: "abandon", dial: 1 },
      { kind: "connectionLost", error: { code: "connection_lost" } },
    ])
  })
})

describe("the move to a successor", () => {
  const old = 1
  const young = 2

  it("dials with the current token, and keeps the old connection until the new one is open", () => {
    const supervisor = inState("open")
    expect(supervisor.step({ kind: "move" })).toBe("moving dial")
    expect(supervisor.effects).toEqual([{ kind: "dial", dial: young }])
    supervisor.step({ kind: "opened", dial: young })
    expect(supervisor.effects).toEqual([
      { kind: "abandon", dial: old },
      { kind: "sendHello", dial: young, token: "good" },
    ])
    expect(supervisor.state).toMatchObject({ kind: "authenticating", isMove: true })
    expect(supervisor.step({ kind: "welcomed", dial: young, resumed: true })).toBe("open")
    expect(supervisor.state).toMatchObject({ openDial: young })
  })

  it("is no move when the first connection logs in", () => {
    expect(inState("authenticating").state).toMatchObject({ isMove: false })
  })

  it.each(["token", "tokenFailed", "opened", "welcomed"] as const)(
    "ignores a %s of the old connection",
    (kind) => {
      const supervisor = inState("moving")
      const before = supervisor.state
      expect(supervisor.step(inputOf(kind, old))).toBe("moving")
      expect(supervisor.state).toBe(before)
    },
  )

  it("stays on the old connection when the dial fails, under the old one's number, and can move again", () => {
    const supervisor = inState("moving")
    supervisor.step({ kind: "lost", dial: young, code: 1006, error: undefined })
    expect(supervisor.effects).toEqual([{ kind: "abandon", dial: young }])
    expect(supervisor.state).toMatchObject({ kind: "open", openDial: old })
    expect(supervisor.step({ kind: "lost", dial: young, code: 1006, error: undefined })).toBe("open")
    expect(supervisor.step({ kind: "move" })).toBe("moving dial")
    expect(supervisor.effects).toEqual([{ kind: "dial", dial: 3 }])
  })

  it("waits after the old connection ended that a failed move had left", () => {
    const supervisor = inState("moving")
    supervisor.wake()
    expect(supervisor.step({ kind: "lost", dial: old, code: 1006, error: undefined })).toBe(
      "waiting abandon connectionLost",
    )
    expect(supervisor.effects[0]).toEqual({ kind: "abandon", dial: old })
  })

  it("continues the dial when the old connection ends first", () => {
    const supervisor = inState("moving")
    expect(supervisor.step({ kind: "lost", dial: old, code: 4503, error: undefined })).toBe(
      "dialing abandon connectionLost",
    )
    expect(supervisor.effects[0]).toEqual({ kind: "abandon", dial: old })
    expect(wakeAtReconnect(supervisor.state)).toBe(200)
    supervisor.step({ kind: "opened", dial: young })
    expect(supervisor.state).toMatchObject({ kind: "authenticating", isMove: false })
    supervisor.step({ kind: "welcomed", dial: young, resumed: true })
    expect(supervisor.state).toMatchObject({ kind: "open", openDial: young })
  })

  it("gives both up when the old connection ends for good", () => {
    const supervisor = inState("moving")
    const error = new HawserError("replaced")
    expect(supervisor.step({ kind: "failed", dial: old, error })).toBe(
      "closed abandon abandon connectionLost",
    )
    expect(supervisor.effects.slice(0, 2)).toEqual([
      { kind: "abandon", dial: young },
      { kind: "abandon", dial: old },
    ])
    expect(supervisor.state).toMatchObject({ error: { code: "replaced" } })
  })

  it("asks for a fresh token when the old connection ends because of its token", () => {
    const supervisor = inState("moving")
    supervisor.nowMs = 10_000
    expect(supervisor.step({ kind: "lost", dial: old, code: 4401, error: undefined })).toBe(
      "gettingToken abandon abandon connectionLost getToken",
    )
  })

  it.each(["failed", "lost"] as const)("tells of the lost connection when the login ends by %s", (kind) => {
    const supervisor = inState("moving")
    supervisor.step({ kind: "opened", dial: young })
    expect(supervisor.step(inputOf(kind, young))).toBe("waiting abandon connectionLost")
    expect(supervisor.effects[0]).toEqual({ kind: "abandon", dial: young })
  })

  it("tells of the lost connection when no WELCOME comes, and when the client is closed before", () => {
    const late = inState("moving")
    late.step({ kind: "opened", dial: young })
    expect(late.wake()).toBe("waiting abandon connectionLost")
    const closed = inState("moving")
    closed.step({ kind: "opened", dial: young })
    expect(closed.step({ kind: "close" })).toBe("closed abandon connectionLost")
  })

  it("gets a fresh token at once when the current one has expired, whatever was refused long ago", () => {
    const supervisor = inState("gettingToken")
    supervisor.step({ kind: "token", dial: 1, token: "old" })
    supervisor.step({ kind: "opened", dial: 1 })
    supervisor.lose(4401)
    supervisor.open("good")
    supervisor.step({ kind: "move" })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    expect(supervisor.lose(4401)).toBe("gettingToken abandon connectionLost getToken")
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
      expect(supervisor.lose(code)).toBe("waiting abandon connectionLost")
    },
  )

  it("prefers the server's error to its close code", () => {
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
  ])(
    "abuse-A50 honours and clamps a retryAfter of %d ms (draw %d) → %d ms",
    (retryAfterMs, random, delayMs) => {
      const supervisor = inState("open")
      supervisor.random = random
      supervisor.lose(4429, new HawserError("rate_limited", { retryAfterMs }))
      expect(supervisor.state).toMatchObject({ kind: "waiting", delayMs, dueAtMs: delayMs })
    },
  )
})

describe("a refused token", () => {
  const refuse = (supervisor: Supervisor, token: string): string => {
    supervisor.step({ kind: "token", dial: supervisor.dial, token })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    return supervisor.lose(4401)
  }

  it("gets another one at once, with the error of the refused one", () => {
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

  it("surprise-A3 begins anew with each resume: the next outage is at attempt 1, however soon it comes", () => {
    const supervisor = new Supervisor({ strategy: exponential(), ...defaultBudget })
    supervisor.random = 0.999
    supervisor.step({ kind: "connect" })
    supervisor.open("good")
    for (let cuts = 0; cuts < 20; cuts += 1) {
      supervisor.nowMs += 5_000
      supervisor.lose(1006)
      expect(supervisor.state).toMatchObject({ kind: "waiting", row: { failures: 1 } })
      const lostAtMs = supervisor.nowMs
      supervisor.wake()
      expect(supervisor.state.kind).toBe("gettingToken")
      expect(supervisor.nowMs - lostAtMs).toBeLessThanOrEqual(250)
      supervisor.open("good", true)
    }
  })

  it("surprise-A3 goes on with a new session that dies at once, so that its server gets longer pauses", () => {
    const supervisor = new Supervisor({ strategy: exponential({ jitter: "none" }) })
    supervisor.step({ kind: "connect" })
    const delays = [1, 2, 3, 4, 5, 6, 7].map(() => {
      supervisor.open()
      supervisor.lose(4500)
      const { state } = supervisor
      supervisor.wake()
      return state.kind === "waiting" ? state.delayMs : undefined
    })
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000])
  })

  it("surprise-A3 dials at connect, whatever the strategy and the server asked to wait", () => {
    const supervisor = new Supervisor(defaultBudget)
    supervisor.step({ kind: "connect" })
    for (let failures = 0; failures < 20; failures += 1) {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      supervisor.lose(4429, new HawserError("rate_limited", { retryAfterMs: 30_000 }))
      expect(supervisor.state.kind).toBe("waiting")
      expect(supervisor.step({ kind: "connect" })).toBe("gettingToken getToken")
    }
  })

  it("begins anew when a stable connection was left by a move that fails", () => {
    for (const ending of ["old lost first", "login fails"]) {
      const supervisor = inState("waiting")
      supervisor.wake()
      supervisor.open()
      supervisor.nowMs += 3_600_000
      const openDial = supervisor.dial
      supervisor.step({ kind: "move" })
      if (ending === "old lost first")
        supervisor.step({ kind: "lost", dial: openDial, code: 4503, error: undefined })
      else supervisor.step({ kind: "opened", dial: supervisor.dial })
      supervisor.lose(1006)
      expect(supervisor.state.row, ending).toMatchObject({
        // The dial that was under way when the old one was lost was the first attempt of the outage.
        failures: ending === "old lost first" ? 2 : 1,
        firstFailureAtMs: supervisor.nowMs,
        wasOpen: true,
      })
    }
  })

  it("goes on when an unstable connection was left by a move that fails", () => {
    const supervisor = inState("waiting")
    supervisor.wake()
    supervisor.open()
    supervisor.nowMs += 9_999
    supervisor.step({ kind: "move" })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    supervisor.lose(1006)
    expect(supervisor.state.row.failures).toBe(2)
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
    expect(supervisor.lose(1006)).toBe("closed abandon connectionLost")
  })
})

describe("the dial budget", () => {
  /** Lets time pass, and answers every effect as a hostile server would, until `untilMs` or 10,000 steps. */
  function suffer(
    supervisor: Supervisor,
    untilMs: number,
    answer: (effect: ReconnectEffect, supervisor: Supervisor) => ReconnectInput | undefined,
  ): { dials: number; tokens: number } {
    const seen = { dials: 0, tokens: 0 }
    let effects = supervisor.effects
    for (let steps = 0; steps < 10_000; steps += 1) {
      for (const { kind } of effects) {
        if (kind === "dial") seen.dials += 1
        if (kind === "getToken" || kind === "renewToken") seen.tokens += 1
      }
      const inputs = effects.flatMap((effect) => answer(effect, supervisor) ?? [])
      effects = []
      for (const input of inputs) {
        supervisor.step(input)
        effects = [...effects, ...supervisor.effects]
      }
      if (inputs.length > 0) continue
      const atMs = wakeAtReconnect(supervisor.state)
      if (atMs === undefined || atMs >= untilMs) return seen
      supervisor.wake()
      effects = supervisor.effects
    }
    return seen
  }

  let fresh = 0
  /** The next input on the way to an open session: a fresh token each time, an open socket, WELCOME. */
  function welcome(effect: ReconnectEffect, resumed = false): ReconnectInput[] {
    if (effect.kind === "getToken")
      return [{ kind: "token", dial: effect.dial, token: `fresh ${(fresh += 1)}` }]
    if (effect.kind === "dial") return [{ kind: "opened", dial: effect.dial }]
    if (effect.kind === "sendHello") return [{ kind: "welcomed", dial: effect.dial, resumed }]
    return []
  }

  const later = new HawserError("session_thrash", { retry: "later" })
  const refused = new HawserError("auth_token_expired")
  const greedy: ReconnectStrategy = () => 0
  const hostile: readonly (readonly [string, (dial: number) => ReconnectInput[], boolean])[] = [
    ...[4401, 1008, 1006, 1000, 4408, 4410, 4429, 4500, 4503].map(
      (code) =>
        [
          `closes with ${code} after WELCOME`,
          (dial: number): ReconnectInput[] => [{ kind: "lost", dial, code, error: undefined }],
          false,
        ] as const,
    ),
    [
      "closes with 4401 after each resume",
      (dial) => [{ kind: "lost", dial, code: 4401, error: undefined }],
      true,
    ],
    ["says BYE with an auth_ code", (dial) => [{ kind: "failed", dial, error: refused }], false],
    ["resets each session", (dial) => [{ kind: "failed", dial, error: later }], false],
    ["sends GOAWAY [reason, 0, 0] after each WELCOME", () => [{ kind: "move" }], true],
    ["asks for a fresh token again and again", (dial) => [{ kind: "renew", dial }], false],
  ]

  it.each(hostile)("surprise-A2 bounds dials and tokens where a server %s", (_, answer, resumed) => {
    const supervisor = new Supervisor({ strategy: greedy, ...defaultBudget })
    supervisor.step({ kind: "connect" })
    const seen = suffer(supervisor, 60_000, (effect) => {
      const { state } = supervisor
      if (effect.kind === "renewToken")
        return { kind: "renewed", renewal: effect.renewal, token: `fresh ${(fresh += 1)}` }
      if (effect.kind === "sendAuth" && state.kind === "open") return { kind: "renew", dial: state.openDial }
      const [input] = welcome(effect, resumed)
      if (input?.kind !== "welcomed") return input
      supervisor.step(input)
      const [next] = answer(input.dial)
      return next
    })
    // The application's own dial, the burst, and a dial each 5 s in a minute.
    expect(seen.dials).toBeLessThanOrEqual(1 + 3 + 12)
    expect(seen.tokens).toBeLessThanOrEqual(1 + 3 + 12)
    expect(seen.dials + seen.tokens).toBeGreaterThan(10)
  })

  it("surprise-A2 shows the true delay while it holds a dial back", () => {
    const supervisor = new Supervisor({ strategy: greedy, ...defaultBudget })
    supervisor.step({ kind: "connect" })
    const delays = [1, 2, 3, 4, 5].map(() => {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      supervisor.lose(1006)
      const { state } = supervisor
      supervisor.wake()
      return state.kind === "waiting" ? [state.delayMs, state.dueAtMs] : undefined
    })
    expect(delays).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [5_000, 5_000],
      [5_000, 10_000],
    ])
    expect(supervisor.step({ kind: "wake" })).toBe("gettingToken")
  })

  it("surprise-A2 is not refilled by connect, which it does not bound", () => {
    const supervisor = new Supervisor({ strategy: greedy, ...defaultBudget })
    for (let calls = 0; calls < 10; calls += 1) {
      expect(supervisor.step({ kind: "connect" })).toBe("gettingToken getToken")
      supervisor.step({ kind: "close" })
    }
    supervisor.step({ kind: "connect" })
    const kinds = [1, 2, 3, 4].map(() => {
      supervisor.step({ kind: "tokenFailed", dial: supervisor.dial, error: later })
      supervisor.step({ kind: "wake" })
      return supervisor.state.kind
    })
    expect(kinds).toEqual(["gettingToken", "gettingToken", "gettingToken", "waiting"])
    supervisor.step({ kind: "close" })
    supervisor.step({ kind: "connect" })
    supervisor.step({ kind: "tokenFailed", dial: supervisor.dial, error: later })
    expect(supervisor.state).toMatchObject({ kind: "waiting", delayMs: 5_000 })
  })

  it("surprise-A2 holds back, beside the strategy: a refusal's own dial, hurry, moves and renewals", () => {
    const spend = (supervisor: Supervisor): void => {
      for (let dials = 0; dials < 3; dials += 1) {
        supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
        supervisor.lose(1006)
        supervisor.wake()
      }
    }
    const supervisor = new Supervisor({ strategy: greedy, ...defaultBudget })
    supervisor.step({ kind: "connect" })
    spend(supervisor)
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "expired" })
    expect(supervisor.lose(4401)).toBe("waiting abandon")
    expect(supervisor.step({ kind: "hurry" })).toBe("waiting")
    supervisor.step({ kind: "connect" })
    supervisor.open("good", true)
    expect(supervisor.step({ kind: "move" })).toBe("open")
    expect(supervisor.step({ kind: "renew", dial: supervisor.dial })).toBe("open")
    expect(wakeAtReconnect(supervisor.state)).toBe(5_000)
    expect(supervisor.wake()).toBe("open renewToken")
    expect(supervisor.wake()).toBe("open")
    expect(supervisor.nowMs).toBe(5_000)
    expect(supervisor.wake()).toBe("open report")
    expect(supervisor.wake()).toBe("moving dial")
    expect(supervisor.nowMs).toBe(10_000)
  })

  it("surprise-A2 brings a longer wait forward at hurry, as far as the budget allows", () => {
    const supervisor = new Supervisor({
      strategy: fixed({ baseMs: 9_000, jitter: "none" }),
      ...defaultBudget,
    })
    supervisor.step({ kind: "connect" })
    for (let dials = 0; dials < 4; dials += 1) {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      supervisor.lose(1006)
      supervisor.step({ kind: "hurry" })
    }
    expect(supervisor.state).toMatchObject({ kind: "waiting", delayMs: 5_000, dueAtMs: 5_000 })
    supervisor.nowMs = 1_000
    expect(supervisor.step({ kind: "hurry" })).toBe("waiting")
    expect(supervisor.state).toMatchObject({ dueAtMs: 5_000 })
  })

  it("surprise-A2 gives up where the budget's wait would pass the strategy's totalMs", () => {
    const strategy = fixed({ baseMs: 0, totalMs: 4_000, jitter: "none" })
    const supervisor = new Supervisor({ strategy, ...defaultBudget })
    supervisor.step({ kind: "connect" })
    for (let dials = 0; dials < 4; dials += 1) {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      supervisor.lose(1006)
      supervisor.step({ kind: "wake" })
    }
    expect(supervisor.state).toMatchObject({ kind: "closed", error: { code: "reconnect_exhausted" } })
  })
})

describe("a renewal of the token", () => {
  it("sends a fresh token once, and logs in with it next time", () => {
    const supervisor = inState("open")
    expect(supervisor.step({ kind: "renew", dial: 1 })).toBe("open renewToken")
    expect(supervisor.effects).toEqual([{ kind: "renewToken", renewal: 1 }])
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "fresh" })).toBe("open sendAuth")
    expect(supervisor.effects).toEqual([{ kind: "sendAuth", token: "fresh" }])
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "again" })).toBe("open")
    supervisor.step({ kind: "move" })
    supervisor.step({ kind: "opened", dial: 2 })
    expect(supervisor.effects[1]).toEqual({ kind: "sendHello", dial: 2, token: "fresh" })
  })

  it("surprise-A2 runs one at a time, however often the server asks", () => {
    const supervisor = inState("open")
    const asked = Array.from({ length: 5_000 }, () => supervisor.step({ kind: "renew", dial: 1 }))
    expect(asked.filter((result) => result === "open renewToken")).toHaveLength(1)
    supervisor.step({ kind: "renewed", renewal: 1, token: "fresh" })
    expect(supervisor.step({ kind: "renew", dial: 1 })).toBe("open renewToken")
  })

  it("does not count the token of AUTH as refused, if the connection ends before the server has confirmed it", () => {
    const ended = new HawserError("auth_token_expired")
    const outcomes = [false, true].map((isConfirmed) => {
      const supervisor = inState("open")
      supervisor.step({ kind: "renew", dial: 1 })
      supervisor.step({ kind: "renewed", renewal: 1, token: "fresh" })
      if (isConfirmed) supervisor.step({ kind: "confirmed", dial: 1 })
      supervisor.step({ kind: "failed", dial: 1, error: ended })
      return supervisor.state.row.refusedTokens
    })
    expect(outcomes).toEqual([[], ["fresh"]])
  })

  it("calls the function again 10 s after it returned the current token, reports the second time, and no later one", () => {
    const supervisor = inState("open")
    supervisor.step({ kind: "renew", dial: 1 })
    const outcomes: string[] = []
    for (let renewal = 1; renewal <= 4; renewal += 1) {
      const beganAtMs = supervisor.nowMs
      outcomes.push(supervisor.step({ kind: "renewed", renewal, token: "good" }))
      if (renewal === 2)
        expect(supervisor.effects).toHaveProperty(
          "0.error.message",
          expect.stringContaining("return a fresh one"),
        )
      expect(supervisor.wake()).toBe("open renewToken")
      expect(supervisor.nowMs - beganAtMs).toBe(10_000)
    }
    expect(outcomes).toEqual(["open", "open report", "open", "open"])
    expect(supervisor.step({ kind: "renewed", renewal: 5, token: "fresh" })).toBe("open sendAuth")
    expect(supervisor.state).toMatchObject({ token: "fresh", renewal: undefined })
  })

  it("calls the function again after a failure, which is reported once, and not after a final one", () => {
    const supervisor = inState("open")
    supervisor.step({ kind: "renew", dial: 1 })
    const error = new HawserError("sys_service_unavailable")
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: error })).toBe("open report")
    expect(supervisor.wake()).toBe("open renewToken")
    expect(supervisor.step({ kind: "renewed", renewal: 2, token: error })).toBe("open")
    expect(supervisor.wake()).toBe("open renewToken")
    const final = new HawserError("auth_token_invalid", { retry: "never" })
    expect(supervisor.step({ kind: "renewed", renewal: 3, token: final })).toBe("open report")
    expect(supervisor.state).toMatchObject({ renewal: undefined })
  })

  it("is given up after the token function's time, and begins again 10 s later", () => {
    const supervisor = inState("open")
    supervisor.step({ kind: "renew", dial: 1 })
    expect(supervisor.wake()).toBe("open report")
    expect(supervisor.nowMs).toBe(100)
    expect(supervisor.effects).toMatchObject([{ error: { code: "connection_timeout" } }])
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "late" })).toBe("open")
    expect(supervisor.step({ kind: "renew", dial: 1 })).toBe("open")
    expect(supervisor.wake()).toBe("open renewToken")
    expect(supervisor.nowMs).toBe(10_100)
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "late" })).toBe("open")
    expect(supervisor.step({ kind: "renewed", renewal: 2, token: "fresh" })).toBe("open sendAuth")
  })

  it("ends with its connection", () => {
    const supervisor = inState("open")
    supervisor.step({ kind: "renew", dial: 1 })
    supervisor.lose(1006)
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "late" })).toBe("waiting")
    supervisor.wake()
    supervisor.open()
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "late" })).toBe("open")
    expect(supervisor.state).toMatchObject({ token: "good" })
  })

  it("goes on while the client moves, and after a move that failed", () => {
    const supervisor = inState("open")
    supervisor.step({ kind: "renew", dial: 1 })
    supervisor.step({ kind: "move" })
    supervisor.step({ kind: "lost", dial: 2, code: 1006, error: undefined })
    expect(supervisor.step({ kind: "renewed", renewal: 1, token: "fresh" })).toBe("open sendAuth")
    supervisor.step({ kind: "move" })
    expect(supervisor.step({ kind: "renew", dial: 1 })).toBe("moving renewToken")
    expect(supervisor.wake()).toBe("moving report")
    expect(supervisor.wake()).toBe("open abandon")
  })
})

describe("the limits of an attempt's steps", () => {
  it("surprise-A9 double with each failed dial, up to dialTimeoutMaxMs, and start over at WELCOME", () => {
    const supervisor = new Supervisor({ dialTimeoutMaxMs: 1_000 })
    supervisor.step({ kind: "connect" })
    const limitsMs = [1, 2, 3, 4, 5].map(() => {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      const dialledAtMs = supervisor.nowMs
      expect(supervisor.wake()).toBe("waiting abandon")
      const limitMs = supervisor.nowMs - dialledAtMs
      supervisor.wake()
      return limitMs
    })
    expect(limitsMs).toEqual([200, 400, 800, 1_000, 1_000])
    supervisor.open()
    supervisor.lose(1006)
    supervisor.wake()
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
    expect(wakeAtReconnect(supervisor.state)).toBe(supervisor.nowMs + 200)
  })

  it("surprise-A9 double after dials that were refused, too: a browser holds back the ones that follow", () => {
    const supervisor = inState("dialing")
    supervisor.lose(1006)
    supervisor.wake()
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
    expect(wakeAtReconnect(supervisor.state)).toBe(supervisor.nowMs + 400)
  })

  it("surprise-C3 double for the token and WELCOME, too, after a limit that was reached", () => {
    const supervisor = inState("authenticating")
    supervisor.wake()
    supervisor.wake()
    expect(wakeAtReconnect(supervisor.state)).toBe(supervisor.nowMs + 200)
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    expect(wakeAtReconnect(supervisor.state)).toBe(supervisor.nowMs + 600)
  })

  it("do not double after a token that failed, nor after a login that was refused", () => {
    const supervisor = inState("gettingToken")
    supervisor.step({ kind: "tokenFailed", dial: 1, error: new HawserError("sys_service_unavailable") })
    supervisor.wake()
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "one" })
    supervisor.step({ kind: "opened", dial: supervisor.dial })
    supervisor.lose(4401)
    supervisor.step({ kind: "token", dial: supervisor.dial, token: "two" })
    expect(wakeAtReconnect(supervisor.state)).toBe(supervisor.nowMs + 200)
  })

  const steps = ["gettingToken", "dialing", "authenticating"] as const
  const leastMs = { gettingToken: 100, dialing: 200, authenticating: 300 }
  const ways = ["connect", "hurry"] as const
  /** An attempt after three failed dials, in one of its steps. */
  function lengthened(kind: (typeof steps)[number], changed: Partial<ReconnectOptions> = {}): Supervisor {
    const supervisor = new Supervisor(changed)
    supervisor.step({ kind: "connect" })
    for (let dials = 0; dials < 3; dials += 1) {
      supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
      supervisor.lose(1006)
      supervisor.wake()
    }
    if (kind !== "gettingToken") supervisor.step({ kind: "token", dial: supervisor.dial, token: "good" })
    if (kind === "authenticating") supervisor.step({ kind: "opened", dial: supervisor.dial })
    expect(supervisor.state.kind).toBe(kind)
    return supervisor
  }

  it.each(steps.flatMap((kind) => ways.map((way) => [kind, way] as const)))(
    "surprise-A9 give way in %s to %s once the limit without failures is over",
    (kind, way) => {
      const supervisor = lengthened(kind)
      const { nowMs, dial } = supervisor
      supervisor.nowMs = nowMs + leastMs[kind] - 1
      expect(supervisor.step({ kind: way })).toBe(kind)
      supervisor.nowMs = nowMs + leastMs[kind]
      const abandoned = kind === "gettingToken" ? "" : " abandon"
      expect(supervisor.step({ kind: way })).toBe(`gettingToken${abandoned} getToken`)
      if (abandoned !== "") expect(supervisor.effects[0]).toEqual({ kind: "abandon", dial })
      expect(supervisor.dial).toBeGreaterThan(dial)
      expect(supervisor.state.row.failures).toBe(4)
    },
  )

  it("surprise-A9 do not give way to hurry without budget: what is under way may still succeed", () => {
    const supervisor = lengthened("dialing", { dialBurst: 3, dialsPerMinute: 1 })
    supervisor.nowMs += 500
    expect(supervisor.step({ kind: "hurry" })).toBe("dialing")
    expect(supervisor.step({ kind: "connect" })).toBe("gettingToken abandon getToken")
  })

  it("surprise-A9 tell of the lost connection when a move's login gives way", () => {
    const supervisor = inState("moving")
    supervisor.step({ kind: "opened", dial: 2 })
    supervisor.nowMs = 300
    expect(supervisor.step({ kind: "hurry" })).toBe("gettingToken abandon connectionLost getToken")
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
    open: "move",
    moving: "opened",
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
      resumed: fc.boolean(),
    }),
    { maxLength: 60, size: "max" },
  )
  type Move = typeof moves extends fc.Arbitrary<readonly (infer M)[]> ? M : never

  function inputFor(
    { input, away, error, code, token, resumed }: Move,
    state: ReconnectState,
  ): ReconnectInput {
    const kind = input === "onward" ? onward[state.kind] : input
    const dial = state.row.dial + away
    if (kind === "token") return { kind, dial, token }
    if (kind === "welcomed") return { kind, dial, resumed }
    if (kind === "renewed") return { kind, renewal: state.row.renewal + away, token: resumed ? token : error }
    if (kind === "failed" || kind === "tokenFailed") return { kind, dial, error }
    if (kind === "lost") return { kind, dial, code, error: code === 1006 ? error : undefined }
    return inputOf(kind, dial)
  }

  function isOpen(state: ReconnectState): state is Extract<ReconnectState, { kind: "open" | "moving" }> {
    return state.kind === "open" || state.kind === "moving"
  }

  /** The dials that may be alive, oldest first. */
  function socketsIn(state: ReconnectState): number[] {
    if (state.kind === "open") return [state.openDial]
    if (state.kind === "moving") return [state.openDial, state.row.dial]
    return state.kind === "dialing" || state.kind === "authenticating" ? [state.row.dial] : []
  }

  /** Keeps the books that the invariants of the machine's header speak of. */
  class Books {
    readonly alive = new Set<number>()
    readonly refused = new Set<string>()
    /** True from WELCOME to the effect `connectionLost`. */
    isConnected = false
    lastDial = 0

    check(before: ReconnectState, input: ReconnectInput, supervisor: Supervisor): void {
      const { state: after, effects } = supervisor
      const restarted = input.kind === "connect" && (before.kind === "idle" || before.kind === "closed")
      if (restarted || (isOpen(before) && !isOpen(after))) this.refused.clear()
      this.#noteRefusal(before, after)
      for (const effect of effects) this.#apply(effect, after)
      // (3) After `closed` nothing happens until `connect`.
      if (before.kind === "closed" && input.kind !== "connect") {
        expect(after).toBe(before)
        expect(effects).toEqual([])
      }
      // (4) The count resets only after a resume or a stable session; a person's connect starts a new row.
      if (after.row.failures < before.row.failures && !restarted) {
        expect(isOpen(before)).toBe(true)
        if (isOpen(before) && !before.isProven)
          expect(supervisor.nowMs - before.openedAtMs).toBeGreaterThanOrEqual(10_000)
        // 0: the move continues. 1: the end of the connection is a failure.
        expect(after.row.failures).toBe(after.kind === "authenticating" ? 0 : 1)
      }
      if (restarted) expect(after.row.failures).toBe(0)
      expect(after.row.failures - before.row.failures).toBeLessThanOrEqual(1)
      expect([...this.alive]).toEqual(socketsIn(after)) // (1)
      if (input.kind === "welcomed" && after.kind === "open") this.isConnected = true
      expect(this.isConnected).toBe(isOpen(after) || (after.kind === "authenticating" && after.isMove))
      if (after.kind === "waiting") {
        expect(after.delayMs).toBeGreaterThanOrEqual(1000)
        expect(after.delayMs).toBeLessThanOrEqual(66_000)
      }
      if (input.kind === "close") expect(after.kind).toBe("closed")
    }

    #noteRefusal(before: ReconnectState, after: ReconnectState): void {
      const failed = after.row.lastError !== before.row.lastError && after.kind !== "closed"
      // The end of a connection with an unconfirmed token may be about the previous one.
      if (isOpen(before) && before.isUnconfirmed) return
      if (failed && "token" in before && after.row.lastError?.retry === "afterReauth")
        this.refused.add(before.token)
    }

    #apply(effect: ReconnectEffect, after: ReconnectState): void {
      switch (effect.kind) {
        case "dial":
          expect(this.alive.size).toBe(after.kind === "moving" ? 1 : 0) // (1)
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
        case "connectionLost":
          expect(this.isConnected).toBe(true)
          this.isConnected = false
          break
        case "renewToken":
        case "sendAuth":
          expect(isOpen(after)).toBe(true)
          break
        case "report":
          expect(isOpen(after)).toBe(true)
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
      { numRuns: 600 },
    )
    for (const kind of kinds) expect(reached.get(kind) ?? 0, kind).toBeGreaterThan(100)
  }, 60_000)

  it("surprise-A2 keeps invariants 5 and 6 with any strategy, whatever comes: dials and tokens within the budget", () => {
    const strategies = [0, -1, 0.5, 300, 1e12, Infinity].map((ms) => (): number => ms)
    const budgets = fc.record({
      dialBurst: fc.integer({ min: 1, max: 4 }),
      dialsPerMinute: fc.constantFrom(0.5, 12, 600),
      strategy: fc.constantFrom(...strategies, exponential(), noReconnect),
    })
    const reached = { dials: 0, tokens: 0, renewals: 0, moves: 0, heldBack: 0 }
    fc.assert(
      fc.property(budgets, moves, (changed, sequence) => {
        const supervisor = new Supervisor(changed)
        const [dialsAtMs, tokensAtMs]: [number[], number[]] = [[], []]
        const uncounted = new Set<number>()
        let isRenewing = false
        for (const move of sequence) {
          const before = supervisor.state
          supervisor.nowMs += move.passMs
          supervisor.random = move.random
          const input = inputFor(move, before)
          supervisor.step(input)
          const { state, effects, nowMs } = supervisor
          if (!isOpen(state) || state.renewal?.kind !== "running") isRenewing = false
          for (const effect of effects) {
            if (effect.kind === "getToken") {
              if (input.kind === "connect") uncounted.add(effect.dial)
              else tokensAtMs.push(nowMs)
              reached.tokens += 1
            } else if (effect.kind === "renewToken") {
              expect(isRenewing).toBe(false) // (6)
              isRenewing = true
              tokensAtMs.push(nowMs)
              reached.renewals += 1
            } else if (effect.kind === "dial") {
              if (!uncounted.has(effect.dial)) dialsAtMs.push(nowMs)
              reached[state.kind === "moving" ? "moves" : "dials"] += 1
            }
          }
          if (state.kind === "waiting" && state.delayMs > 1_000) reached.heldBack += 1
        }
        for (const times of [dialsAtMs, tokensAtMs]) expect(excess(times, changed)).toBeLessThanOrEqual(1e-6) // (5)
      }),
      { numRuns: 2_000 },
    )
    for (const [what, count] of Object.entries(reached)) expect(count, what).toBeGreaterThan(100)
  }, 60_000)

  /** By how many the fullest window of all exceeds the burst and the refill of its time. */
  function excess(timesMs: readonly number[], { dialBurst, dialsPerMinute }: DialBudget): number {
    let worst = -Infinity
    for (const [first, fromMs] of timesMs.entries()) {
      for (const [last, untilMs] of timesMs.entries()) {
        const allowed = dialBurst + ((untilMs - fromMs) * dialsPerMinute) / 60_000
        if (last >= first) worst = Math.max(worst, last - first + 1 - allowed)
      }
    }
    return worst
  }

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
