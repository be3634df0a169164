import { decode, encode } from "@msgpack/msgpack"
import { describe, expect, it } from "vitest"
import {
  RequestTemplate,
  binaryNumber,
  binarySlots,
  firstNumber,
  maskedFrame,
  textNumber,
  textSlots,
} from "./frame-writer.ts"

function unmasked(frame: Buffer): Buffer {
  const lengthByte = (frame[1] ?? 0) & 0x7f
  const keyAt = lengthByte === 126 ? 4 : lengthByte === 127 ? 10 : 2
  return Buffer.from(frame.subarray(keyAt + 4).map((byte, at) => byte ^ (frame[keyAt + (at & 3)] ?? 0)))
}

describe("maskedFrame", () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])("frames %i bytes", (length) => {
    const payload = Buffer.alloc(length, "abcdefg")
    const frame = maskedFrame(payload)
    expect((frame[1] ?? 0) & 0x80).toBe(0x80)
    expect(unmasked(frame).equals(payload)).toBe(true)
  })
})

describe("RequestTemplate", () => {
  it("changes the number in a MessagePack request, and nothing else", () => {
    const payload = Buffer.from(encode({ n: firstNumber, direction: "LEFT" }))
    const template = new RequestTemplate(payload, binarySlots(payload))
    for (const n of [0, 1, 300, 70_000]) {
      expect(decode(unmasked(template.frame(n)))).toEqual({ n: firstNumber + n, direction: "LEFT" })
      expect(binaryNumber(template.payload, 0, template.payload.length)).toBe(n)
    }
  })

  it("changes every number in a JSON request", () => {
    const payload = Buffer.from(`42${firstNumber}["move",{"n":${firstNumber}}]`)
    const template = new RequestTemplate(payload, textSlots(payload))
    expect(unmasked(template.frame(77)).toString()).toBe('421000077["move",{"n":1000077}]')
    expect(textNumber(template.payload, 0, template.payload.length)).toBe(77)
  })

  it("writes one frame behind the other", () => {
    const payload = Buffer.from(encode({ n: firstNumber }))
    const template = new RequestTemplate(payload, binarySlots(payload))
    const two = Buffer.alloc(2 * template.frameBytes)
    const end = template.write(6, two, template.write(5, two, 0))
    expect(end).toBe(two.length)
    expect(two.equals(Buffer.concat([template.frame(5), template.frame(6)]))).toBe(true)
  })

  it("refuses a request that does not contain its number", () => {
    const payload = Buffer.from(encode({ direction: "LEFT" }))
    expect(() => new RequestTemplate(payload, binarySlots(payload))).toThrow("does not contain its number")
  })
})

describe("binaryNumber", () => {
  it("is -1 for a message without a number, also if the next message has one", () => {
    const first = Buffer.from(encode({ x: 1 }))
    const both = Buffer.concat([first, Buffer.from(encode({ n: firstNumber }))])
    expect(binaryNumber(both, 0, first.length)).toBe(-1)
    expect(binaryNumber(both, first.length, both.length)).toBe(0)
  })
})
