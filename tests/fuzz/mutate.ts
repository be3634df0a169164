// Damages a message at sensitive places: at headers of values, at lengths, inside text, by nesting, cutting and
// doubling.
import { below, pick } from "./writer.ts"
import type { Random } from "./writer.ts"

export interface MutateOptions {
  /** Offsets of values. */
  readonly heads: readonly number[]
  readonly random: Random
  readonly times: number
}

/** Bytes that a hostile peer writes instead of a value, or before it. */
const hostile = [
  "c1",
  "d40500",
  "c70005",
  "c80000ff",
  "d4ff00",
  "d7ffffffffff00000000",
  "c70cff3b9aca007fffffffffffffff",
  "d6ff00000000",
  "cfffffffffffffffff",
  "d38000000000000000",
  "cf0020000000000000",
  "dcffff",
  "ddffffffff",
  "deffff",
  "dfffffffff",
  "dbffffffff",
  "c6ffffffff",
  "c9ffffffffff",
  "dd00ffffff",
  "a2c328",
  "a3eda080",
  "a2c080",
  "a4f4908080",
  "a1ff",
  "a3efbbbf",
  "81a95f5f70726f746f5f5f80",
  "81d9095f5f70726f746f5f5f01",
  "81aac19f5f70726f746f5f5f01",
  "8101c0",
  "81c0c0",
  "81c40161c0",
  "81ab636f6e7374727563746f7280",
  "82a16101a16102",
  "82a4747970650182a474797065c0",
  "cb7ff8000000000000",
  "9090",
  "8080",
].map((digits) => Uint8Array.from(Buffer.from(digits, "hex")))

const [firstHostile = new Uint8Array(0), ...moreHostile] = hostile

export function mutate(whole: Uint8Array, options: MutateOptions): Uint8Array {
  let bytes = whole
  for (let time = 0; time < options.times; time += 1) bytes = damage(bytes, options)
  return bytes
}

function damage(bytes: Uint8Array, { heads, random }: MutateOptions): Uint8Array {
  const at = Math.min(heads[below(random, heads.length)] ?? 0, Math.max(0, bytes.length - 1))
  const anywhere = below(random, bytes.length + 1)
  switch (below(random, 11)) {
    case 0:
      return replaced(bytes, at, below(random, 256))
    case 1:
      return replaced(bytes, anywhere, (bytes[anywhere] ?? 0) ^ (1 << below(random, 8)))
    case 2: // a length, in the head or behind it
      return replaced(bytes, at + below(random, 2), (bytes[at] ?? 0) + (random() < 0.5 ? 1 : -1))
    case 3:
      return spliced(bytes, { at, remove: 1, insert: pick(random, [firstHostile, ...moreHostile]) })
    case 4:
      return spliced(bytes, { at, remove: 0, insert: pick(random, [firstHostile, ...moreHostile]) })
    case 5:
      return bytes.slice(0, anywhere)
    case 6:
      return spliced(bytes, { at: bytes.length, remove: 0, insert: Uint8Array.of(below(random, 256)) })
    case 7: // a part of the message once more: doubled keys, doubled items
      return spliced(bytes, { at, remove: 0, insert: bytes.slice(at, at + below(random, 40)) })
    case 8:
      return spliced(bytes, { at, remove: 1 + below(random, 4), insert: new Uint8Array(0) })
    case 9: // text that is not UTF-8 any more, or another text
      return replaced(bytes, at + 1 + below(random, 8), 0x80 | below(random, 128))
    default:
      return spliced(bytes, { at, remove: 0, insert: nest(random) })
  }
}

function nest(random: Random): Uint8Array {
  const levels = random() < 0.01 ? below(random, 60_000) : below(random, 40)
  return new Uint8Array(levels).fill(random() < 0.9 ? 0x91 : 0xdc)
}

function replaced(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = bytes.slice()
  changed[at] = byte
  return changed
}

interface Splice {
  readonly at: number
  readonly remove: number
  readonly insert: Uint8Array
}

function spliced(bytes: Uint8Array, { at, remove, insert }: Splice): Uint8Array {
  const rest = bytes.subarray(at + remove)
  const joined = new Uint8Array(at + insert.length + rest.length)
  joined.set(bytes.subarray(0, at))
  joined.set(insert, at)
  joined.set(rest, at + insert.length)
  return joined
}
