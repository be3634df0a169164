import { createPayloadCodec } from "@hawser/protocol/core"
import { describe, expect, it } from "vitest"
import { decodeSessionRecord, encodeSessionRecord } from "./record-codec.ts"
import type { SessionRecord } from "./session-record.ts"

/** Every field has a value that no other field and no default has. */
const record: SessionRecord = {
  id: "session 1",
  clientId: "client 2",
  user: { id: "ann", isGuest: true },
  address: "10.0.0.3",
  claims: {
    generation: 4,
    isConfirmed: false,
    lastDial: 5,
    takeoversAgoMs: [6, 7],
    windowMs: 8_000,
    spentMs: 9,
  },
  delivery: {
    sent: { base: 10, baseDigest: 11, messages: [Uint8Array.of(12, 13), Uint8Array.of()] },
    received: { handled: 14, handledDigest: 15, settledAhead: [17, 19] },
    values: [{ key: "note\nk", bytes: Uint8Array.of(20) }],
  },
  streams: [21, 22],
  memberships: [
    {
      topic: "chat:a",
      session: "session 1",
      member: 23,
      state: { bytes: Uint8Array.of(24), depth: 25, elements: 26, longestKeyBytes: 27 },
      away: true,
      isBehind: true,
    },
    { topic: "chat:b", session: "session 1", member: 28, state: null, away: false, isBehind: false },
  ],
}

const payloads = createPayloadCodec({ maxBytes: 65_536, maxDepth: 64, maxElements: 1_000, maxKeyBytes: 128 })

/** The record as plain maps, as a foreign store may have kept it. */
function plainRecord(): Record<string, unknown> {
  const decoded = payloads.decode(encodeSessionRecord(record), 0)
  if (!decoded.ok || typeof decoded.value !== "object" || decoded.value === null) throw new Error("no map")
  return { ...decoded.value }
}

/** Paths of all fields of a value: `claims.windowMs`, `memberships.0.away`. A user is any value. */
function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || path === "user") return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = path === "" ? key : `${path}.${key}`
    return Array.isArray(value) ? pathsOf(inner, own) : [own, ...pathsOf(inner, own)]
  })
}

function changed(
  value: unknown,
  [first = "", ...rest]: readonly string[],
  change: (fields: object) => void,
): void {
  if (typeof value !== "object" || value === null) throw new Error("no such path")
  if (rest.length === 0) change(value)
  else changed(Reflect.get(value, first), rest, change)
}

describe("a session record", () => {
  it("is the same after encoding and decoding", () => {
    expect(decodeSessionRecord(encodeSessionRecord(record))).toEqual(record)
  })

  it("does not keep the bytes that it was decoded from", () => {
    const bytes = encodeSessionRecord(record)
    const { delivery } = decodeSessionRecord(bytes)
    expect(delivery.sent.messages[0]?.buffer.byteLength).toBe(2)
  })

  const fields = pathsOf(plainRecord())
  it.each(fields.map((path) => ({ path })))("without $path is refused with its name", ({ path }) => {
    const damaged = plainRecord()
    const key = path.split(".").at(-1) ?? ""
    changed(damaged, path.split("."), (holder) => void Reflect.deleteProperty(holder, key))
    expect(() => decodeSessionRecord(payloads.encode(damaged))).toThrow(`invalid "${key}"`)
  })

  it.each(fields.filter((path) => path !== "user").map((path) => ({ path })))(
    "with a wrong type of $path is refused",
    ({ path }) => {
      const damaged = plainRecord()
      changed(damaged, path.split("."), (holder) => {
        const key = path.split(".").at(-1) ?? ""
        const isText = typeof Reflect.get(holder, key) === "string"
        Reflect.set(holder, key, isText ? 1 : "wrong")
      })
      expect(() => decodeSessionRecord(payloads.encode(damaged))).toThrow(TypeError)
    },
  )

  it("of another version is refused with both versions", () => {
    const other = payloads.encode({ ...plainRecord(), version: 2 })
    expect(() => decodeSessionRecord(other)).toThrow("session record of version 2; this server reads 1")
  })
})
