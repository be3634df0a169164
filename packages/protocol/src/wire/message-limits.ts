// Bounds on a single message, for the readers and the writers of both ends.

const kib = 1024

/** Reading and writing a message call themselves at each container; so deep, the stack holds for certain. */
export const nestingMax = 1_000

/** Bounds on what one end accepts as a single message. Beyond them the message is refused before it is decoded. */
export interface MessageLimits {
  /** Bytes of one message. Beyond: close 1009 on a WebSocket, which reads no further. */
  readonly maxBytes: number
  /** Nesting of arrays and maps; above `nestingMax` it counts as that. Beyond: `sys_invalid_message`. */
  readonly maxDepth: number
  /** Array items, and map entries twice, of the whole message. Beyond: `sys_invalid_message`. */
  readonly maxElements: number
  /** Bytes of one map key. Beyond: `sys_invalid_message`. */
  readonly maxKeyBytes: number
}

/** A server reads small requests of strangers. */
export const serverMessageLimits: MessageLimits = {
  maxBytes: 64 * kib,
  maxDepth: 32,
  maxElements: 10_000,
  maxKeyBytes: 128,
}

/** A client reads snapshots of a server that it chose; 1 MiB is also what `2.0` clients accept at most. */
export const clientMessageLimits: MessageLimits = {
  maxBytes: 1_024 * kib,
  maxDepth: 32,
  maxElements: 200_000,
  maxKeyBytes: 128,
}
