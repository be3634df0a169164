import { clientMessageLimits } from "@hawser/protocol/core"
import type { BadFrame, Frame, HelloFrame, WireError } from "@hawser/protocol/core"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialAdmission, stepAdmission, wakeAtAdmission } from "./admission.machine.ts"
import type { AdmissionInput, AdmissionOptions, AdmissionState } from "./admission.machine.ts"

const compact: AdmissionOptions = {
  rules: {
    negotiates: true,
    holdsEarly: false,
    unauthenticated: { code: "sys_invalid_message", category: "validation" },
  },
  contractName: "harbour",
  wireVersion: 3,
  limits: {
    helloMaxBytes: 100,
    authTimeoutMs: 5_000,
    claimTimeoutMs: 2_000,
    earlyMaxCount: 2,
    earlyMaxBytes: 120,
    clientMessage: clientMessageLimits,
  },
}
const envelopes: AdmissionOptions = {
  ...compact,
  rules: {
    negotiates: false,
    holdsEarly: true,
    unauthenticated: { code: "auth_required", category: "permission" },
  },
}
const awaiting: AdmissionState = { kind: "awaitingHello", deadlineMs: 5_000 }
const verifying: AdmissionState = {
  kind: "verifying",
  deadlineMs: 5_000,
  reference: "1",
  heldCount: 0,
  heldBytes: 0,
}
const claiming: AdmissionState = { ...verifying, kind: "claiming", deadlineMs: 6_000 }
const done: AdmissionState = { kind: "done" }

const hello = (version = 3): HelloFrame => ({
  kind: "hello",
  version,
  token: "t",
  reference: "1",
  clientId: "c",
  dial: 1,
})
const foreign: HelloFrame = { ...hello(), contract: "airport" }
const request: Frame = {
  kind: "request",
  call: "command",
  type: "a",
  payload: 1,
  budgetMs: 0,
  reference: "2",
}
const wrong: WireError = { code: "auth_token_invalid", message: "no token", category: "permission" }
const badFrame: BadFrame = { kind: "bad", reference: "2", error: wrong }
const frame = (value: Frame | BadFrame, bytes = 50): AdmissionInput => ({
  kind: "frame",
  frame: value,
  bytes,
})
const verified: AdmissionInput = { kind: "verified", nowMs: 4_000 }
const opened: AdmissionInput = { kind: "opened" }
const rejected: AdmissionInput = { kind: "rejected", error: wrong }

const isVerifying = { kind: "verifying" }
const isDone = { kind: "done" }
const refusal = (code: string, reference: unknown = null, text = false): unknown[] => [
  { kind: "refuse", error: { code }, reference, text },
]

