// How many bytes the head of an array, map or text of MessagePack takes.
export const headMaxBytes = 5

/** Of an array or map, by its count. */
export function countHeadBytes(count: number): number {
  if (count < 16) return 1
  return count < 0x10000 ? 3 : 5
}

/** By the bytes of its UTF-8. */
export function textHeadBytes(size: number): number {
  if (size < 32) return 1
  if (size < 0x100) return 2
  return size < 0x10000 ? 3 : 5
}
