// Writes MessagePack values drawn at random: every family and form, edges of ranges, and names with a meaning in
// JavaScript or the protocol.
import { Writer, below, pick } from "./writer.ts"
import type { Random } from "./writer.ts"

/** Overwritten by every input. */
export const writer = new Writer()

const texts = [
  "",
  "x",
  "name",
  "Zoë 😀",
  "\ufeffbom",
  `\ufeff\ufeff${"b".repeat(300)}`,
  "a\u0000b",
  "\u2028\u001b[31m\r\n",
  "constructor",
  "__proto__",
  "toString",
  "2.0",
  "\ufffd",
  "한국어".repeat(30),
] as const
export const keys = [
  "x",
  "y",
  "id",
  "type",
  "payload",
  "version",
  "token",
  "message",
  "countdown_seconds",
  "error",
  "error_code",
  "category",
  "details",
  "retry_after",
  "code",
  "constructor",
  "prototype",
  "toString",
  "__proto",
  "",
  "é",
  "k".repeat(128),
  "k".repeat(129),
] as const

const edges = [
  0,
  1,
  -1,
  31,
  32,
  -32,
  -33,
  127,
  128,
  -128,
  -129,
  255,
  256,
  32_767,
  -32_769,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
] as const
const floats = [0, -0, 0.5, 1e300, -1e-300, NaN, Infinity, -Infinity, 2 ** 60, 3.7] as const

export function writeText(random: Random): void {
  const draw = random()
  if (draw < 0.0003) writer.text("l".repeat(below(random, 60_000)))
  else if (draw < 0.5) writer.text(pick(random, texts), below(random, 4))
  else
    writer.text(
      String.fromCharCode(...Array.from({ length: below(random, 12) }, () => 97 + below(random, 26))),
    )
}

export function writeCount(random: Random): void {
  writer.integer(random() < 0.7 ? below(random, 200) : Math.abs(pick(random, edges)), below(random, 9))
}

function writeTimestamp(random: Random): void {
  const seconds = random() < 0.5 ? below(random, 2 ** 32) : below(random, 8.6e12) * (random() < 0.5 ? 1 : -1)
  const isSmall = seconds >= 0 && seconds < 2 ** 32
  writer.timestamp(seconds, below(random, 1e9), isSmall ? below(random, 4) : 2 + below(random, 2))
}

function writeScalar(random: Random): void {
  switch (below(random, 10)) {
    case 0:
      writer.head(0xc0)
      break
    case 1:
      writer.head(random() < 0.5 ? 0xc2 : 0xc3)
      break
    case 2:
      writer.integer(pick(random, edges), below(random, 9))
      break
    case 3:
      writer.float(pick(random, floats), random() < 0.5)
      break
    case 4:
      writer.binary(
        new Uint8Array(below(random, random() < 0.01 ? 9_000 : 9)).fill(below(random, 256)),
        below(random, 3),
      )
      break
    case 5:
      writeTimestamp(random)
      break
    case 6:
    case 7:
      writeCount(random)
      break
    default:
      writeText(random)
  }
}

export function writeMap(random: Random, depth: number): void {
  const count = random() < 0.003 ? below(random, 400) : below(random, 5)
  writer.map(count, random() < 0.9 ? 0 : below(random, 3))
  for (let entry = 0; entry < count; entry += 1) {
    writer.text(count < 30 ? pick(random, keys) : `k${entry}`, random() < 0.9 ? 0 : below(random, 4))
    writeValue(random, depth + 1)
  }
}

function writeArray(random: Random, depth: number): void {
  const count = random() < 0.002 ? below(random, 11_000) : below(random, 5)
  writer.array(count, random() < 0.9 ? 0 : below(random, 3))
  for (let item = 0; item < count; item += 1) {
    if (count < 30) writeValue(random, depth + 1)
    else writer.head(pick(random, [0x00, 0x80, 0x90, 0xa0, 0xc0]))
  }
}

export function writeValue(random: Random, depth: number): void {
  const draw = random()
  if (draw < 0.003) writeNest(random, depth)
  else if (depth > 6 || writer.length > 100_000 || draw < 0.6) writeScalar(random)
  else if (draw < 0.85) writeMap(random, depth)
  else writeArray(random, depth)
}

/** Depth of nested containers, near the limit. */
function writeNest(random: Random, depth: number): void {
  const levels = 26 + below(random, 9) - depth
  for (let level = 0; level < levels; level += 1) {
    if (random() < 0.5) writer.array(1)
    else {
      writer.map(1)
      writer.text("k")
    }
  }
  writeScalar(random)
}
