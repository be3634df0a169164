// Copies bytes that are a part of a larger buffer. A few kept bytes would otherwise keep the whole buffer alive, such as the
// 64 KiB that were read from a socket at once. Must not know the meaning of the bytes.

/** Returns the bytes, or a copy if they are a part of a larger buffer. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
