import { encode as byLibrary } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import type { MessageLimits } from "./message-limits.ts"
import { Encoded, encodedArray } from "./encoded.ts"
import { createEnvelopeCodec } from "../profile20/envelope-codec.ts"
import { createFrameCodec } from "./frame-codec.ts"
import type { Frame } from "./frame.ts"
import { createPayloadCodec } from "./payload-codec.ts"
import { TypeTable } from "./type-table.ts"
import { UnsendableError } from "./unsendable.ts"

/** Small bounds, so that random values are often just below or just above one. */
const tight: MessageLimits = { maxBytes: 120, maxDepth: 4, maxElements: 16, maxKeyBytes: 8 }

/** A value with all content for which the guard has a rule. */
const { value: hostile } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: "small" },
    { weight: 6, arbitrary: hostileLeaf() },
    { weight: 3, arbitrary: fc.array(tie("value"), { maxLength: 9 }) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(hostileKey(), tie("value")), { maxLength: 9 })
        .map((entries) => ({ __proto__: null, ...Object.fromEntries(entries) })),
    },
    { weight: 1, arbitrary: tie("value").map((value) => new Encoded(value)) },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }).map((items) => encodedArray(items)) },
  ),
}))

function hostileText(): fc.Arbitrary<string> {
  const unit = fc.constantFrom("a", "é", "한", "😀", "\ud83d", "\ude00", "\u0000", "\ufeff")
  return fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
    { weight: 1, arbitrary: fc.array(unit, { maxLength: 10 }).map((units) => units.join("")) },
    { weight: 1, arbitrary: fc.constantFrom("x".repeat(100), "x".repeat(130), "é".repeat(60)) },
  )
}

function hostileKey(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("a", "b", "1", "constructor", "prototype", "toString", "") },
    {
      weight: 1,
      arbitrary: fc.constantFrom("__proto__", "é".repeat(4), "é".repeat(5), "abcdefgh", "abcdefghi"),
    },
    { weight: 1, arbitrary: hostileText() },
  )
}

function hostileLeaf(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom(
      null,
      undefined,
      true,
      0,
      -0,
      1.5,
      Number.NaN,
      Infinity,
      2 ** 53 - 1,
      2 ** 53,
      -(2 ** 63),
    ),
    fc.integer(),
    fc.double(),
    hostileText(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom<unknown>(
      5n,
      () => {},
      Symbol("s"),
      new Map([["a", 1]]),
      new Set([1]),
      new URL("http://a/b"),
      new Error("e"),
      Promise.resolve(1),
      /r/,
      Object("text"),
      Float32Array.of(1, 2),
      new ArrayBuffer(3),
      new DataView(new ArrayBuffer(4), 1, 2),
    ),
  )
}

function refusalOf(work: () => unknown): UnsendableError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof UnsendableError) return error
    throw error
  }
}

/** The received value by the table of docs/values.md; `refused` for a value that cannot be sent. */
const refused = Symbol("refused")

function arrivesAs(value: unknown): unknown {
  if (value === undefined) return undefined
  if (typeof value === "number") return value === 0 ? 0 : value
  if (typeof value === "string") return /[\ud800-\udfff]/u.test(value) ? refused : value
  if (value === null || typeof value === "boolean") return value
  if (typeof value !== "object") return refused
  if (Array.isArray(value)) {
    const items = value.map((item) => (item === undefined ? refused : arrivesAs(item)))
    return items.includes(refused) ? refused : items
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? refused : value
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (value instanceof DataView) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (Object.getPrototypeOf(value) !== null && Object.getPrototypeOf(value) !== Object.prototype)
    return refused
  const map: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    const arrives = arrivesAs(member)
    if (arrives === refused || key === "__proto__" || /[\ud800-\udfff]/u.test(key)) return refused
    map[key] = arrives
  }
  return map
}

/** The value without shared encodings. */
function unshared(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unshared)
  if (typeof value !== "object" || value === null) return value
  // A shared value cannot be absent.
  if (value instanceof Encoded) return value.value === undefined ? [undefined] : unshared(value.value)
  if (Object.getPrototypeOf(value) !== null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, unshared(member)] as const)
  return { __proto__: null, ...Object.fromEntries(entries) }
}

