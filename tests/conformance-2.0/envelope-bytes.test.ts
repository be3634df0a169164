// The reader of bytes must find each kind of fault; otherwise every encoding case passes without a check.
import { encode } from "@msgpack/msgpack"
import { describe, expect, it } from "vitest"
import { encodingViolations, type EncodingRule } from "./envelope-bytes.ts"

const NOW_MS = 1_800_000_000_000

function envelope(payload: unknown = {}): Readonly<Record<string, unknown>> {
  return { id: "a", type: "event_welcome", payload, timestamp: NOW_MS, version: "2.0" }
}

/** An envelope whose payload is these raw bytes. */
function envelopeAround(...payload: readonly number[]): Uint8Array {
  const [head, tail] = [encode(envelope()), encode({ timestamp: NOW_MS, version: "2.0" }).subarray(1)]
  return Buffer.concat([head.subarray(0, head.length - tail.length - 1), Uint8Array.of(...payload), tail])
}

function rulesBrokenBy(bytes: Uint8Array): readonly EncodingRule[] {
  return [...new Set(encodingViolations(bytes, NOW_MS).map(({ rule }) => rule))]
}

describe("the reader of envelope bytes", () => {
  it("finds nothing in a good frame of every family", () => {
    const payload = {
      ints: [
        0, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, -1, -32, -33, -128, -129,
        -32_769,
      ],
      floats: [0.15, -2.5],
      texts: ["", "x".repeat(31), "x".repeat(32), "x".repeat(300), "x".repeat(70_000), "grüße 🌍"],
      rest: [null, true, false, {}, [], Array.from({ length: 20 }, () => ({ a: [] }))],
      wide: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, index])),
    }
    expect(encodingViolations(encode(envelope(payload)), NOW_MS)).toEqual([])
    expect(encodingViolations(encode({ ...envelope(), id: null }), NOW_MS)).toEqual([])
  })

  const broken: readonly (readonly [string, Uint8Array, EncodingRule])[] = [
    [
      "another order of the keys",
      encode({ type: "t", id: "a", payload: {}, timestamp: NOW_MS, version: "2.0" }),
      "envelope",
    ],
    ["a sixth key", encode({ ...envelope(), extra: 1 }), "envelope"],
    ["an array in place of the map", encode([1, 2, 3]), "envelope"],
    ["an id that is an int", encode({ ...envelope(), id: 1 }), "members"],
    ["another version", encode({ ...envelope(), version: "2.1" }), "members"],
    ["a payload that is an array", encode(envelope([])), "members"],
    ["a timestamp that is a float", encode({ ...envelope(), timestamp: NOW_MS + 0.5 }), "timestamp"],
    ["a timestamp in seconds", encode({ ...envelope(), timestamp: NOW_MS / 1_000 }), "timestamp"],
    ["a timestamp far from now", encode({ ...envelope(), timestamp: NOW_MS * 2 }), "timestamp"],
    ["an int as map key", envelopeAround(0x81, 0x01, 0x02), "keys"],
    ["an int as map key deep down", envelopeAround(0x81, 0xa1, 0x61, 0x91, 0x81, 0x01, 0x02), "keys"],
    ["a bin", encode(envelope({ a: Uint8Array.of(1) })), "families"],
    ["an ext", encode(envelope({ a: new Date(NOW_MS) })), "families"],
    ["the byte that is never used", envelopeAround(0x81, 0xa1, 0x61, 0xc1), "families"],
    ["a small int in a long form", envelopeAround(0x81, 0xa1, 0x61, 0xcd, 0x00, 0x05), "integers"],
    ["a negative int in a long form", envelopeAround(0x81, 0xa1, 0x61, 0xd1, 0xff, 0xff), "integers"],
    ["a float32", encode(envelope({ a: 0.5 }), { forceFloat32: true }), "floats"],
    ["a text that is not UTF-8", envelopeAround(0x81, 0xa1, 0x61, 0xa2, 0xc3, 0x28), "utf-8"],
    ["bytes after the object", Uint8Array.of(...encode(envelope()), 0xc0), "one-object"],
    ["a missing last byte", encode(envelope()).subarray(0, -1), "one-object"],
    [
      "a count beyond the bytes",
      envelopeAround(0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff),
      "one-object",
    ],
  ]
  it.each(broken)("finds %s", (_, bytes, rule) => {
    expect(rulesBrokenBy(bytes)).toContain(rule)
  })
})
