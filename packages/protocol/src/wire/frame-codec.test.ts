import { ExtData, encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { errorTable } from "../base/errors.ts"
import vectors from "../../../../docs/vectors.json" with { type: "json" }
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import { classifyFirstByte, frameByte } from "./frame-byte.ts"
import { createFrameCodec } from "./frame-codec.ts"
import type { BadFrame, Frame } from "./frame.ts"
import { TypeTable } from "./type-table.ts"

const names = ["$join", "$leave", "move", "chat", "toString"]
const codec = createFrameCodec(new TypeTable(names), clientMessageLimits)
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))
const joined = (first: number, body: unknown): Uint8Array => Uint8Array.of(first, ...encode(body))

it("classifies a frame by two bits", () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const expected = (["control", "reliable", "volatile", "invalid"] as const)[byte >> 6]
    expect(classifyFirstByte(byte)).toBe(expected)
  }
  expect(classifyFirstByte(undefined)).toBe("invalid")
})

describe("the round trip", () => {
  const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
  const digest = fc.oneof(fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff), fc.nat(0xffffffff))
  const text = fc.string({ unit: "binary", maxLength: 40 })
  const type = fc.constantFrom(...names)
  const limits = fc.record({ maxBytes: count, maxDepth: count, maxElements: count, maxKeyBytes: count })
  const author = fc.record({ user: text, member: count }, { requiredKeys: ["user"] })
  // JSON values are preserved, except `__proto__`, which the guard refuses, and -0, which is sent as 0.
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
  type Sendable = Exclude<Frame["kind"], "unknownControl">
  const frames: Readonly<Record<Sendable, fc.Arbitrary<Frame>>> = {
    hello: fc.record(
      {
        kind: kind("hello"),
        version: count,
        token: text,
        reference: fc.constant(null),
        clientId: text,
        dial: count,
        resume: fc.record({ sessionId: text, token: text, handled: count, digest, sent: count }),
        limits,
        contract: text,
      },
      { requiredKeys: ["kind", "version", "token", "reference", "clientId", "dial"] },
    ),
    welcome: fc.record(
      {
        kind: kind("welcome"),
        sessionId: text,
        resumeToken: fc.option(text, { nil: null }),
        resumed: fc.boolean(),
        refusal: text,
        received: count,
        handled: count,
        digest,
        expiresInMs: fc.option(count, { nil: null }),
        limits,
        types: fc.array(text, { maxLength: 8 }),
      },
      {
        requiredKeys: [
          "kind",
          "sessionId",
          "resumeToken",
          "resumed",
          "received",
          "handled",
          "digest",
          "expiresInMs",
          "limits",
          "types",
        ],
      },
    ),
    auth: fc.record({ kind: kind("auth"), token: text }),
    authRequest: fc.record({ kind: kind("authRequest"), expiresInMs: count }),
    authOk: fc.record({ kind: kind("authOk"), expiresInMs: fc.option(count, { nil: null }) }),
    ack: fc.record(
      { kind: kind("ack"), handled: count, stateFrames: count },
      { requiredKeys: ["kind", "handled"] },
    ),
    void: fc.record({ kind: kind("void"), references: fc.array(count, { maxLength: 5 }) }),
    reset: fc.record({ kind: kind("reset"), cause: text, count }),
    sync: fc.record({ kind: kind("sync"), count, digest }),
    ping: fc.record({ kind: kind("ping"), number: count, handled: count }),
    pong: fc.record({ kind: kind("pong"), number: count, handled: count }),
    goaway: fc.record(
      {
        ...{ kind: kind("goaway"), reason: text, startInMs: count, deadlineMs: count, address: text },
        backInMs: count,
        intent: fc.constantFrom("drain", "shutdown"),
      },
      { requiredKeys: ["kind", "reason", "startInMs", "deadlineMs"] },
    ),
    throttled: fc.record({ kind: kind("throttled"), limit: text, forMs: count }),
    busy: fc.record({ kind: kind("busy"), retryAfterMs: count }),
    bye: fc.record(
      { kind: kind("bye"), code: text, message: text, details },
      { requiredKeys: ["kind", "code", "message"] },
    ),
    cancel: fc.record({ kind: kind("cancel"), reference: count }),
    event: fc.record({ kind: kind("event"), type, payload }),
    request: fc.record(
      {
        kind: kind("request"),
        call: fc.constant(undefined),
        type,
        payload,
        budgetMs: count,
        key: text,
        reference: fc.constant(41),
      },
      { requiredKeys: ["kind", "call", "type", "payload", "budgetMs", "reference"] },
    ),
    reply: fc.record({ kind: kind("reply"), reference: count, outcome }),
    item: fc.record({ kind: kind("item"), reference: count, payload }),
    end: fc.record({
      kind: kind("end"),
      reference: count,
      error: fc.option(hurt, { nil: undefined }),
    }),
    credit: fc.record({ kind: kind("credit"), reference: count, items: count }),
    topicEvent: fc.record(
      { kind: kind("topicEvent"), topic: text, offset: count, type, payload, author },
      { requiredKeys: ["kind", "topic", "offset", "type", "payload"] },
    ),
    replica: fc.record(
      { kind: kind("replica"), replica: count, name: text, schema: payload, epoch: text, topic: text },
      { requiredKeys: ["kind", "replica", "name", "schema"] },
    ),
    replicaParts: fc.record({
      kind: kind("replicaParts"),
      bytes: fc.uint8Array({ maxLength: 20 }).map((tail) => Uint8Array.of(frameByte.replicaParts, ...tail)),
    }),
    have: fc.record({
      kind: kind("have"),
      held: fc.array(
        fc.record(
          {
            ...{ replica: text, epoch: text, topic: text },
            cells: fc.array(fc.record({ x: fc.integer(), y: fc.integer(), version: count }), {
              maxLength: 5,
            }),
          },
          { requiredKeys: ["replica", "cells"] },
        ),
        { maxLength: 3 },
      ),
    }),
    volatile: fc.oneof(
      fc
        .record(
          { kind: kind("volatile"), type, payload, key: fc.option(text, { nil: undefined }), author },
          { requiredKeys: ["kind", "type", "payload", "key"] },
        )
        .map((frame) => {
          // The first line of a key is the topic of the publication.
          const [, topic] = /^([^\n]+)\n/.exec(frame.key ?? "") ?? []
          return topic === undefined ? frame : { ...frame, topic }
        }),
      fc.record(
        {
          ...{ kind: kind("volatile"), type, payload, key: fc.constant(undefined), author },
          topic: text.filter((topic) => topic !== ""),
        },
        { requiredKeys: ["kind", "type", "payload", "key", "topic"] },
      ),
    ),
  }

  it.each(Object.entries(frames))("preserves every %s", (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (frame) => {
        expect(codec.decode(codec.encode(frame), 41)).toEqual(frame)
      }),
      { numRuns: 300 },
    )
  })

  it("preserves every error of the table by its number", () => {
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

describe("an absent payload", () => {
  const absent = new ExtData(0, Uint8Array.of(0))
  const frames: readonly (readonly [name: string, byte: number, fields: readonly unknown[], at: number])[] = [
    ["event", frameByte.event, [3, 1], 1],
    ["request", frameByte.request, [2, 1, 0, "k"], 1],
    ["reply", frameByte.reply, [1, 0, 1], 2],
    ["item", frameByte.item, [1, 1], 1],
    ["topicEvent", frameByte.topicEvent, ["t", 1, 3, 1, ["u", 1]], 3],
    ["volatile", frameByte.volatile, [2, 1, "t", ["u", 1]], 1],
    ["volatileKeyed", frameByte.volatileKeyed, ["k", 2, 1, ["u", 1]], 2],
  ]
  const hello = ["hello", frameByte.hello, [1, "t", null, "c", 1, null, "game"], -1] as const
  const bye = ["bye", frameByte.bye, ["c", "m", { a: 1 }], -1] as const

  it.each([...frames, hello, bye])(
    "stands in a %s only in the place of its payload",
    (...[, byte, fields, at]) => {
      const kindWith = (place: number, value: unknown): string =>
        codec.decode(joined(byte, fields.with(place, value)), 5).kind
      expect(codec.decode(joined(byte, fields), 5).kind).not.toBe("bad")
      for (const place of fields.keys()) {
        expect(kindWith(place, absent) === "bad", `place ${place}`).toBe(place !== at)
        expect(kindWith(place, [absent]), `in an array at ${place}`).toBe("bad")
        expect(kindWith(place, { a: absent }), `in a map at ${place}`).toBe("bad")
      }
      expect(codec.decode(joined(byte, [...fields, absent]), 5).kind).toBe("bad")
    },
  )

  it("is exactly three bytes", () => {
    expect(codec.decode(bytesOf("409203d40000"), 0)).toEqual({
      kind: "event",
      type: "chat",
      payload: undefined,
    })
    for (const other of ["d40001", "d40100", "c7010000", "d5000000", "d400", "d4ff00"])
      expect(codec.decode(bytesOf(`409203${other}`), 0).kind, other).toBe("bad")
  })

  it("does not affect the next message", () => {
    expect(codec.decode(bytesOf("4092d4000001"), 0).kind).toBe("bad")
    expect(codec.decode(bytesOf("40920301"), 0)).toEqual({ kind: "event", type: "chat", payload: 1 })
  })

  it("is no result of a failed request", () => {
    expect(codec.decode(joined(frameByte.reply, [1, 5, absent]), 0).kind).toBe("bad")
  })
})

describe("a malformed frame", () => {
  const text = "x"
  /** A valid WELCOME except for one field. */
  const welcomeFields: readonly unknown[] = [text, null, 0, 0, 0, 0, [1], null, [], null, 0]
  const welcomeWith = (place: number, field: unknown): unknown[] => welcomeFields.with(place, field)

  /** A valid HELLO except for one field. */
  const helloFields: readonly unknown[] = [1, text, [text, text, 0, 0, 0], text, 1]
  const helloWith = (place: number, field: unknown): unknown[] => helloFields.with(place, field)

  it("accepts the HELLO and the WELCOME whose fields are invalidated below", () => {
    expect(codec.decode(joined(frameByte.hello, helloWith(0, 1)), 0)).toMatchObject({
      kind: "hello",
      resume: {},
    })
    expect(codec.decode(joined(frameByte.welcome, welcomeWith(0, "s")), 0).kind).toBe("welcome")
  })

  it.each<[string, number, unknown]>([
    ["a body that is a map", frameByte.ping, { a: 1 }],
    ["a body that is a number", frameByte.ping, 5],
    ["a body that is nil", frameByte.event, null],
    ["an unknown control frame", 0x00, []],
    ["a control frame that is not spoken yet", 0x0e, []],
    ["an unknown reliable frame", 0x48, [1, 2, 3]],
    ["an unknown volatile frame", 0x8f, [1, 2, 3]],
    ["abuse-A29 a byte that is never used", 0xc0, [1]],
    ["hello without a token", frameByte.hello, helloWith(1, null)],
    ["hello with a text version", frameByte.hello, helloWith(0, "1")],
    ["hello with a token of bytes", frameByte.hello, helloWith(1, Uint8Array.of(1))],
    ["hello without a client", frameByte.hello, [1, text, null]],
    ["hello with a client of 65 characters", frameByte.hello, helloWith(3, "c".repeat(65))],
    ["hello with a client of nil", frameByte.hello, helloWith(3, null)],
    ["hello without a dial", frameByte.hello, [1, text, null, text]],
    ["hello with a negative dial", frameByte.hello, helloWith(4, -1)],
    ["hello with a resume of text", frameByte.hello, helloWith(2, text)],
    ["hello with a resume that is too short", frameByte.hello, helloWith(2, [text, text, 0])],
    [
      "abuse-A27 hello with a negative count in its resume",
      frameByte.hello,
      helloWith(2, [text, text, -1, 0, 0]),
    ],
    [
      "abuse-A27 hello with a count of 0.5 in its resume",
      frameByte.hello,
      helloWith(2, [text, text, 0.5, 0, 0]),
    ],
    [
      "abuse-A27 hello with a count of 2^63 in its resume",
      frameByte.hello,
      helloWith(2, [text, text, 2 ** 63, 0, 0]),
    ],
    [
      "hello with a digest of 33 bits in its resume",
      frameByte.hello,
      helloWith(2, [text, text, 0, 2 ** 32, 0]),
    ],
    ["hello with a negative digest in its resume", frameByte.hello, helloWith(2, [text, text, 0, -1, 0])],
    [
      "hello with a resume without its number of sent messages",
      frameByte.hello,
      helloWith(2, [text, text, 0, 0]),
    ],
    ["hello with a resume token of bytes", frameByte.hello, helloWith(2, [text, Uint8Array.of(1), 0, 0, 0])],
    ["welcome without fields", frameByte.welcome, []],
    ["welcome without a digest", frameByte.welcome, welcomeWith(10, null)],
    ["welcome with a digest of 33 bits", frameByte.welcome, welcomeWith(10, 2 ** 32)],
    ["welcome with a session of bytes", frameByte.welcome, welcomeWith(0, Uint8Array.of(1))],
    ["welcome with a numeric token", frameByte.welcome, welcomeWith(1, 5)],
    ["welcome with flags of text", frameByte.welcome, welcomeWith(2, text)],
    ["welcome with a count of 1.5", frameByte.welcome, welcomeWith(3, 1.5)],
    ["welcome with a negative count", frameByte.welcome, welcomeWith(4, -1)],
    ["welcome without limits", frameByte.welcome, welcomeWith(6, null)],
    ["welcome with empty limits", frameByte.welcome, welcomeWith(6, [])],
    ["welcome with a negative expiry", frameByte.welcome, welcomeWith(7, -1)],
    ["welcome with a type that is not a text", frameByte.welcome, welcomeWith(8, [1])],
    ["welcome with types that are text", frameByte.welcome, welcomeWith(8, "ab")],
    ["auth without a token", frameByte.auth, []],
    ["auth with a token of bytes", frameByte.auth, [Uint8Array.of(1)]],
    ["authRequest without a time", frameByte.authRequest, [null]],
    ["authOk with a text", frameByte.authOk, [text]],
    ["authOk without a field", frameByte.authOk, []],
    ["ack of nothing", frameByte.ack, []],
    ["ack of -1", frameByte.ack, [-1]],
    ["ack of 2^53", frameByte.ack, [2 ** 53]],
    ["void of a number", frameByte.void, [5]],
    ["void of a text", frameByte.void, [["7"]]],
    ["reset without a cause", frameByte.reset, [null, 0]],
    ["reset without a count", frameByte.reset, [text]],
    ["sync without a digest", frameByte.sync, [1]],
    ["sync with a negative digest", frameByte.sync, [1, -1]],
    ["sync with a digest of 33 bits", frameByte.sync, [1, 2 ** 32]],
    ["an item without a reference", frameByte.item, [null, 1]],
    ["an end without a status", frameByte.end, [1]],
    ["an end with an error of text", frameByte.end, [1, 5, "oops"]],
    ["a credit without items", frameByte.credit, [1]],
    ["a credit of -1 items", frameByte.credit, [1, -1]],
    ["a request with a numeric key", frameByte.request, [2, {}, 0, 5]],
    ["a request with a key of nil", frameByte.request, [2, {}, 0, null]],
    ["ping without handled", frameByte.ping, [1]],
    ["ping with -1", frameByte.ping, [-1, 0]],
    ["pong with NaN", frameByte.pong, [NaN, 0]],
    ["pong with 2^53", frameByte.pong, [2 ** 53, 0]],
    ["goaway without a reason", frameByte.goaway, [null, 0, 0]],
    ["busy without a time", frameByte.busy, []],
    ["throttled without a time", frameByte.throttled, ["userBytesPerSecond"]],
    ["throttled without a limit", frameByte.throttled, [1, 1]],
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
    ["a replica without a number", frameByte.replica, [null, "t", []]],
    ["a replica without a name", frameByte.replica, [1, 2, []]],
    ["a have without its list", frameByte.have, []],
    ["a have of a numbered replica", frameByte.have, [[[1, []]]]],
    ["a have of a cell without a version", frameByte.have, [[["t", [1, 2]]]]],
    ["a have of half a cell", frameByte.have, [[["t", [1.5, 2, 3]]]]],
    ["a have of a version below 0", frameByte.have, [[["t", [1, 2, -3]]]]],
  ])("becomes bad: %s", (_, first, body) => {
    const reference = first === frameByte.request ? 5 : null
    expect(codec.decode(joined(first, body), 5)).toMatchObject({
      kind: "bad",
      reference,
      error: { code: "sys_invalid_message", category: "validation" },
    })
  })

  it("is reported with its name and byte", () => {
    const messageOf = (frame: Frame | BadFrame): string => (frame.kind === "bad" ? frame.error.message : "")
    expect(messageOf(codec.decode(joined(0x07, []), 0))).toBe(
      "the fields of frame 0x07 (ping) are not as specified",
    )
    expect(messageOf(codec.decode(joined(0x48, []), 0))).toBe("unknown frame 0x48")
  })

  it.each(["", "01", "40", "41", "4193", "ff", "07920300ff"])("becomes bad: the bytes <%s>", (bytes) => {
    expect(codec.decode(bytesOf(bytes), 1).kind).toBe("bad")
  })

  it("ignores control frames of a later version, and sends none", () => {
    for (let byte = 0x11; byte <= 0x3f; byte += 1) {
      expect(codec.decode(joined(byte, ["later", { a: 1 }]), 0)).toEqual({ kind: "unknownControl" })
    }
    expect(() => codec.encode({ kind: "unknownControl" })).toThrow(TypeError)
  })

  it("ignores fields of a later version at the end", () => {
    expect(codec.decode(joined(frameByte.ping, [1, 2, "later"]), 0)).toEqual({
      kind: "ping",
      number: 1,
      handled: 2,
    })
  })

  it("ignores trailing elements of the wrong shape, because an older peer would ignore them", () => {
    const hello = [1, text, null, text, 1, "limits", 5]
    expect(codec.decode(joined(frameByte.hello, hello), 0)).not.toHaveProperty("limits")
    expect(codec.decode(joined(frameByte.hello, hello), 0)).not.toHaveProperty("contract")
    expect(codec.decode(joined(frameByte.ack, [1, -5]), 0)).toEqual({ kind: "ack", handled: 1 })
    expect(codec.decode(joined(frameByte.topicEvent, ["t", 1, 3, {}, ["a", "b"]]), 0)).toMatchObject({
      author: { user: "a" },
    })
  })

  it("uses the default limits if an older server sends only the size", () => {
    expect(codec.decode(joined(frameByte.welcome, welcomeWith(6, [70_000])), 0)).toMatchObject({
      limits: { ...serverMessageLimits, maxBytes: 70_000 },
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
          message: errorTable.sys_internal_error.sentence,
          category: "system",
        },
      },
    })
  })

  it.each<[string, unknown]>([
    ["a binary", Uint8Array.of(1)],
    ["a timestamp", new Date(1)],
    ["items", [1]],
    ["text", "x"],
  ])("reads an error without details if they are %s", (_, details) => {
    const error = { code: "x_y", message: "m", category: "validation" }
    expect(codec.decode(joined(frameByte.reply, [1, 1, ["x_y", "m", 0, null, details]]), 0)).toEqual({
      kind: "reply",
      reference: 1,
      outcome: { ok: false, error },
    })
    expect(codec.decode(joined(frameByte.end, [1, 1, ["x_y", "m", 0, null, details]]), 0)).toEqual({
      kind: "end",
      reference: 1,
      error,
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
      fc.constantFrom(...vectors.frames).map(({ hex }) => bytesOf(hex).subarray(1)),
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
    for (const kind of [
      ...["hello", "ping", "goaway", "ack", "sync", "auth", "authOk", "unknownControl"],
      ...["event", "request", "reply", "cancel", "volatile", "item", "end", "credit"],
    ]) {
      expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0)
    }
  })
})
