import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { attachedLife, claimsAt, firstClaims, restoredLife, stepLife, wakeAtLife } from "./session.machine.ts"
import type {
  Claims,
  ClaimsRecord,
  LifeEffect,
  LifeInput,
  LifeOptions,
  LifeState,
} from "./session.machine.ts"

const waits: LifeOptions = {
  isResumable: true,
  resumeWindowMs: 100,
  detachedMaxMs: 250,
  takeoversMax: 2,
  takeoverWindowMs: 50,
}
const single: LifeOptions = { ...waits, isResumable: false, resumeWindowMs: 0 }
const leaveWindowMs = 10

const claims: Claims = {
  generation: 3,
  isConfirmed: true,
  lastDial: 4,
  takeoversAtMs: [],
  windowMs: 100,
  spentMs: 0,
}
const fresh: Claims = { ...claims, isConfirmed: false }
const waiting: Claims = claims

type State = LifeState<string>
type Input = LifeInput<string>
type InputOf<Kind extends Input["kind"]> = Extract<Input, { readonly kind: Kind }>
type Effect = LifeEffect<string>

const attached: State = { kind: "attached", claims, link: "a" }
const unconfirmed: State = { kind: "attached", claims: fresh, link: "a" }
const detached: State = { kind: "detached", claims: waiting, sinceMs: 1_000, untilMs: 1_100 }
const dropped: State = { kind: "dropped", claims: waiting, sinceMs: 1_000, untilMs: 1_100, link: "a" }
const moved: State = { kind: "moved", claims }
const ended: State = { kind: "ended", claims, cause: "closed" }

const claim: InputOf<"claim"> = { kind: "claim", link: "b", generation: 3, dial: 5, nowMs: 1_020 }
const message = (link: string): Input => ({ kind: "message", link })
const closed = (link: string, windowMs = 100): InputOf<"closed"> => ({
  kind: "closed",
  link,
  windowMs,
  nowMs: 1_020,
})
const drop = (link: string): Input => ({ kind: "drop", link, code: "slow_consumer", nowMs: 1_020 })
const wake = (nowMs: number): Input => ({ kind: "wake", nowMs })
const end: Input = { kind: "end", cause: "kicked" }
const move: Input = { kind: "move", code: "connection_lost" }

const unbind: Effect = { kind: "unbind", link: "a" }
const bind: Effect = { kind: "bind", link: "b" }
const close = (code: string): Effect => ({ kind: "close", link: "a", code })
const ends = (cause: string, link?: string): Effect => ({ kind: "end", cause, link })

const accepted: Claims = { ...claims, generation: 4, isConfirmed: false, lastDial: 5 }
/** Attached state with takeovers at these times. */
const after = (...takeoversAtMs: readonly number[]): State => ({
  ...attached,
  claims: { ...claims, takeoversAtMs },
})

type Case = readonly [
  name: string,
  options: LifeOptions,
  state: State,
  input: Input,
  next: State,
  effects: readonly Effect[],
]