describe("every state × every input", () => {
  it.each<[string, AdmissionOptions, AdmissionState, AdmissionInput, object, unknown[]]>([
    [
      "verifies the first token",
      compact,
      awaiting,
      frame(hello()),
      verifying,
      [{ kind: "verify", hello: hello() }],
    ],
    ["takes the version before", compact, awaiting, frame(hello(2)), isVerifying, [{ kind: "verify" }]],
    ["takes the version after", compact, awaiting, frame(hello(4)), isVerifying, [{ kind: "verify" }]],
    ["refuses an older version", compact, awaiting, frame(hello(1)), isDone, refusal("unsupported_version")],
    ["refuses a newer version", compact, awaiting, frame(hello(5)), isDone, refusal("unsupported_version")],
    [
      "takes a client whose reader takes more than this server sends",
      compact,
      awaiting,
      frame({ ...hello(), limits: { ...clientMessageLimits, maxBytes: 2 ** 30 } }),
      isVerifying,
      [{ kind: "verify" }],
    ],
    ...(["maxBytes", "maxDepth", "maxElements", "maxKeyBytes"] as const).map(
      (name): [string, AdmissionOptions, AdmissionState, AdmissionInput, object, unknown[]] => [
        `surprise-B1 refuses a client whose reader takes less than this server sends: ${name}`,
        compact,
        awaiting,
        frame({ ...hello(), limits: { ...clientMessageLimits, [name]: clientMessageLimits[name] - 1 } }),
        isDone,
        refusal("unsupported_limits"),
      ],
    ),
    [
      "takes a client that names no limits for one with the defaults",
      { ...compact, limits: { ...compact.limits, clientMessage: { ...clientMessageLimits, maxDepth: 33 } } },
      awaiting,
      frame(hello()),
      isDone,
      refusal("unsupported_limits"),
    ],
    ["asks no version in 2.0", envelopes, awaiting, frame(hello(0)), isVerifying, [{ kind: "verify" }]],
    [
      "takes a first message at the limit",
      compact,
      awaiting,
      frame(hello(), 100),
      isVerifying,
      [{ kind: "verify" }],
    ],
    [
      "refuses one above it",
      compact,
      awaiting,
      frame(hello(), 101),
      isDone,
      refusal("message_too_large", "1"),
    ],
    [
      "refuses one above it also when it is bad",
      envelopes,
      awaiting,
      frame(badFrame, 101),
      isDone,
      refusal("message_too_large", "2"),
    ],
    [
      "refuses one above it without a reference",
      envelopes,
      awaiting,
      frame({ kind: "bye", code: "x", message: "" }, 101),
      isDone,
      refusal("message_too_large"),
    ],
    [
      "refuses a first request",
      compact,
      awaiting,
      frame(request),
      isDone,
      refusal("sys_invalid_message", "2"),
    ],
    [
      "asks to log in first in 2.0",
      envelopes,
      awaiting,
      frame(request),
      isDone,
      refusal("auth_required", "2"),
    ],
    [
      "passes on what was bad",
      envelopes,
      awaiting,
      frame(badFrame),
      isDone,
      refusal("auth_token_invalid", "2"),
    ],
    [
      "refuses text at first",
      compact,
      awaiting,
      { kind: "text" },
      isDone,
      refusal("sys_invalid_message", null, true),
    ],
    ["ignores an early verdict", compact, awaiting, verified, awaiting, []],
    ["ignores an early session", compact, awaiting, opened, awaiting, []],
    ["ignores an early rejection", compact, awaiting, rejected, awaiting, []],
    ["waits for the first message", compact, awaiting, { kind: "wake", nowMs: 4_999 }, awaiting, []],
    [
      "ends that wait on time",
      compact,
      awaiting,
      { kind: "wake", nowMs: 5_000 },
      isDone,
      refusal("auth_timeout"),
    ],
    ["claims a session", compact, verifying, verified, claiming, [{ kind: "claim" }]],
    ["ignores a session that it did not claim", compact, verifying, opened, verifying, []],
    ["releases the held messages", compact, claiming, opened, done, [{ kind: "release" }]],
    ["claims once", compact, claiming, verified, claiming, []],
    ["refuses without a session", compact, claiming, rejected, isDone, refusal("auth_token_invalid", "1")],
    [
      "takes nothing while it asks",
      compact,
      claiming,
      frame(request),
      isDone,
      refusal("sys_invalid_message"),
    ],
    [
      "holds messages of 2.0 while it asks",
      envelopes,
      claiming,
      frame(request),
      { ...claiming, heldCount: 1, heldBytes: 50 },
      [{ kind: "hold" }],
    ],
    ["waits for the store", compact, claiming, { kind: "wake", nowMs: 5_999 }, claiming, []],
    [
      "ends the wait for the store",
      compact,
      claiming,
      { kind: "wake", nowMs: 6_000 },
      isDone,
      refusal("sys_service_unavailable", "1"),
    ],
    ["refuses a rejected token", compact, verifying, rejected, isDone, refusal("auth_token_invalid", "1")],
    [
      "takes nothing before WELCOME",
      compact,
      verifying,
      frame(request),
      isDone,
      refusal("sys_invalid_message"),
    ],
    ["takes no second token", compact, verifying, frame(hello()), isDone, refusal("sys_invalid_message")],
    [
      "holds early messages of 2.0",
      envelopes,
      verifying,
      frame(request),
      { ...verifying, heldCount: 1, heldBytes: 50 },
      [{ kind: "hold" }],
    ],
    [
      "holds bad ones too",
      envelopes,
      verifying,
      frame(badFrame),
      { ...verifying, heldCount: 1, heldBytes: 50 },
      [{ kind: "hold" }],
    ],
    [
      "holds no more than the bound",
      envelopes,
      { ...verifying, heldCount: 2, heldBytes: 100 },
      frame(request),
      isDone,
      refusal("sys_invalid_message"),
    ],
    [
      "holds no more bytes than the bound",
      envelopes,
      { ...verifying, heldCount: 1, heldBytes: 50 },
      frame(request, 71),
      isDone,
      refusal("sys_invalid_message"),
    ],
    [
      "takes no second token in 2.0",
      envelopes,
      verifying,
      frame(hello()),
      isDone,
      refusal("sys_invalid_message", "1"),
    ],
    [
      "refuses text meanwhile",
      compact,
      verifying,
      { kind: "text" },
      isDone,
      refusal("sys_invalid_message", null, true),
    ],
    ["waits for the verdict", compact, verifying, { kind: "wake", nowMs: 4_999 }, verifying, []],
    [
      "ends that wait, too",
      compact,
      verifying,
      { kind: "wake", nowMs: 5_000 },
      isDone,
      refusal("auth_timeout", "1"),
    ],
    ["ends before a frame", compact, done, frame(hello()), done, []],
    ["ends before text", compact, done, { kind: "text" }, done, []],
    ["ends before a verdict", compact, done, verified, done, []],
    ["ends before a session", compact, done, opened, done, []],
    ["ends before a rejection", compact, done, rejected, done, []],
    ["ends before a waking", compact, done, { kind: "wake", nowMs: 1e9 }, done, []],
  ])("%s", (...[, options, state, input, next, effects]) => {
    expect(stepAdmission(options, state, input)).toMatchObject([next, effects])
  })

  it("has one wake-up time from the socket to the verdict", () => {
    const first = initialAdmission(compact, 700)
    expect(wakeAtAdmission(first)).toBe(5_700)
    const [second] = stepAdmission(compact, first, frame(hello()))
    expect(wakeAtAdmission(second)).toBe(5_700)
    expect(wakeAtAdmission(done)).toBeUndefined()
  })
})

