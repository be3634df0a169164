import { encode } from "@msgpack/msgpack"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientMessageLimits, serverMessageLimits } from "../wire/message-limits.ts"
import { Encoded } from "../wire/encoded.ts"
import { camelCase, createEnvelopeCodec, snakeCase } from "./envelope-codec.ts"
import type { Frame } from "../wire/frame.ts"

const wallClockMs = 1_700_000_000_123
const codec = createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs: () => wallClockMs })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const text = (value: string): string => hex(encode(value))
/** End of every server message: the timestamp as uint64, then the version. */
const tail = `${text("timestamp")}cf0000018bcfe5687b${text("version")}a3322e30`
const key = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,12}$/)
const payloads = fc.dictionary(
  fc.constantFrom("x", "y", "name", "constructor"),
  fc.oneof(fc.integer(), fc.string(), fc.array(fc.nat())),
  {
    noNullPrototype: true,
  },
)

describe("the bytes of a server", () => {
  it.each<[string, Frame, string]>([
    [
      "an event",
      { kind: "event", type: "chatMessage", payload: { a: 1 } },
      `85a26964c0${text("type")}${text("event_chat_message")}${text("payload")}81a16101`,
    ],
    [
      "an event of a topic",
      { kind: "topicEvent", topic: "t", offset: 1, type: "left", payload: {} },
      `85a26964c0${text("type")}${text("event_left")}${text("payload")}80`,
    ],
    [
      "a volatile event",
      { kind: "volatile", type: "left", payload: undefined, key: "k" },
      `85a26964c0${text("type")}${text("event_left")}${text("payload")}80`,
    ],
    [
      "a reply to a command",
      { kind: "reply", call: "command", reference: "7", outcome: { ok: true, payload: null } },
      `85a26964a137${text("type")}${text("resp_success")}${text("payload")}80`,
    ],
    [
      "a reply to a query",
      { kind: "reply", call: "query", reference: null, outcome: { ok: true, payload: { n: 2 } } },
      `85a26964c0${text("type")}${text("resp_data")}${text("payload")}81a16e02`,
    ],
    [
      "the welcome",
      {
        kind: "welcome",
        sessionId: "",
        resumeToken: null,
        resumed: false,
        received: 0,
        handled: 0,
        digest: 0,
        expiresInMs: null,
        limits: serverMessageLimits,
        types: [],
        payload: { me: 1 },
      },
      `85a26964c0${text("type")}${text("event_welcome")}${text("payload")}81a26d6501`,
    ],
    [
      "the shutdown",
      { kind: "goaway", reason: "r", startInMs: 0, deadlineMs: 4_001 },
      `85a26964c0${text("type")}${text("event_server_shutdown")}${text("payload")}82${text("message")}a172${text("countdown_seconds")}05`,
    ],
  ])("are five keys in order, the timestamp as cf: %s", (_, frame, head) => {
    expect(hex(codec.encode(frame))).toBe(head + tail)
  })

  it("contain an error as the superset of both revisions", () => {
    const error = {
      code: "rate_limited",
      message: "slow",
      category: "rate_limit",
      retryAfterMs: 1500,
    } as const
    const expected = encode({
      error: "slow",
      error_code: "rate_limited",
      code: "rate_limited",
      category: "rate_limit",
      details: null,
      retry_after: 1.5,
      suggested_action: "Wait for retryAfterMs, then send again.",
    })
    expect(hex(codec.encode({ kind: "reply", reference: "a", outcome: { ok: false, error } }))).toBe(
      `85a26964a161${text("type")}${text("resp_error")}${text("payload")}${hex(expected)}${tail}`,
    )
  })

  it.each<Frame>([
    { kind: "ping", number: 1, handled: 0 },
    { kind: "pong", number: 1, handled: 0 },
    { kind: "busy", retryAfterMs: 1 },
    { kind: "bye", code: "a", message: "b" },
    { kind: "cancel", reference: "1" },
  ])("do not exist for $kind", (frame) => {
    expect(() => codec.encode(frame)).toThrow(TypeError)
  })
})