const cases: readonly Case[] = [
  [
    "unbinds and closes the old link before it binds the new one",
    waits,
    attached,
    claim,
    { kind: "attached", claims: { ...accepted, takeoversAtMs: [1_020] }, link: "b" },
    [unbind, close("replaced"), bind],
  ],
  [
    "counts the takeovers within the window only",
    waits,
    after(970, 971),
    claim,
    { kind: "attached", claims: { ...accepted, takeoversAtMs: [971, 1_020] }, link: "b" },
    [unbind, close("replaced"), bind],
  ],
  [
    "ends with one takeover too many, and binds nothing",
    waits,
    after(971, 972),
    claim,
    { kind: "ended", claims: { ...claims, takeoversAtMs: [971, 972] }, cause: "session_thrash" },
    [unbind, close("replaced"), ends("session_thrash")],
  ],
  [
    "binds a claim with the previous token: its own token is the next one",
    waits,
    unconfirmed,
    { ...claim, generation: 2 },
    { kind: "attached", claims: { ...accepted, generation: 3, takeoversAtMs: [1_020] }, link: "b" },
    [unbind, close("replaced"), bind],
  ],
  ["confirms by a message", waits, unconfirmed, message("a"), attached, []],
  [
    "forgets the time without a connection when the client has come back",
    waits,
    { ...unconfirmed, claims: { ...fresh, spentMs: 40 } },
    message("a"),
    attached,
    [],
  ],
  ["takes a second message for no second confirmation", waits, attached, message("a"), attached, []],
  ["is not confirmed by another link", waits, unconfirmed, message("x"), unconfirmed, []],
  [
    "waits for its client when its link closes",
    waits,
    attached,
    closed("a"),
    { kind: "detached", claims: waiting, sinceMs: 1_020, untilMs: 1_120 },
    [unbind, { kind: "wait" }],
  ],
  [
    "waits shorter for a page that was left",
    waits,
    attached,
    closed("a", leaveWindowMs),
    { kind: "detached", claims: { ...claims, windowMs: 10 }, sinceMs: 1_020, untilMs: 1_030 },
    [unbind, { kind: "wait" }],
  ],
  [
    "waits no longer than before for a claim that is not confirmed",
    waits,
    { ...unconfirmed, claims: { ...fresh, windowMs: 10 } },
    closed("a"),
    { kind: "detached", claims: { ...fresh, windowMs: 10 }, sinceMs: 1_020, untilMs: 1_030 },
    [unbind, { kind: "wait" }],
  ],
  [
    "waits for the rest of the time that all lives have together",
    waits,
    { ...unconfirmed, claims: { ...fresh, spentMs: 180 } },
    closed("a"),
    { kind: "detached", claims: { ...fresh, spentMs: 180, windowMs: 100 }, sinceMs: 1_020, untilMs: 1_090 },
    [unbind, { kind: "wait" }],
  ],
  [
    "waits no time when all of it is spent",
    waits,
    { ...unconfirmed, claims: { ...fresh, spentMs: 251 } },
    closed("a"),
    { kind: "detached", claims: { ...fresh, spentMs: 251, windowMs: 100 }, sinceMs: 1_020, untilMs: 1_020 },
    [unbind, { kind: "wait" }],
  ],
  [
    "ends with its link where no client may come back",
    single,
    attached,
    closed("a"),
    { kind: "ended", claims, cause: "connection_lost" },
    [unbind, ends("connection_lost")],
  ],
  ["ignores the late close of another link", waits, attached, closed("x", 0), attached, []],
  [
    "unbinds a link that it drops before it closes it",
    waits,
    attached,
    drop("a"),
    { kind: "dropped", claims: waiting, sinceMs: 1_020, untilMs: 1_120, link: "a" },
    [unbind, { kind: "wait" }, close("slow_consumer")],
  ],
  [
    "waits no longer than before when it drops a claim that is not confirmed",
    waits,
    { ...unconfirmed, claims: { ...fresh, windowMs: 10 } },
    drop("a"),
    { kind: "dropped", claims: { ...fresh, windowMs: 10 }, sinceMs: 1_020, untilMs: 1_030, link: "a" },
    [unbind, { kind: "wait" }, close("slow_consumer")],
  ],
  [
    "ends with the link that it drops where no client may come back",
    single,
    attached,
    drop("a"),
    { kind: "ended", claims, cause: "slow_consumer" },
    [ends("slow_consumer", "a")],
  ],
  ["drops no other link", waits, attached, drop("x"), attached, []],
  ["does not end by a wake while it is attached", waits, attached, wake(1e9), attached, []],
  [
    "ends with its link",
    waits,
    attached,
    end,
    { kind: "ended", claims, cause: "kicked" },
    [ends("kicked", "a")],
  ],
  ["closes its link when it moves", waits, attached, move, moved, [unbind, close("connection_lost")]],

  [
    "binds the claim of a client that was away, which is no takeover",
    waits,
    detached,
    claim,
    { kind: "attached", claims: { ...accepted, spentMs: 20 }, link: "b" },
    [bind],
  ],
  ["ignores a message of the link that closed", waits, detached, message("a"), detached, []],
  ["closes once", waits, detached, closed("a", 0), detached, []],
  ["has no link to drop", waits, detached, drop("a"), detached, []],
  ["waits until its time, not before", waits, detached, wake(1_099.9), detached, []],
  [
    "ends at its time",
    waits,
    detached,
    wake(1_100),
    { kind: "ended", claims: waiting, cause: "session_expired" },
    [ends("session_expired")],
  ],
  [
    "ends while its client is away",
    waits,
    detached,
    end,
    { kind: "ended", claims: waiting, cause: "kicked" },
    [ends("kicked")],
  ],
  ["moves while its client is away", waits, detached, move, { kind: "moved", claims: waiting }, []],

  [
    "binds the claim of a client that it dropped, which is no takeover",
    waits,
    dropped,
    claim,
    { kind: "attached", claims: { ...accepted, spentMs: 20 }, link: "b" },
    [bind],
  ],
  ["ignores a message of the link that it dropped", waits, dropped, message("a"), dropped, []],
  ["waits on when that link closes", waits, dropped, closed("a"), detached, []],
  [
    "waits shorter when that link closes as that of a page that was left",
    waits,
    dropped,
    closed("a", leaveWindowMs),
    { kind: "detached", claims: { ...claims, windowMs: 10 }, sinceMs: 1_000, untilMs: 1_030 },
    [],
  ],
  [
    "does not wait longer when that link closes, whose claim was not confirmed",
    waits,
    { ...dropped, claims: { ...fresh, windowMs: 10 }, untilMs: 1_010 },
    { ...closed("a"), nowMs: 1_005 },
    { kind: "detached", claims: { ...fresh, windowMs: 10 }, sinceMs: 1_000, untilMs: 1_010 },
    [],
  ],
  ["waits for the close of that link alone", waits, dropped, closed("x", 0), dropped, []],
  ["drops it once", waits, dropped, drop("a"), dropped, []],
  ["waits for a client that it dropped until its time", waits, dropped, wake(1_099.9), dropped, []],
  [
    "ends at its time when the link that it dropped never closed",
    waits,
    dropped,
    wake(1_100),
    { kind: "ended", claims: waiting, cause: "session_expired" },
    [ends("session_expired")],
  ],
  [
    "ends without the link that it dropped",
    waits,
    dropped,
    end,
    { kind: "ended", claims: waiting, cause: "kicked" },
    [ends("kicked")],
  ],
  ["moves without the link that it dropped", waits, dropped, move, { kind: "moved", claims: waiting }, []],

  ...[moved, ended].flatMap((state) =>
    [claim, message("a"), closed("a", 0), drop("a"), wake(1e9), end, move].map((input): Case => [
      `is final: ${state.kind}, ${input.kind}`,
      waits,
      state,
      input,
      state,
      [],
    ]),
  ),
]

