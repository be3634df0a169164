import { describe, expect, it } from "vitest"
import { FrameParser, opcode } from "./frame-parser.ts"

interface Seen {
  readonly kind: number | "message"
  readonly text: string
}

/** A server's frame: not masked. */
function frame(text: string, kind: number = opcode.binary): Buffer {
  const payload = Buffer.from(text)
  const header = [0x80 | kind]
  if (payload.length < 126) header.push(payload.length)
  else if (payload.length < 0x10000) header.push(126, payload.length >> 8, payload.length & 0xff)
  else
    header.push(127, 0, 0, 0, 0, 0, payload.length >> 16, (payload.length >> 8) & 0xff, payload.length & 0xff)
  return Buffer.concat([Buffer.from(header), payload])
}

/** Returns the parsed messages when the bytes arrive in pieces of this size, each in the same buffer. */
function parse(bytes: Buffer, pieceBytes: number): Seen[] {
  const seen: Seen[] = []
  const parser = new FrameParser({
    message: (from, start, end) => seen.push({ kind: "message", text: from.toString("utf8", start, end) }),
    control: (kind, payload) => seen.push({ kind, text: payload.toString() }),
  })
  const shared = Buffer.alloc(Math.max(pieceBytes, 1))
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const length = bytes.copy(shared, 0, at, at + pieceBytes)
    parser.push(shared, length)
    shared.fill(0)
  }
  return seen
}

describe("FrameParser", () => {
  const texts = ["", "a", "b".repeat(125), "c".repeat(126), "d".repeat(70_000), "e"]
  const bytes = Buffer.concat(texts.map((text) => frame(text)))

  it.each([1, 2, 3, 7, 128, 4_096, 1_000_000])("finds every frame in pieces of %i bytes", (pieceBytes) => {
    expect(parse(bytes, pieceBytes)).toEqual(texts.map((text) => ({ kind: "message", text })))
  })

  it("distinguishes control frames from messages, and keeps their order", () => {
    const mixed = Buffer.concat([frame("one"), frame("ping", opcode.ping), frame("two", opcode.text)])
    expect(parse(mixed, 5)).toEqual([
      { kind: "message", text: "one" },
      { kind: opcode.ping, text: "ping" },
      { kind: "message", text: "two" },
    ])
  })

  it("refuses fragmented and masked frames", () => {
    expect(() => parse(Buffer.from([0x02, 0x00]), 2)).toThrow("fragmented")
    expect(() => parse(Buffer.from([0x82, 0x80]), 2)).toThrow("masked")
  })
})