describe("surprise-B1 a value that encodes at one end decodes at the other", () => {
  const limitsOf = { tight, client: clientMessageLimits, server: serverMessageLimits }

  it.each(Object.entries(limitsOf))("reads every sent value as the same value: %s", (_, limits) => {
    const codec = createPayloadCodec(limits)
    let sent = 0
    let kept = 0
    fc.assert(
      fc.property(hostile, (value) => {
        const error = refusalOf(() => {
          const bytes = codec.encodeFrame(0x41, [value])
          sent += 1
          const expected = arrivesAs(unshared(value))
          expect(expected).not.toBe(refused)
          expect(codec.decode(bytes, 1, 0)).toEqual({ ok: true, value: [expected] })
        })
        if (error !== undefined) kept += 1
      }),
      { numRuns: 4_000 },
    )
    expect(sent).toBeGreaterThan(500)
    expect(kept).toBeGreaterThan(500)
  })

  it("refuses no value that the peer would have read as the same value", () => {
    const codec = createPayloadCodec(tight)
    let refusals = 0
    fc.assert(
      fc.property(hostile, (value) => {
        if (refusalOf(() => codec.encodeFrame(0x41, [value])) === undefined) return
        refusals += 1
        const whole = unshared(value)
        if (arrivesAs(whole) === refused) return
        // The value itself can be sent, so the guard must refuse its bytes.
        const body = byLibrary([arrivesAs(whole)], { ignoreUndefined: true })
        // The bound holds for the whole frame, with its first byte.
        expect(codec.decode(Uint8Array.of(0x41, ...body), 1).ok).toBe(false)
      }),
      { numRuns: 4_000 },
    )
    expect(refusals).toBeGreaterThan(500)
  })

  const table = new TypeTable(["note", "move"])
  const text = hostileText()
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, -1, 1.5, 2 ** 60, Infinity))
  const error = fc.record({
    code: fc.oneof(text, fc.constantFrom("forbidden", "timeout")),
    message: text,
    category: fc.constantFrom("validation", "permission", "system", "rate_limit"),
    retryAfterMs: number,
    details: fc.record({ payload: hostile }),
  })
  const frames: fc.Arbitrary<Frame> = fc.oneof(
    hostile.map((payload): Frame => ({ kind: "event", type: "note", payload })),
    hostile.map((payload): Frame => ({ kind: "item", reference: 7, payload })),
    hostile.map((payload): Frame => ({ kind: "reply", reference: 7, outcome: { ok: true, payload } })),
    error.map((failed): Frame => ({ kind: "reply", reference: 7, outcome: { ok: false, error: failed } })),
    error.map((failed): Frame => ({ kind: "end", reference: 7, error: failed })),
    fc
      .tuple(hostile, text)
      .map(([payload, key]): Frame => ({ kind: "volatile", type: "move", payload, key })),
    fc
      .tuple(hostile, text)
      .map(([payload, topic]): Frame => ({ kind: "topicEvent", topic, offset: 9, type: "note", payload })),
    fc.tuple(hostile, number, text).map(([payload, budgetMs, key]): Frame => ({
      ...{ kind: "request", call: "command", type: "move", payload, budgetMs, key, reference: 1 },
    })),
    fc.tuple(text, text).map(([code, message]): Frame => ({ kind: "bye", code, message })),
    fc.tuple(text, number, number).map(([reason, startInMs, deadlineMs]): Frame => ({
      ...{ kind: "goaway", reason, startInMs, deadlineMs },
    })),
    fc.tuple(text).map(([cause]): Frame => ({ kind: "reset", cause, count: 3 })),
    number.map((expiresInMs): Frame => ({ kind: "authOk", expiresInMs })),
  )

  it.each([
    ["hawser.1", (limits: MessageLimits) => createFrameCodec(table, limits)],
    ["2.0", (limits: MessageLimits) => createEnvelopeCodec({ limits, wallClockMs: () => 0 })],
  ])("sends no frame that the peer decodes as bad: %s", (profile, codecFor) => {
    const roomy = { maxBytes: 400, maxDepth: 6, maxElements: 40, maxKeyBytes: 20 }
    const codecs = [codecFor(roomy), codecFor(clientMessageLimits)]
    let sent = 0
    fc.assert(
      fc.property(frames, (frame) => {
        for (const codec of codecs) {
          if (profile === "2.0" && !has20(frame)) continue
          const error = refusalOf(() => {
            const bytes = codec.encode(frame)
            sent += 1
            expect(codec.decode(bytes, 1)).toMatchObject({ kind: profile === "2.0" ? /./ : frame.kind })
          })
          if (error !== undefined) expect(["invalid_input", "message_too_large"]).toContain(error.code)
        }
      }),
      { numRuns: 6_000 },
    )
    expect(sent).toBeGreaterThan(2_000)
  })
})

function has20({ kind }: Frame): boolean {
  return ["event", "reply", "volatile", "topicEvent", "request", "goaway"].includes(kind)
}
