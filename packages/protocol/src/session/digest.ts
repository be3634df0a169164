// Computes the prefix digest: one 32-bit number of all reliable messages so far, in order. If both ends have the same count and
// digest, they have the same messages. It detects errors, not attacks.

const blockA = 0xcc9e2d51
const blockB = 0x1b873593

/**
 * Returns a 32-bit hash of a whole message: MurmurHash3 x86_32 with seed 0 (Austin Appleby, public domain). It is fast without
 * 64-bit integers, and every input bit affects every output bit.
 */
export function hashMessage(bytes: Uint8Array): number {
  const { length } = bytes
  const wholeBlocks = length & ~3
  let hash = 0
  for (let index = 0; index < wholeBlocks; index += 4) {
    const block =
      (bytes[index] ?? 0) |
      ((bytes[index + 1] ?? 0) << 8) |
      ((bytes[index + 2] ?? 0) << 16) |
      ((bytes[index + 3] ?? 0) << 24)
    hash ^= mixBlock(block)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let index = length - 1; index >= wholeBlocks; index -= 1) rest = (rest << 8) | (bytes[index] ?? 0)
  if (length > wholeBlocks) hash ^= mixBlock(rest)
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixBlock(block: number): number {
  const mixed = Math.imul(block, blockA)
  return Math.imul((mixed << 15) | (mixed >>> 17), blockB)
}

/** The digest of no messages. */
export const emptyDigest = 0

/** Returns the digest after one more message. */
export function extendDigest(digest: number, messageHash: number): number {
  return Math.imul(((digest << 5) | (digest >>> 27)) ^ messageHash, 0x9e3779b1) >>> 0
}
