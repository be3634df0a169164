// The prefix digest: one number that stands for every reliable message so far, in order. Two ends that agree on a
// count and its digest hold the same messages. It finds drift, not attack.

const blockA = 0xcc9e2d51
const blockB = 0x1b873593

/**
 * 32 bits of a whole message. The function is MurmurHash3 x86_32 with seed 0 (Austin Appleby, public domain): fast
 * without wide integers, every input bit reaches every output bit.
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

/** The digest after one more message. */
export function extendDigest(digest: number, messageHash: number): number {
  return Math.imul(((digest << 5) | (digest >>> 27)) ^ messageHash, 0x9e3779b1) >>> 0
}