describe("every state × every input", () => {
  it.each(cases)("%s", (...[, options, state, input, next, effects]) => {
    expect(stepLife(options, state, input)).toEqual([next, effects])
  })

  it("is covered by the table", () => {
    const kinds = [attached, detached, dropped, moved, ended].map(({ kind }) => kind)
    const inputs = [claim, message("a"), closed("a"), drop("a"), wake(0), end, move].map(({ kind }) => kind)
    const pairs = kinds.flatMap((kind) => inputs.map((input) => `${kind} × ${input}`))
    expect(new Set(cases.map(([, , state, input]) => `${state.kind} × ${input.kind}`))).toEqual(
      new Set(pairs),
    )
  })

  it("wakes at the end of its window, and in no other state", () => {
    expect([attached, detached, dropped, moved, ended].map(wakeAtLife)).toEqual([
      undefined,
      1_100,
      1_100,
      undefined,
      undefined,
    ])
  })
})

describe("the claims of a new session", () => {
  it("begin with generation 1, unconfirmed, and with the whole window", () => {
    const first = { ...fresh, generation: 1, lastDial: 7 }
    expect(firstClaims(waits, 7)).toEqual(first)
    expect(attachedLife(firstClaims(waits, 7), "a")).toEqual({ kind: "attached", claims: first, link: "a" })
  })
})

