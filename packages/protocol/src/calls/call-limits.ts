// Bounds of calls that both ends share and no option changes. Apart from `limits.ts`, so that no client loads the server's
// defaults.

/**
 * Upper bound of a stream's window, in items: how far the handler may be ahead of the reader. A larger window is a RangeError
 * at the client, and the server cuts more credit to it. A constant of both ends, because a reader cannot see that credit was
 * cut.
 */
export const streamWindowMax = 1_024

/**
 * References in one VOID, and references that a server remembers of it, in requests: the default capacity of a client's send
 * buffer. A client lists its oldest ones. A request that is not listed runs when it arrives. A constant of both ends.
 */
export const voidMaxCount = 1_024

/** Length of an idempotency key, in characters. A longer one: `invalid_input`. */
export const idempotencyKeyMaxLength = 128