describe("random sequences", () => {
  const input = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(frame(hello()), frame(request)) },
    { weight: 3, arbitrary: fc.constantFrom(verified, opened) },
    fc.constantFrom<AdmissionInput>(frame(hello(9)), frame(badFrame), frame(hello(), 101), { kind: "text" }),
    fc.constantFrom<AdmissionInput>(
      verified,
      opened,
      rejected,
      { kind: "wake", nowMs: 10 },
      { kind: "wake", nowMs: 5_000 },
    ),
  )

  it.each([compact, envelopes])(
    "verify one token and claim one session at most, and nothing follows the end: $rules.holdsEarly",
    (options) => {
      const ends = new Set<string>()
      fc.assert(
        fc.property(fc.array(input, { maxLength: 12 }), (inputs) => {
          let state = initialAdmission(options, 0)
          const effects: string[] = []
          for (const next of inputs) {
            const before = state
            const [after, produced] = stepAdmission(options, state, next)
            if (before.kind === "done") expect([after, produced]).toEqual([before, []])
            effects.push(...produced.map((effect) => effect.kind))
            state = after
          }
          expect(effects.filter((effect) => effect === "verify").length).toBeLessThanOrEqual(1)
          expect(effects.filter((effect) => effect === "hold").length).toBeLessThanOrEqual(
            options.rules.holdsEarly ? 2 : 0,
          )
          const last = effects.findIndex((effect) => effect === "release" || effect === "refuse")
          expect(last === -1).toBe(state.kind !== "done")
          if (last !== -1) expect(last).toBe(effects.length - 1)
          expect(effects.filter((effect) => effect === "claim").length).toBeLessThanOrEqual(1)
          if (effects.includes("release")) expect(effects[0]).toBe("verify")
          ends.add(effects.at(-1) ?? "")
        }),
        { numRuns: 2000 },
      )
      expect(ends.has("release") && ends.has("refuse")).toBe(true)
    },
  )
})

describe("the contract's name in HELLO", () => {
  const first = (options: AdmissionOptions, contract?: string) =>
    stepAdmission(options, awaiting, frame(contract === undefined ? hello() : { ...foreign, contract }))[1]

  it("refuses a client of another contract, by both names", () => {
    expect(first(compact, "airport")).toMatchObject([
      {
        kind: "refuse",
        error: {
          code: "other_contract",
          message: 'this server has the contract "harbour", the client "airport"',
        },
      },
    ])
  })

  it("admits a client of the same contract, and one that sends no name", () => {
    expect(first(compact, "harbour")).toMatchObject([{ kind: "verify" }])
    expect(first(compact)).toMatchObject([{ kind: "verify" }])
  })

  it("does not decide in 2.0, whose first message has no name", () => {
    expect(first(envelopes, "airport")).toMatchObject([{ kind: "verify" }])
  })
})