const { takeoversAtMs: _none, ...kept } = claims
const written: ClaimsRecord = { ...kept, takeoversAgoMs: [] }

describe("a session that is written down", () => {
  it("adds its waiting time to that of earlier lives", () => {
    const spent = { ...waiting, spentMs: 40 }
    for (const state of [detached, dropped])
      expect(claimsAt({ ...state, claims: spent }, 1_030)).toEqual({ ...written, spentMs: 70 })
    for (const state of [attached, moved, ended]) expect(claimsAt(state, 9_000)).toEqual(written)
  })

  it.each([
    { name: "a whole window", spentMs: 0, windowMs: 100, waitsMs: 100 },
    { name: "the window of a page that was left", spentMs: 0, windowMs: 10, waitsMs: 10 },
    { name: "the rest of its time", spentMs: 180, windowMs: 100, waitsMs: 70 },
    { name: "no time when it is spent", spentMs: 260, windowMs: 100, waitsMs: 0 },
    { name: "the shorter window of this server", spentMs: 0, windowMs: 5_000, waitsMs: 100 },
  ])("waits from then on for $name", ({ spentMs, windowMs, waitsMs }) => {
    const state = restoredLife<string>(waits, { ...written, spentMs, windowMs }, 2_000)
    expect(state).toEqual({
      kind: "detached",
      claims: { ...claims, spentMs, windowMs: Math.min(windowMs, 100) },
      sinceMs: 2_000,
      untilMs: 2_000 + waitsMs,
    })
  })
})

type Act =
  | { readonly act: "pass"; readonly ms: number }
  | { readonly act: "claim"; readonly isPrevious: boolean }
  | { readonly act: "message" | "drop"; readonly link: number }
  | { readonly act: "close"; readonly link: number; readonly windowMs: number }
  | { readonly act: "wake" | "end" | "move" | "restart" }

