// Computes the length of a MessagePack head of an array, map or text, in bytes.
export const headMaxBytes = 5

/** Returns the length of the head of an array or map with this count. */
export function countHeadBytes(count: number): number {
  if (count < 16) return 1
  return count < 0x10000 ? 3 : 5
}

/** Returns the length of the head of a text with this number of UTF-8 bytes. */
export function textHeadBytes(size: number): number {
  if (size < 32) return 1
  if (size < 0x100) return 2
  return size < 0x10000 ? 3 : 5
}
