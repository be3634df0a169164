// Frames of a client: always masked, with a key that is never zero, because servers skip unmasking for zero.
import { opcode } from "./frame-parser.ts"

const maskKey = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** One masked frame. */
export function maskedFrame(payload: Uint8Array, kind: number = opcode.binary): Buffer {
  const { length } = payload
  const headerBytes = length < 126 ? 6 : length < 0x10000 ? 8 : 14
  const frame = Buffer.allocUnsafe(headerBytes + length)
  frame[0] = 0x80 | kind
  if (headerBytes === 6) {
    frame[1] = 0x80 | length
  } else if (headerBytes === 8) {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 0x80 | 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  maskKey.copy(frame, headerBytes - 4)
  for (let at = 0; at < length; at += 1) frame[headerBytes + at] = (payload[at] ?? 0) ^ (maskKey[at & 3] ?? 0)
  return frame
}

/** First request number. From here on each number has the same length in each encoding. */
export const firstNumber = 1_000_000

/** Encoding of a number in a payload: four bytes in MessagePack and Colyseus, decimal digits in JSON. */
type NumberFormat = "bigEndian" | "littleEndian" | "digits"

export interface NumberSlot {
  readonly at: number
  readonly format: NumberFormat
}

const digitsCount = String(firstNumber).length

/** A request that is encoded once; only its numbers change from one to the next. */
export class RequestTemplate {
  /** The payload of the last request, unmasked. */
  readonly payload: Buffer
  readonly #frame: Buffer
  readonly #headerBytes: number
  readonly #slots: readonly NumberSlot[]

  constructor(payload: Buffer, slots: readonly NumberSlot[], kind: number = opcode.binary) {
    if (slots.length === 0) throw new Error("the request does not contain its number")
    this.payload = payload
    this.#frame = maskedFrame(payload, kind)
    this.#headerBytes = this.#frame.length - payload.length
    this.#slots = slots
  }

  get frameBytes(): number {
    return this.#frame.length
  }

  /** Writes the frame of request number `n` (from 0) into `target`; returns the end offset. */
  write(n: number, target: Buffer, at: number): number {
    const number = firstNumber + n
    for (const slot of this.#slots) this.#put(slot, number)
    target.set(this.#frame, at)
    return at + this.#frame.length
  }

  /** The frame of request number `n`, as a copy. */
  frame(n: number): Buffer {
    const frame = Buffer.allocUnsafe(this.#frame.length)
    this.write(n, frame, 0)
    return frame
  }

  #put({ at, format }: NumberSlot, number: number): void {
    const { payload } = this
    if (format === "bigEndian") payload.writeUInt32BE(number, at)
    else if (format === "littleEndian") payload.writeUInt32LE(number, at)
    else payload.write(String(number), at, "latin1")
    const end = at + (format === "digits" ? digitsCount : 4)
    for (let i = at; i < end; i += 1)
      this.#frame[this.#headerBytes + i] = (payload[i] ?? 0) ^ (maskKey[i & 3] ?? 0)
  }
}

const numberBytes = Buffer.from([0xce, 0x00, 0x0f, 0x42, 0x40])

/** All offsets of `firstNumber` in a MessagePack payload. */
export function binarySlots(payload: Buffer): NumberSlot[] {
  const slots: NumberSlot[] = []
  for (let at = payload.indexOf(numberBytes); at !== -1; at = payload.indexOf(numberBytes, at + 5))
    slots.push({ at: at + 1, format: "bigEndian" })
  return slots
}

/** All offsets of `firstNumber` in a JSON text. */
export function textSlots(payload: Buffer): NumberSlot[] {
  const digits = String(firstNumber)
  const slots: NumberSlot[] = []
  for (let at = payload.indexOf(digits); at !== -1; at = payload.indexOf(digits, at + digits.length))
    slots.push({ at, format: "digits" })
  return slots
}

const binaryKey = Buffer.from([0xa1, 0x6e, 0xce])
const textKey = Buffer.from('"n":')

/** The member `n` of a MessagePack map from the server, counted from 0; -1 without it. */
export function binaryNumber(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(binaryKey, start)
  return at === -1 || at + 7 > end ? -1 : bytes.readUInt32BE(at + 3) - firstNumber
}

/** The member `n` of a JSON text from the server, counted from 0; -1 without it. */
export function textNumber(bytes: Buffer, start: number, end: number): number {
  const at = bytes.indexOf(textKey, start)
  if (at === -1 || at + 4 + digitsCount > end) return -1
  return Number(bytes.toString("latin1", at + 4, at + 4 + digitsCount)) - firstNumber
}
