import { encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { errorTable, suggestedAction } from "../errors.ts"
import { clientMessageLimits } from "../limits.ts"
import { classifyFirstByte, createFrameCodec, frameByte } from "./frame-codec.ts"
import type { BadFrame, Frame } from "./frame.ts"
import { TypeTable } from "./type-table.ts"

const names = ["$join", "$leave", "move", "chat", "toString"]
const codec = createFrameCodec(new TypeTable(names), clientMessageLimits)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))
const joined = (first: number, body: unknown): Uint8Array => Uint8Array.of(first, ...encode(body))

// The wire of `hawser.1`. A change here is a change of the protocol: it needs a new wire version.
const golden: readonly (readonly [string, string, Frame, string])[] = [
  ["hello", "control", { kind: "hello", version: 1, token: "abc", reference: null }, "019401a3616263c090"],
  [
    "welcome",
    "control",
    {
      kind: "welcome",
      sessionId: "s1",
      received: 2,
      handled: 1,
      expiresInMs: 60_000,
      maxMessageBytes: 65_536,
      types: ["$join", "move"],
    },
    "0299a27331c00002010091ce00010000cdea6092a5246a6f696ea46d6f7665",
  ],
  [
    "welcome without expiry",
    "control",
    {
      kind: "welcome",
      sessionId: "",
      received: 0,
      handled: 0,
      expiresInMs: null,
      maxMessageBytes: 1,
      types: [],
    },
    "0299a0c00000000091" + "01c090",
  ],
  ["ping", "control", { kind: "ping", number: 3, handled: 300 }, "079203cd012c"],
  ["pong", "control", { kind: "pong", number: 3, handled: 0 }, "08920300"],
  [
    "goaway",
    "control",
    { kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5000 },
    "0993a362796500cd1388",
  ],
  ["busy", "control", { kind: "busy", retryAfterMs: 250 }, "0c91ccfa"],
  ["bye", "control", { kind: "bye", code: "replaced", message: "" }, "0d92a87265706c61636564a0"],
  ["event", "reliable", { kind: "event", type: "chat", payload: { a: 1 } }, "40920381a16101"],
  [
    "request",
    "reliable",
    { kind: "request", call: undefined, type: "move", payload: [1], budgetMs: 10_000, reference: 7 },
    "4193029101cd2710",
  ],
  ["reply", "reliable", { kind: "reply", reference: 7, outcome: { ok: true, payload: null } }, "42930700c0"],
  [
    "reply with an error of the table",
    "reliable",
    {
      kind: "reply",
      reference: 7,
      outcome: {
        ok: false,
        error: { code: "rate_limited", message: "slow", category: "rate_limit", retryAfterMs: 9 },
      },
    },
    "4293070895c0a4736c6f770309c0",
  ],
  [
    "reply with an error of the application",
    "reliable",
    {
      kind: "reply",
      reference: 1,
      outcome: { ok: false, error: { code: "x_y", message: "m", category: "validation", details: { a: 1 } } },
    },
    "4293010195a3785f79a16d00c081a16101",
  ],
  ["cancel", "reliable", { kind: "cancel", reference: 128 }, "4591cc80"],
  [
    "topicEvent",
    "reliable",
    { kind: "topicEvent", topic: "room:1", offset: 4, type: "chat", payload: "x" },
    "4694a6726f6f6d3a310403a178",
  ],
  ["volatile", "volatile", { kind: "volatile", type: "move", payload: true, key: undefined }, "809202c3"],
  [
    "volatile with a key",
    "volatile",
    { kind: "volatile", type: "move", payload: -1, key: "p" },
    "8193a17002ff",
  ],
]

describe("the golden bytes of hawser.1", () => {
  it.each(golden)("encode %s (%s)", (...[, className, frame, bytes]) => {
    expect(hex(codec.encode(frame))).toBe(bytes)
    expect(codec.classify(bytesOf(bytes))).toBe(className)
    expect(codec.decode(bytesOf(bytes), 7)).toEqual(frame)
  })

  it("cover every first byte", () => {
    const covered = new Set(golden.map(([, , , bytes]) => Number.parseInt(bytes.slice(0, 2), 16)))
    expect([...covered].toSorted((a, b) => a - b)).toEqual(Object.values(frameByte).toSorted((a, b) => a - b))
  })

  it("classify by two bits", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const expected = (["control", "reliable", "volatile", "invalid"] as const)[byte >> 6]
      expect(classifyFirstByte(byte)).toBe(expected)
    }
    expect(classifyFirstByte(undefined)).toBe("invalid")
  })
})