describe("the bytes of a client", () => {
  it.each<[string, Frame, string]>([
    [
      "the token",
      { kind: "hello", version: 0, token: "abc", clientId: "", dial: 0, reference: "1" },
      `83a26964a131${text("type")}${text("cmd_authenticate")}${text("payload")}81${text("token")}a3616263`,
    ],
    [
      "a command",
      {
        kind: "request",
        call: "command",
        type: "movePlayer",
        payload: { x: 1 },
        budgetMs: 5,
        reference: "2",
      },
      `83a26964a132${text("type")}${text("cmd_move_player")}${text("payload")}81a17801`,
    ],
    [
      "a query without input",
      { kind: "request", call: "query", type: "mapChunks", payload: undefined, budgetMs: 0, reference: null },
      `83a26964c0${text("type")}${text("query_map_chunks")}${text("payload")}80`,
    ],
  ])("are three keys in order: %s", (_, frame, bytes) => {
    expect(hex(codec.encode(frame))).toBe(bytes)
  })
})

describe("the round trip", () => {
  const reference = fc.option(fc.string({ unit: "binary", maxLength: 10 }))

  it("preserves requests", () => {
    const frames = fc.record({
      kind: fc.constant("request" as const),
      call: fc.constantFrom("command" as const, "query" as const),
      type: key.filter((type) => type !== "authenticate"),
      payload: payloads,
      budgetMs: fc.constant(0),
      reference,
    })
    fc.assert(
      fc.property(frames, (frame) => {
        expect(codec.decode(codec.encode(frame), 0)).toEqual(frame)
      }),
      { numRuns: 1000 },
    )
  })

  it("turns events of every kind into plain events", () => {
    const names = key.filter((type) => type !== "welcome" && type !== "serverShutdown")
    fc.assert(
      fc.property(names, payloads, (type, payload) => {
        const expected = { kind: "event", type, payload }
        expect(codec.decode(codec.encode({ kind: "event", type, payload }), 0)).toEqual(expected)
        expect(codec.decode(codec.encode({ kind: "volatile", type, payload, key: undefined }), 0)).toEqual(
          expected,
        )
        expect(
          codec.decode(codec.encode({ kind: "topicEvent", topic: "t", offset: 1, type, payload }), 0),
        ).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it("preserves replies and errors", () => {
    const error = fc.record({
      code: fc.stringMatching(/^[a-z_]{1,20}$/),
      message: fc.string(),
      category: fc.constantFrom(
        "validation" as const,
        "permission" as const,
        "system" as const,
        "rate_limit" as const,
      ),
      retryAfterMs: fc.nat(1e9),
      details: payloads,
    })
    fc.assert(
      fc.property(reference, payloads, error, (id, payload, problem) => {
        const good: Frame = { kind: "reply", reference: id, outcome: { ok: true, payload } }
        const bad: Frame = { kind: "reply", reference: id, outcome: { ok: false, error: problem } }
        expect(codec.decode(codec.encode(good), 0)).toEqual(good)
        expect(codec.decode(codec.encode(bad), 0)).toEqual(bad)
      }),
      { numRuns: 500 },
    )
  })

  it("preserves the token, the payload of the welcome and the shutdown", () => {
    const hello: Frame = {
      kind: "hello",
      version: 0,
      token: "t",
      clientId: "",
      dial: 0,
      reference: "9",
    }
    expect(codec.decode(codec.encode(hello), 0)).toEqual(hello)
    const welcome = {
      kind: "welcome",
      sessionId: "",
      resumeToken: null,
      resumed: false,
      received: 0,
      handled: 0,
      digest: 0,
      expiresInMs: null,
      types: [],
    } as const
    const most = Number.MAX_SAFE_INTEGER
    const unknown = { maxBytes: most, maxDepth: most, maxElements: most, maxKeyBytes: most }
    const sent: Frame = { ...welcome, limits: unknown, payload: { player: "p" } }
    expect(codec.decode(codec.encode(sent), 0)).toEqual(sent)
    const goaway: Frame = { kind: "goaway", reason: "update", startInMs: 0, deadlineMs: 3_000 }
    expect(codec.decode(codec.encode(goaway), 0)).toEqual(goaway)
  })
})

it.each([[7], [[1, 2]], ["text"], [false], [Uint8Array.of(1, 2)], [new Date(5)]])(
  "sends the reply %j, which is no map, as its value",
  (payload) => {
    const reply: Frame = { kind: "reply", reference: "1", outcome: { ok: true, payload } }
    const client = createEnvelopeCodec({ side: "client", limits: clientMessageLimits, wallClockMs: () => 0 })
    expect(client.decode(codec.encode(reply), 0)).toMatchObject({
      outcome: { ok: true, payload: { value: payload } },
    })
  },
)

describe("malformed envelopes", () => {
  const good = { id: "5", type: "cmd_move", payload: {} }

  it.each<[string, unknown, string | null, string]>([
    ["an array", [1], null, "map"],
    ["nil", null, null, "map"],
    ["a number", 7, null, "map"],
    ["text", "cmd_move", null, "map"],
    ["a numeric id", { ...good, id: 5 }, null, '"id"'],
    ["a map as id", { ...good, id: {} }, null, '"id"'],
    ["no type", { id: "5", payload: {} }, "5", '"type"'],
    ["a numeric type", { ...good, type: 1 }, "5", '"type"'],
    ["no payload", { id: "5", type: "cmd_move" }, "5", '"payload"'],
    ["a payload of nil", { ...good, payload: null }, "5", '"payload"'],
    ["a payload of items", { ...good, payload: [] }, "5", '"payload"'],
    ["a payload of text", { ...good, payload: "x" }, "5", '"payload"'],
    ["another version", { ...good, version: "3.0" }, "5", '"version"'],
    ["a numeric version", { ...good, version: 2 }, "5", '"version"'],
    ["a version of nil", { ...good, version: null }, "5", '"version"'],
    ["the key constructor", { ...good, constructor: 1 }, null, '"constructor"'],
    ["the key prototype", { ...good, prototype: {} }, null, '"prototype"'],
  ])("become bad: %s", (...[, envelope, reference, said]) => {
    const frame = codec.decode(encode(envelope), 0)
    expect(frame).toMatchObject({
      kind: "bad",
      reference,
      error: { code: "sys_invalid_message", category: "validation" },
    })
    expect(frame.kind === "bad" && frame.error.message).toContain(said)
  })

  it.each([
    "",
    "move",
    "cmd",
    "cmds",
    "querys",
    "events",
    "respx",
    "CMD_move",
    "foo_move",
    "_move",
    "constructor",
    "cmd_mapChunks",
    "event_mapChunks",
  ])("become bad, category system: the unknown type <%s>", (type) => {
    expect(codec.decode(encode({ ...good, type }), 0)).toMatchObject({
      kind: "bad",
      reference: "5",
      error: { code: "sys_invalid_message", category: "system" },
    })
  })

  it.each<[string, unknown]>([
    ["a binary", Uint8Array.of(1)],
    ["a timestamp", new Date(1)],
  ])("become bad: a payload that is %s", (_, payload) => {
    expect(codec.decode(encode({ ...good, payload }), 0)).toMatchObject({
      kind: "bad",
      reference: "5",
      error: { message: '"payload" must be a map', category: "validation" },
    })
    expect(codec.decode(encode(payload), 0)).toMatchObject({ kind: "bad", reference: null })
  })

  it.each<[string, unknown, string]>([
    ["binary", new Uint8Array(60_000), 'must be "2.0", not a binary'],
    ["map", { "\n": "\n" }, 'must be "2.0", not a map'],
    ["long text", "\u0001".repeat(60_000), `must be "2.0", not "${"\\u0001".repeat(10)}"…`],
    ["text that is more than a line", "3\n\u2028", 'must be "2.0", not "3\\u000a\\u2028"'],
  ])("show in a line what they have for a version: %s", (...[, version, said]) => {
    const frame = codec.decode(encode({ ...good, version }), 0)
    expect(frame).toMatchObject({ kind: "bad", error: { message: `"version" ${said}` } })
  })

  it("show an invalid type on one line", () => {
    const type = `foo_\u001b[31m\u2028\r\n${"x".repeat(200)}`
    const shown = `"foo_\\u001b[31m\\u2028\\u000d\\u000a${"x".repeat(32)}"…`
    expect(codec.decode(encode({ ...good, type }), 0)).toMatchObject({
      error: { message: `unknown message type ${shown}` },
    })
    const client = createEnvelopeCodec({ side: "client", limits: clientMessageLimits, wallClockMs: () => 0 })
    expect(client.decode(encode({ ...good, type: "cmd_\u2028" }), 0)).toMatchObject({
      error: { message: 'a client accepts no message of type "cmd_\\u2028"' },
    })
  })

  it.each<[string, unknown]>([
    ["a binary", Uint8Array.of(1)],
    ["a timestamp", new Date(1)],
    ["items", [1]],
    ["text", "x"],
  ])("lose the details of an error that are %s", (_, details) => {
    const reply = codec.decode(encode({ id: "1", type: "resp_error", payload: { details } }), 0)
    expect(reply).toMatchObject({ kind: "reply", outcome: { ok: false } })
    expect(reply).not.toHaveProperty("outcome.error.details")
  })

  it("accept an absent id and version, and unknown keys", () => {
    expect(codec.decode(encode({ type: "query_map", payload: { constructor: 1 }, trace: "x" }), 0)).toEqual({
      kind: "request",
      call: "query",
      type: "map",
      payload: { constructor: 1 },
      budgetMs: 0,
      reference: null,
    })
  })

  it.each([{}, { token: 5 }, { token: null }])(
    "answer a cmd_authenticate of %j with an auth code",
    (payload) => {
      expect(codec.decode(encode({ id: "1", type: "cmd_authenticate", payload }), 0)).toMatchObject({
        kind: "bad",
        reference: "1",
        error: { code: "auth_token_invalid", category: "permission" },
      })
    },
  )

  it.each([NaN, Infinity, -1, 1e300, "5", null])("ignore a retry_after and a countdown of %s", (seconds) => {
    const reply = codec.decode(encode({ id: "1", type: "resp_error", payload: { retry_after: seconds } }), 0)
    expect(reply).toEqual({
      kind: "reply",
      reference: "1",
      outcome: {
        ok: false,
        error: { code: "sys_internal_error", message: "the server sent no message", category: "system" },
      },
    })
    const goaway = codec.decode(
      encode({ type: "event_server_shutdown", payload: { countdown_seconds: seconds } }),
      0,
    )
    expect(goaway).toEqual({ kind: "goaway", reason: "", startInMs: 0, deadlineMs: 0 })
  })

  it("never throw, over 50,000 random inputs", () => {
    const field = fc.oneof(
      fc.constantFrom<unknown>("cmd_a", "resp_error", "event_b", "query_c", "2.0", null, 1, {}, []),
      fc.dictionary(fc.constantFrom("token", "error", "code", "category"), fc.constantFrom(1, "x", null)),
    )
    const envelopes = fc.record(
      { id: field, type: field, payload: field, version: field },
      { requiredKeys: [] },
    )
    const seen = new Set<string>()
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 24 }),
          envelopes.map((envelope) => encode(envelope)),
        ),
        (bytes) => {
          seen.add(codec.decode(bytes, 0).kind)
          expect(codec.classify(bytes)).toBe(bytes.length === 0 ? "invalid" : "control")
        },
      ),
      { numRuns: 50_000 },
    )
    expect([...seen].toSorted()).toEqual(["bad", "event", "reply", "request"])
  })
})