/** Index of a link: 0, the bound link, in most draws; 1 and above for earlier links. */
const someLink = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) })
const acts = fc.oneof<fc.MaybeWeightedArbitrary<Act>[]>(
  { weight: 6, arbitrary: fc.record({ act: fc.constant("pass" as const), ms: fc.nat(60) }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant("claim" as const), isPrevious: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constantFrom("message" as const, "drop" as const), link: someLink }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("close" as const),
      link: someLink,
      windowMs: fc.constantFrom(0, leaveWindowMs, 100),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Act>({ act: "wake" }, { act: "restart" }, { act: "restart" }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act>({ act: "wake" }, { act: "wake" }, { act: "end" }, { act: "move" }),
  },
)

/**
 * Runner of the machine with a model of the invariants, derived from inputs and effects alone: the bound link, the
 * confirmation, the time without a connection over all lives, the longest wait that is allowed, the takeovers.
 */
class Walk {
  readonly #options: LifeOptions
  readonly reached = new Set<string>()
  #state: State
  #nowMs = 0
  #links = 1
  /** Links, newest first. */
  #bound: string | undefined = "link-1"
  #dial = 1
  #generation = 1
  #isConfirmed = false
  #absentSinceMs = 0
  #absentBeforeMs = 0
  /** Length of the last wait since the last confirmation. */
  #lastWaitMs = Number.POSITIVE_INFINITY
  #takeoversAtMs: number[] = []
  #endCount = 0

  constructor(options: LifeOptions) {
    this.#options = options
    this.#state = attachedLife(firstClaims(waits, 1), "link-1")
  }

  perform(act: Act): void {
    const nowMs = this.#nowMs
    switch (act.act) {
      case "pass":
        this.#pass(act.ms)
        return
      case "claim":
        this.#claim(act.isPrevious)
        return
      case "message":
        this.#message(this.#linkOf(act.link))
        return
      case "drop":
        this.#lose({ kind: "drop", link: this.#linkOf(act.link), code: "slow_consumer", nowMs })
        return
      case "close":
        this.#close(this.#linkOf(act.link), act.windowMs)
        return
      case "wake":
        this.#wake()
        return
      case "end":
        this.#step({ kind: "end", cause: "kicked" })
        return
      case "move":
        this.#step({ kind: "move", code: "connection_lost" })
        return
      case "restart":
        this.#restart()
    }
  }

  get #isFinal(): boolean {
    return this.#state.kind === "ended" || this.#state.kind === "moved"
  }

  #linkOf(age: number): string {
    return `link-${Math.max(1, this.#links - age)}`
  }

  /** Steps, and checks the invariants. Returns the effects by kind. */
  #step(input: Input): readonly string[] {
    const before = this.#state
    const wasFinal = this.#isFinal
    const [state, effects] = stepLife(this.#options, before, input)
    this.#state = state
    for (const effect of effects) this.#follow(effect)
    this.reached.add(state.kind)
    // 2
    if (wasFinal) expect([state, effects]).toEqual([before, []])
    expect(this.#endCount).toBe(state.kind === "ended" ? 1 : 0)
    // 1
    expect(state.kind === "attached" ? state.link : undefined).toBe(this.#bound)
    if (
      !wasFinal &&
      "link" in input &&
      input.kind !== "claim" &&
      !effects.some(({ kind }) => kind === "unbind")
    )
      expect(effects.filter(({ kind }) => kind !== "end")).toEqual([])
    return effects.map(({ kind }) => kind)
  }

  #follow(effect: Effect): void {
    switch (effect.kind) {
      case "unbind":
        expect(effect.link).toBe(this.#bound)
        this.#bound = undefined
        return
      case "close":
        // A closed link is no longer bound.
        expect(this.#bound).toBeUndefined()
        return
      case "bind":
        expect(this.#bound).toBeUndefined()
        this.#bound = effect.link
        return
      case "wait":
        expect([this.#options.isResumable, this.#bound]).toEqual([true, undefined])
        return
      case "end":
        this.#endCount += 1
        expect(effect.link).toBe(this.#bound)
        this.#bound = undefined
    }
  }

  /** 3: only `#claim` and `#message` change these. */
  #expectClaims(): void {
    if (this.#isFinal) return
    const { generation, isConfirmed, lastDial } = this.#state.claims
    expect({ generation, isConfirmed, lastDial }).toEqual({
      generation: this.#generation,
      isConfirmed: this.#isConfirmed,
      lastDial: this.#dial,
    })
  }

  #claim(isPrevious: boolean): void {
    if (this.#isFinal) return
    const presented = isPrevious && !this.#isConfirmed ? this.#generation - 1 : this.#generation
    const isTakeover = this.#bound !== undefined
    if (!isTakeover) this.#absentBeforeMs += this.#nowMs - this.#absentSinceMs
    this.#links += 1
    const link = `link-${this.#links}`
    const nowMs = this.#nowMs
    const kinds = this.#step({ kind: "claim", link, generation: presented, dial: this.#dial + 1, nowMs })
    // 6
    const { takeoversMax, takeoverWindowMs } = this.#options
    if (isTakeover) this.#takeoversAtMs.push(nowMs)
    const recent = this.#takeoversAtMs.filter((atMs) => nowMs - atMs < takeoverWindowMs)
    const isThrash = isTakeover && recent.length > takeoversMax
    expect(this.#state).toMatchObject(
      isThrash ? { kind: "ended", cause: "session_thrash" } : { kind: "attached", link },
    )
    expect(kinds).toEqual([...(isTakeover ? ["unbind", "close"] : []), isThrash ? "end" : "bind"])
    if (isThrash) this.reached.add("session_thrash")
    this.#dial += 1
    this.#generation = presented + 1
    this.#isConfirmed = false
    this.#expectClaims()
  }

  #message(link: string): void {
    if (link === this.#bound && !this.#isConfirmed) {
      this.#isConfirmed = true
      this.#absentBeforeMs = 0
      this.#lastWaitMs = Number.POSITIVE_INFINITY
    }
    expect(this.#step({ kind: "message", link })).toEqual([])
    this.#expectClaims()
  }

  #lose(input: InputOf<"closed" | "drop">): void {
    const before = this.#state
    if (input.link !== this.#bound) {
      expect(this.#step(input)).toEqual([])
      expect(this.#state).toBe(before)
      return
    }
    this.#step(input)
    if (this.#state.kind === "ended") {
      expect(this.#options.isResumable).toBe(false)
      this.reached.add("ends with its link")
      return
    }
    const windowMs = input.kind === "closed" ? input.windowMs : this.#options.resumeWindowMs
    this.#waits(windowMs)
    // After a confirmed claim the session has its whole window again.
    if (this.#isConfirmed)
      expect(wakeAtLife(this.#state)).toBe(this.#nowMs + Math.min(windowMs, this.#options.detachedMaxMs))
  }

  #close(link: string, windowMs: number): void {
    const before = this.#state
    if (before.kind !== "dropped" || before.link !== link) {
      this.#lose({ kind: "closed", link, windowMs, nowMs: this.#nowMs })
      return
    }
    expect(this.#step({ kind: "closed", link, windowMs, nowMs: this.#nowMs })).toEqual([])
    expect(this.#state).toMatchObject({ kind: "detached", sinceMs: before.sinceMs })
    const untilMs = wakeAtLife(this.#state) ?? 0
    expect(untilMs).toBeLessThanOrEqual(before.untilMs)
    if (windowMs < before.claims.windowMs) {
      expect(untilMs).toBeLessThanOrEqual(this.#nowMs + windowMs)
      this.#lastWaitMs = Math.min(this.#lastWaitMs, windowMs)
      this.reached.add("shortened")
    }
    this.#expectWindow()
  }

  /** Begins a wait of at most this length. */
  #waits(atMostMs: number): void {
    this.#absentSinceMs = this.#nowMs
    this.#expectWindow()
    const waitMs = (wakeAtLife(this.#state) ?? 0) - this.#nowMs
    expect(waitMs).toBeLessThanOrEqual(atMostMs)
    // 5
    expect(waitMs).toBeLessThanOrEqual(this.#isConfirmed ? atMostMs : this.#lastWaitMs)
    if (!this.#isConfirmed && this.#lastWaitMs < atMostMs) this.reached.add("kept short")
    const leftMs = this.#options.detachedMaxMs - this.#absentBeforeMs
    if (leftMs < Math.min(atMostMs, this.#lastWaitMs)) this.reached.add("the rest of all lives")
    this.#lastWaitMs = waitMs
  }

  /** 4 */
  #expectWindow(): void {
    this.#expectClaims()
    const untilMs = wakeAtLife(this.#state) ?? Number.NaN
    const absentMs = this.#absentBeforeMs + (untilMs - this.#absentSinceMs)
    expect(absentMs).toBeLessThanOrEqual(this.#options.detachedMaxMs)
    expect(untilMs).toBeGreaterThanOrEqual(this.#absentSinceMs)
  }

  /** Steps with a timer of an earlier state, or an early one. It has no effect before the deadline. */
  #wake(): void {
    const untilMs = wakeAtLife(this.#state)
    const before = this.#state
    const kinds = this.#step({ kind: "wake", nowMs: this.#nowMs })
    if (untilMs === undefined || this.#nowMs < untilMs) {
      expect([this.#state, kinds]).toEqual([before, []])
      return
    }
    expect([this.#state, kinds]).toMatchObject([{ kind: "ended", cause: "session_expired" }, ["end"]])
    this.reached.add("session_expired")
  }

  #pass(ms: number): void {
    const untilMs = wakeAtLife(this.#state)
    const afterMs = this.#nowMs + ms
    if (untilMs !== undefined && untilMs <= afterMs) {
      this.#nowMs = untilMs
      this.#wake()
    }
    this.#nowMs = afterMs
  }

  /** Restarts the process: freezes the session and thaws it in another one, without links. */
  #restart(): void {
    if (!this.#options.isResumable || this.#isFinal) return
    const { kind } = this.#state
    const record = claimsAt(this.#state, this.#nowMs)
    if (kind !== "attached") this.#absentBeforeMs += this.#nowMs - this.#absentSinceMs
    this.#step({ kind: "move", code: "connection_lost" })
    expect([this.#state.kind, this.#bound]).toEqual(["moved", undefined])
    this.#state = restoredLife(this.#options, record, this.#nowMs)
    expect(this.#state.kind).toBe("detached")
    this.reached.add(`restarted while ${kind}`)
    const { resumeWindowMs } = this.#options
    this.#waits(kind === "attached" ? resumeWindowMs : Math.min(resumeWindowMs, this.#lastWaitMs))
  }
}

describe("random lives", () => {
  const always = ["attached", "ended", "moved", "session_thrash"]

  it.each([
    {
      name: "resumable",
      options: { ...waits, detachedMaxMs: 130 },
      expected: [
        ...always,
        "detached",
        "dropped",
        "session_expired",
        "shortened",
        "kept short",
        "the rest of all lives",
        "restarted while attached",
        "restarted while detached",
        "restarted while dropped",
      ],
    },
    { name: "single", options: single, expected: [...always, "ends with its link"] },
  ])(
    "keep the invariants of the machine after every step: $name",
    ({ options, expected }) => {
      const reached = new Set<string>()
      fc.assert(
        fc.property(fc.array(acts, { maxLength: 40, size: "max" }), (sequence) => {
          const walk = new Walk(options)
          for (const act of sequence) walk.perform(act)
          for (const place of walk.reached) reached.add(place)
        }),
        { numRuns: 1_000 },
      )
      expect(reached).toEqual(new Set(expected))
    },
    30_000,
  )
})

describe("several waits, and several lives of the process", () => {
  const run = (state: State, ...inputs: readonly Input[]): State =>
    inputs.reduce((before, input) => stepLife(waits, before, input)[0], state)

  it("does not wait longer when a link that it dropped closes near the end of its window (1, 4, A16)", () => {
    const late: Input = { kind: "closed", link: "a", windowMs: leaveWindowMs, nowMs: 1_099 }
    expect(wakeAtLife(run(dropped, late))).toBeLessThanOrEqual(1_100)
  })

  it("sums the waits of one life without a confirmed claim (4)", () => {
    const state = run(detached, { ...claim, nowMs: 1_090 }, { ...closed("b"), nowMs: 1_090 })
    expect(claimsAt(state, 1_150).spentMs).toBe(150)
  })

  it("has its whole window after a restart after a confirmed resume of a page that was left (A16)", () => {
    const back = run(attached, closed("a", leaveWindowMs), claim, message("b"))
    expect(wakeAtLife(restoredLife(waits, claimsAt(back, 2_000), 2_000))).toBe(2_100)
  })

  it("counts no takeover twice in a process whose clock started later (6)", () => {
    const restored = restoredLife<string>(waits, claimsAt(after(90_000, 95_000), 100_000), 5)
    const takeover: Input = { ...claim, link: "c", generation: 4, dial: 6, nowMs: 8 }
    expect(run(restored, { ...claim, nowMs: 7 }, takeover).kind).toBe("attached")
  })
})
