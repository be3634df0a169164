import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { clientMessageLimits, serverMessageLimits } from "./message-limits.ts"
import { subprotocol, wireVersion } from "./version.ts"
import type { Profile } from "./version.ts"
import type { Codec } from "./codec.ts"
import { BitWriter } from "../base/bits.ts"
import { flag, integer, text } from "../contract/replica-field.ts"
import { encodeDelta, encodePlace, encodeSnapshot, partKind } from "../replicas/replica-parts.ts"
import type { CellChange } from "../replicas/replica-parts.ts"
import { ReplicaSchema } from "../contract/replica-schema.ts"
import { createEnvelopeCodec } from "../profile20/envelope-codec.ts"
import { classifyFirstByte, frameByte } from "./frame-byte.ts"
import { createFrameCodec } from "./frame-codec.ts"
import vectors from "./frame-vectors.json" with { type: "json" }
import type { Frame } from "./frame.ts"
import { reservedTypes } from "../contract/contract.ts"
import { TypeTable } from "./type-table.ts"

// Compares the bytes of both profiles with frame-vectors.json, which other implementations can use, too. The type table is
// `$join`, `$leave`, `$publish`, `$presence`, `move`, `chat`; the clock shows 1700000000123.

const welcome = {
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
} as const

/** A schema with a number of 4 bits, a text and a flag; one record and its later states. */
function replicaParts(): Uint8Array {
  const writer = new BitWriter()
  const schema = ReplicaSchema.of({ x: integer({ min: 0, max: 15 }), name: text(), away: flag() })
  const [before, record, next] = [
    [3, "ann", 0],
    [5, "ann", 1],
    [7, "ann", 0],
  ]
  const snapshot = {
    x: -1,
    y: 2,
    version: 300,
    isFirst: true,
    records: [
      { slot: 0, id: "1", record: before, before },
      { slot: 3, id: "4", record: before, before: [4, "ann", 0] },
    ],
  }
  const changes: readonly CellChange[] = [
    { kind: "change", slot: 0, mask: 0b101, record, was: { record: before, before } },
    { kind: "enter", slot: 2, id: "2", record },
    { kind: "leave", slot: 3 },
  ]
  const goesOn: CellChange = {
    ...{ kind: "change", slot: 0, mask: 0b101, record: next },
    was: { record, before },
  }
  // Replica 2; the numbers of cells start again. Cell 0 gets a snapshot and a delta, cell 1 is kept, cell 2 dropped.
  return Uint8Array.from([
    ...[0x82, 2 * 2 + 1],
    ...[(0 << 2) | partKind.snapshot, ...encodeSnapshot(writer, schema, snapshot)],
    ...[(0 << 2) | partKind.delta, ...encodeDelta(writer, schema, { changes, size: 2 })],
    ...[(1 << 2) | partKind.keep, ...encodePlace(writer, { x: 0, y: 0 })],
    (2 << 2) | partKind.drop,
    // Cell 1 has one record. It changed, and then repeated its step.
    ...[(1 << 2) | partKind.delta, ...encodeDelta(writer, schema, { changes: changes.slice(0, 1), size: 1 })],
    ...[(1 << 2) | partKind.delta, ...encodeDelta(writer, schema, { changes: [goesOn], size: 1 })],
  ])
}