describe("the round trip", () => {
  const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
  const text = fc.string({ unit: "binary", maxLength: 40 })
  const type = fc.constantFrom(...names)
  // What JSON can hold comes back as it was; `__proto__` is refused by the guard, and -0 leaves as 0.
  const payload = fc
    .jsonValue()
    .map((value) => JSON.stringify(value).replaceAll("__proto__", "proto").replaceAll("-0", "0"))
    .map((json): unknown => JSON.parse(json))
  const details = fc.dictionary(fc.constantFrom("a", "b", "field"), fc.integer(), { noNullPrototype: true })
  const error = fc.record({
    code: fc.oneof(fc.constantFrom(...Object.keys(errorTable)), fc.stringMatching(/^[a-z_]{1,20}$/)),
    message: text,
    category: fc.constantFrom("validation", "permission", "system", "rate_limit"),
  })
  const hurt = fc
    .tuple(error, fc.option(count, { nil: undefined }), fc.option(details, { nil: undefined }))
    .map(([base, retryAfterMs, facts]) => ({
      ...base,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(facts === undefined ? {} : { details: facts }),
    }))
  const outcome = fc.oneof(
    payload.map((value) => ({ ok: true, payload: value }) as const),
    hurt.map((value) => ({ ok: false, error: value }) as const),
  )
  const kind = <K extends Frame["kind"]>(name: K): fc.Arbitrary<K> => fc.constant(name)
  const frames: Readonly<Record<Frame["kind"], fc.Arbitrary<Frame>>> = {
    hello: fc.record({ kind: kind("hello"), version: count, token: text, reference: fc.constant(null) }),
    welcome: fc.record({
      kind: kind("welcome"),
      sessionId: text,
      received: count,
      handled: count,
      expiresInMs: fc.option(count, { nil: null }),
      maxMessageBytes: count,
      types: fc.array(text, { maxLength: 8 }),
    }),
    ping: fc.record({ kind: kind("ping"), number: count, handled: count }),
    pong: fc.record({ kind: kind("pong"), number: count, handled: count }),
    goaway: fc.record({ kind: kind("goaway"), reason: text, startInMs: count, deadlineMs: count }),
    busy: fc.record({ kind: kind("busy"), retryAfterMs: count }),
    bye: fc.record({ kind: kind("bye"), code: text, message: text }),
    cancel: fc.record({ kind: kind("cancel"), reference: count }),
    event: fc.record({ kind: kind("event"), type, payload }),
    request: fc.record({
      kind: kind("request"),
      call: fc.constant(undefined),
      type,
      payload,
      budgetMs: count,
      reference: fc.constant(41),
    }),
    reply: fc.record({ kind: kind("reply"), reference: count, outcome }),
    topicEvent: fc.record({ kind: kind("topicEvent"), topic: text, offset: count, type, payload }),
    volatile: fc.record({ kind: kind("volatile"), type, payload, key: fc.option(text, { nil: undefined }) }),
  }

  it.each(Object.entries(frames))("gives back every %s", (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (frame) => {
        expect(codec.decode(codec.encode(frame), 41)).toEqual(frame)
      }),
      { numRuns: 300 },
    )
  })

  it("gives back every error of the table by its number", () => {
    for (const [code, row] of Object.entries(errorTable)) {
      const bytes = codec.encode({
        kind: "reply",
        reference: 1,
        outcome: { ok: false, error: { code, message: "m", category: row.category } },
      })
      expect(bytes[3]).toBe(row.wire)
      expect(codec.decode(bytes, 1)).toMatchObject({ outcome: { error: { code, category: row.category } } })
    }
  })
})