describe("depth", () => {
  const nested = (depth: number): unknown => (depth === 0 ? {} : { k: nested(depth - 1) })

  it("counts the envelope, so that a payload which the peer would refuse throws", () => {
    const event = (payload: unknown): Frame => ({ kind: "event", type: "left", payload })
    expect(codec.decode(codec.encode(event(nested(30))), 0).kind).toBe("event")
    expect(() => codec.encode(event(nested(31)))).toThrow(/nested too deep.*32/)
    expect(codec.decode(codec.encode(event(new Encoded(nested(30)))), 0).kind).toBe("event")
    expect(() => codec.encode(event(new Encoded(nested(31))))).toThrow(/nested too deep.*32/)
  })
})

describe("the names", () => {
  it.each([
    ["move", "move"],
    ["mapChunks", "map_chunks"],
    ["mapXY", "map_x_y"],
    ["tile2Side", "tile2_side"],
  ])("%s ↔ %s", (camel, snake) => {
    expect(snakeCase(camel)).toBe(snake)
    expect(camelCase(snake)).toBe(camel)
  })

  it("convert back for every key of a contract", () => {
    fc.assert(
      fc.property(key, (name) => {
        expect(camelCase(snakeCase(name))).toBe(name)
      }),
      { numRuns: 1000 },
    )
  })

  it.each(["map__chunks", "_map", "map_", "map_2", "mapChunks"])(
    "leave %s, which no key stands for, as it came",
    (name) => {
      expect(camelCase(name)).toBe(name)
    },
  )
})