const compact: Readonly<Record<string, Frame>> = {
  hello: { kind: "hello", version: 1, token: "abc", reference: null, clientId: "c1", dial: 1 },
  "hello that goes on with a session": {
    kind: "hello",
    version: 1,
    token: "abc",
    reference: null,
    clientId: "c1",
    dial: 2,
    resume: { sessionId: "s1", token: "rt", handled: 300, digest: 0xfedcba98 },
  },
  "hello with its limits and its contract": {
    ...{ kind: "hello", version: 1, token: "abc", reference: null, clientId: "c1", dial: 1 },
    limits: { maxBytes: 1_048_576, maxDepth: 32, maxElements: 200_000, maxKeyBytes: 128 },
    contract: "game",
  },
  "hello with its contract alone": {
    ...{ kind: "hello", version: 1, token: "abc", reference: null, clientId: "c1", dial: 1 },
    contract: "game",
  },
  welcome: {
    kind: "welcome",
    sessionId: "s1",
    resumeToken: "rt",
    resumed: false,
    received: 2,
    handled: 1,
    digest: 0x89abcdef,
    expiresInMs: 60_000,
    limits: { maxBytes: 65_536, maxDepth: 32, maxElements: 10_000, maxKeyBytes: 128 },
    types: ["$join", "move"],
  },
  "welcome without expiry": {
    kind: "welcome",
    sessionId: "",
    resumeToken: null,
    resumed: false,
    received: 0,
    handled: 0,
    digest: 0,
    expiresInMs: null,
    limits: { ...serverMessageLimits, maxBytes: 1 },
    types: [],
  },
  "welcome of a session that goes on": {
    kind: "welcome",
    sessionId: "s1",
    resumeToken: "r2",
    resumed: true,
    received: 3,
    handled: 3,
    digest: 7,
    expiresInMs: null,
    limits: { ...serverMessageLimits, maxBytes: 1 },
    types: [],
  },
  "welcome to a new session instead": {
    kind: "welcome",
    sessionId: "s2",
    resumeToken: "r1",
    resumed: false,
    refusal: "gone",
    received: 0,
    handled: 0,
    digest: 0,
    expiresInMs: null,
    limits: { ...serverMessageLimits, maxBytes: 1 },
    types: [],
  },
  auth: { kind: "auth", token: "abc" },
  authRequest: { kind: "authRequest", expiresInMs: 60_000 },
  authOk: { kind: "authOk", expiresInMs: 60_000 },
  "authOk without expiry": { kind: "authOk", expiresInMs: null },
  ack: { kind: "ack", handled: 300 },
  "ack with the count of state frames": { kind: "ack", handled: 300, stateFrames: 17 },
  void: { kind: "void", references: [7, 300] },
  reset: { kind: "reset", cause: "gone", count: 5 },
  sync: { kind: "sync", count: 256, digest: 0xfedcba98 },
  ping: { kind: "ping", number: 3, handled: 300 },
  pong: { kind: "pong", number: 3, handled: 0 },
  goaway: { kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5000 },
  "goaway of a shutdown": {
    kind: "goaway",
    reason: "bye",
    startInMs: 0,
    deadlineMs: 5000,
    intent: "shutdown",
  },
  "goaway of a shutdown with a time to come back": {
    ...{ kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5000 },
    intent: "shutdown",
    backInMs: 3250,
  },
  "goaway of a drain to another address": {
    ...{ kind: "goaway", reason: "moving", startInMs: 0, deadlineMs: 5000 },
    intent: "drain",
    address: "wss://b/ws",
  },
  busy: { kind: "busy", retryAfterMs: 250 },
  bye: { kind: "bye", code: "replaced", message: "" },
  event: { kind: "event", type: "chat", payload: { a: 1 } },
  request: { kind: "request", call: undefined, type: "move", payload: [1], budgetMs: 10_000, reference: 7 },
  "request with an idempotency key": {
    kind: "request",
    call: undefined,
    type: "move",
    payload: [1],
    budgetMs: 10_000,
    key: "k1",
    reference: 7,
  },
  reply: { kind: "reply", reference: 7, outcome: { ok: true, payload: null } },
  "reply with an error of the table": {
    kind: "reply",
    reference: 7,
    outcome: {
      ok: false,
      error: { code: "rate_limited", message: "slow", category: "rate_limit", retryAfterMs: 9 },
    },
  },
  "reply with an error of the application": {
    kind: "reply",
    reference: 1,
    outcome: { ok: false, error: { code: "x_y", message: "m", category: "validation", details: { a: 1 } } },
  },
  item: { kind: "item", reference: 7, payload: { a: 1 } },
  end: { kind: "end", reference: 7, error: undefined },
  "end with an error": {
    kind: "end",
    reference: 7,
    error: { code: "x_y", message: "m", category: "system" },
  },
  credit: { kind: "credit", reference: 128, items: 32 },
  cancel: { kind: "cancel", reference: 128 },
  topicEvent: { kind: "topicEvent", topic: "room:1", offset: 4, type: "chat", payload: "x" },
  "topicEvent with its author": {
    ...{ kind: "topicEvent", topic: "room:1", offset: 4, type: "chat", payload: "x" },
    author: { user: "ann", member: 3 },
  },
  volatile: { kind: "volatile", type: "move", payload: true, key: undefined },
  "volatile of a topic": { kind: "volatile", type: "move", payload: true, key: undefined, topic: "room:1" },
  "volatile of a topic with a key": {
    kind: "volatile",
    type: "move",
    payload: -1,
    key: "room:1\nmove\np",
    topic: "room:1",
  },
  "volatile with a key": { kind: "volatile", type: "move", payload: -1, key: "p" },
  "volatile with its author": {
    ...{ kind: "volatile", type: "move", payload: true, key: undefined },
    author: { user: "ann" },
  },
  "volatile with a key and its author": {
    ...{ kind: "volatile", type: "move", payload: -1, key: "p" },
    author: { user: "ann", member: 3 },
  },
  replica: {
    kind: "replica",
    replica: 2,
    name: "players",
    schema: [
      ["x", ["integer", 0, 15]],
      ["name", ["text"]],
      ["away", ["flag"]],
    ],
  },
  "replica with its epoch": {
    ...{ kind: "replica", replica: 2, name: "players", schema: [] },
    epoch: "e1",
  },
  "replica of a topic": {
    ...{ kind: "replica", replica: 2, name: "cursors", schema: [] },
    epoch: "e1",
    topic: "board:7",
  },
  replicaParts: { kind: "replicaParts", bytes: replicaParts() },
  have: {
    kind: "have",
    held: [
      {
        replica: "players",
        cells: [
          { x: -1, y: 2, version: 301 },
          { x: 0, y: 0, version: 7 },
        ],
      },
    ],
  },
  "have of a topic's replica with its epoch": {
    kind: "have",
    held: [{ replica: "cursors", cells: [{ x: 0, y: 0, version: 7 }], epoch: "e1", topic: "board:7" }],
  },
}