describe("what does not fit", () => {
  const text = "x"
  it.each<[string, number, unknown]>([
    ["a body that is a map", frameByte.ping, { a: 1 }],
    ["a body that is a number", frameByte.ping, 5],
    ["a body that is nil", frameByte.event, null],
    ["an unknown control frame", 0x00, []],
    ["an unknown reliable frame", 0x43, [1, 2, 3]],
    ["an unknown volatile frame", 0x82, [1, 2, 3]],
    ["a byte that is never used", 0xc0, [1]],
    ["hello without a token", frameByte.hello, [1]],
    ["hello with a text version", frameByte.hello, ["1", text]],
    ["hello with a token of bytes", frameByte.hello, [1, Uint8Array.of(1)]],
    ["welcome without fields", frameByte.welcome, []],
    ["welcome without limits", frameByte.welcome, [text, null, 0, 0, 0, 0, null, null, []]],
    ["welcome with empty limits", frameByte.welcome, [text, null, 0, 0, 0, 0, [], null, []]],
    ["welcome with a negative expiry", frameByte.welcome, [text, null, 0, 0, 0, 0, [1], -1, []]],
    ["welcome with a type that is no text", frameByte.welcome, [text, null, 0, 0, 0, 0, [1], null, [1]]],
    ["welcome with types that are text", frameByte.welcome, [text, null, 0, 0, 0, 0, [1], null, "ab"]],
    ["welcome with a count of 1.5", frameByte.welcome, [text, null, 0, 1.5, 0, 0, [1], null, []]],
    ["ping without handled", frameByte.ping, [1]],
    ["ping with -1", frameByte.ping, [-1, 0]],
    ["pong with NaN", frameByte.pong, [NaN, 0]],
    ["pong with 2^53", frameByte.pong, [2 ** 53, 0]],
    ["goaway without a reason", frameByte.goaway, [null, 0, 0]],
    ["busy without a time", frameByte.busy, []],
    ["busy with Infinity", frameByte.busy, [Infinity]],
    ["bye without a code", frameByte.bye, [null, ""]],
    ["an event with its name", frameByte.event, ["chat", {}]],
    ["a request with a negative budget", frameByte.request, [2, {}, -1]],
    ["a request without a budget", frameByte.request, [2, {}]],
    ["a reply without a reference", frameByte.reply, [null, 0, {}]],
    ["a reply with a text status", frameByte.reply, [1, "0", {}]],
    ["an error that is text", frameByte.reply, [1, 5, "oops"]],
    ["an error that is nil", frameByte.reply, [1, 5]],
    ["a cancel of text", frameByte.cancel, ["7"]],
    ["a topicEvent without a topic", frameByte.topicEvent, [null, 1, 3, {}]],
    ["a topicEvent without an offset", frameByte.topicEvent, ["t", null, 3, {}]],
    ["a volatile with its name", frameByte.volatile, ["move", {}]],
    ["a keyed volatile without a key", frameByte.volatileKeyed, [null, 2, {}]],
  ])("becomes bad: %s", (_, first, body) => {
    const reference = first === frameByte.request ? 5 : null
    expect(codec.decode(joined(first, body), 5)).toMatchObject({
      kind: "bad",
      reference,
      error: { code: "sys_invalid_message", category: "validation" },
    })
  })

  it("names the frame and the byte", () => {
    const messageOf = (frame: Frame | BadFrame): string => (frame.kind === "bad" ? frame.error.message : "")
    expect(messageOf(codec.decode(joined(0x07, []), 0))).toBe(
      "the fields of frame 0x07 (ping) are not as specified",
    )
    expect(messageOf(codec.decode(joined(0x43, []), 0))).toBe("unknown frame 0x43")
  })

  it.each(["", "01", "40", "41", "4193", "ff", "07920300ff"])("becomes bad: the bytes <%s>", (bytes) => {
    expect(codec.decode(bytesOf(bytes), 1).kind).toBe("bad")
  })

  it("ignores fields of a later version at the end", () => {
    expect(codec.decode(joined(frameByte.ping, [1, 2, "later"]), 0)).toEqual({
      kind: "ping",
      number: 1,
      handled: 2,
    })
  })

  it("reads an error of a later version as an error without its name", () => {
    expect(codec.decode(joined(frameByte.reply, [1, 9999, [null, null, 99, -5, "?"]]), 0)).toEqual({
      kind: "reply",
      reference: 1,
      outcome: {
        ok: false,
        error: {
          code: "sys_internal_error",
          message: suggestedAction("sys_internal_error"),
          category: "system",
        },
      },
    })
  })

  it("reads an unknown type number as a name that no contract holds", () => {
    expect(codec.decode(joined(frameByte.event, [5, 1]), 0)).toEqual({
      kind: "event",
      type: "#5",
      payload: 1,
    })
    expect(codec.decode(joined(frameByte.request, [99, 1, 0]), 3)).toMatchObject({
      type: "#99",
      reference: 3,
    })
  })

  it.each(["nope", "valueOf", "__proto__", "#1"])("throws on encoding the unknown type %s", (type) => {
    expect(() => codec.encode({ kind: "event", type, payload: 1 })).toThrow(RangeError)
  })

  it("never throws for 50,000 random inputs", () => {
    const byte = fc.constantFrom(...Object.values(frameByte))
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 16 }),
      fc
        .array(
          fc.oneof(
            fc.nat(200),
            fc.constant(0),
            fc.constant("t"),
            fc.constantFrom<unknown>(null, -1, 0.5, true, [1, 2], { a: 1 }),
          ),
          { maxLength: 5 },
        )
        .map((fields) => encode(fields)),
    )
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(fc.oneof(byte, fc.nat(255)), body, (first, rest) => {
        const frame = codec.decode(Uint8Array.of(first, ...rest), 1)
        seen.set(frame.kind, (seen.get(frame.kind) ?? 0) + 1)
      }),
      { numRuns: 50_000 },
    )
    expect(seen.get("bad")).toBeGreaterThan(10_000)
    for (const kind of ["hello", "ping", "goaway", "event", "request", "reply", "cancel", "volatile"]) {
      expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0)
    }
  })
})
