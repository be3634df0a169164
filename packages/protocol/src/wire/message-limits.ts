// Declares the bounds of a single message, for the readers and the writers of both ends.

const kib = 1024

/** Upper bound of `maxDepth`. Reader and writer recurse at each container; the stack is sufficient for this depth. */
export const nestingMax = 1_000

/** Bounds of one message for the reader of one end. A message outside them is refused before it takes effect. */
export interface MessageLimits {
  /** Bytes of one message; default 64 KiB at a server, 1 MiB at a client. A longer one closes the WebSocket with 1009. */
  readonly maxBytes: number
  /** Nesting of arrays and maps; default 32, at most 1,000. A deeper message: `sys_invalid_message`. */
  readonly maxDepth: number
  /**
   * Elements of one message: array items, and map entries twice; default 10,000 at a server, 200,000 at a client. More:
   * `sys_invalid_message`.
   */
  readonly maxElements: number
  /** UTF-8 bytes of one map key; default 128. A longer key: `sys_invalid_message`. */
  readonly maxKeyBytes: number
}

/** Defaults of a server, which reads small requests of untrusted clients. */
export const serverMessageLimits: MessageLimits = {
  maxBytes: 64 * kib,
  maxDepth: 32,
  maxElements: 10_000,
  maxKeyBytes: 128,
}

/** Defaults of a client, which reads snapshots of a server that it chose. 1 MiB is also the maximum of `2.0` clients. */
export const clientMessageLimits: MessageLimits = {
  maxBytes: 1_024 * kib,
  maxDepth: 32,
  maxElements: 200_000,
  maxKeyBytes: 128,
}