const envelopes: Readonly<Record<string, Frame>> = {
  "the token": { kind: "hello", version: 0, token: "abc", clientId: "", dial: 0, reference: "1" },
  "a command": {
    kind: "request",
    call: "command",
    type: "movePlayer",
    payload: { x: 1 },
    budgetMs: 5,
    reference: "2",
  },
  "a query without id and input": {
    kind: "request",
    call: "query",
    type: "mapChunks",
    payload: undefined,
    budgetMs: 0,
    reference: null,
  },
  welcome,
  event: { kind: "event", type: "chatMessage", payload: { a: 1 } },
  "event of a topic": { kind: "topicEvent", topic: "t", offset: 1, type: "left", payload: {} },
  "volatile event": { kind: "volatile", type: "left", payload: undefined, key: "k" },
  "reply to a command": {
    kind: "reply",
    call: "command",
    reference: "7",
    outcome: { ok: true, payload: null },
  },
  "reply to a query": {
    kind: "reply",
    call: "query",
    reference: "7",
    outcome: { ok: true, payload: { n: 2 } },
  },
  "reply that is no map": {
    kind: "reply",
    call: "query",
    reference: null,
    outcome: { ok: true, payload: [1] },
  },
  "reply with an error of the table": {
    kind: "reply",
    reference: "7",
    outcome: {
      ok: false,
      error: { code: "rate_limited", message: "slow", category: "rate_limit", retryAfterMs: 1_500 },
    },
  },
  "reply with an error of the application": {
    kind: "reply",
    reference: "7",
    outcome: { ok: false, error: { code: "x_y", message: "m", category: "validation", details: { a: 1 } } },
  },
  "the shutdown": { kind: "goaway", reason: "bye", startInMs: 0, deadlineMs: 5_000 },
}

interface Side {
  readonly codec: Codec
  readonly samples: Readonly<Record<string, Frame>>
  readonly history: readonly { readonly change: string; readonly sha256: string }[]
  readonly digits: Readonly<Record<string, string>>
}

const sides: Readonly<Record<Profile, Side>> = {
  "hawser.1": {
    codec: createFrameCodec(new TypeTable([...reservedTypes, "move", "chat"]), clientMessageLimits),
    samples: compact,
    history: vectors["hawser.1"].history,
    digits: vectors["hawser.1"].vectors,
  },
  "2.0": {
    codec: createEnvelopeCodec({ limits: clientMessageLimits, wallClockMs: () => 1_700_000_000_123 }),
    samples: envelopes,
    history: vectors["2.0"].history,
    digits: vectors["2.0"].vectors,
  },
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytesOf = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, "hex"))

/** Advice for an author whose change alters the wire. */
function whatToDo(profile: Profile, sha256: string): string {
  const first =
    profile === "2.0"
      ? "1. Clients that are not ours speak 2.0: take the change back unless every one of them reads the new bytes."
      : `1. Raise wireVersion (${wireVersion}) in version.ts, unless a peer of that version reads and writes as well as before: it ignores fields at the end and control frames that it does not know.`
  return [
    `The bytes of ${profile} have changed, or its vectors. If that is meant:`,
    first,
    "2. Change docs/protocol.md, and the vectors in frame-vectors.json that the other tests here name.",
    `3. Append to the history of ${profile} in frame-vectors.json what has changed, with "sha256": "${sha256}". Never alter an older entry.`,
  ].join("\n")
}

describe.each(["hawser.1", "2.0"] as const)("the vectors of %s", (profile) => {
  const { codec, samples, history, digits } = sides[profile]

  it.each(Object.entries(samples))("are what is sent: %s", (name, frame) => {
    expect(hex(codec.encode(frame))).toBe(digits[name])
  })

  it.each(Object.entries(digits))("are read: %s", (name, text) => {
    const bytes = bytesOf(text)
    const frame = codec.decode(bytes, 7)
    // An envelope does not contain all members of the frame.
    if (profile === subprotocol) expect(frame).toEqual(samples[name])
    else expect(frame.kind).not.toBe("bad")
    expect(codec.classify(bytes)).toBe(profile === subprotocol ? classifyFirstByte(bytes[0]) : "control")
  })

  it("hash to the last entry of their history", () => {
    const sha256 = createHash("sha256").update(JSON.stringify(digits)).digest("hex")
    expect(history.at(-1)?.sha256, whatToDo(profile, sha256)).toBe(sha256)
    expect(new Set(history.map((entry) => entry.sha256)).size).toBe(history.length)
    expect(history.filter(({ change }) => change === "")).toEqual([])
  })
})

describe("the vectors of hawser.1", () => {
  it("are those of the wire version in force", () => {
    const versions = vectors["hawser.1"].history.map((entry) => entry.wireVersion)
    expect(versions.at(-1)).toBe(wireVersion)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })

  it("cover every first byte", () => {
    const covered = Object.values(sides["hawser.1"].digits).map((text) => bytesOf(text)[0])
    expect(new Set(covered)).toEqual(new Set(Object.values(frameByte)))
  })
})
