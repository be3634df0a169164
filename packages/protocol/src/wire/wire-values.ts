// Declares the numbers that frames of a server contain in place of words, profile `hawser.1`.
import type { ErrorCategory } from "../base/errors.ts"

/** Categories of errors; the index is the number on the wire. */
export const wireCategories: readonly ErrorCategory[] = ["validation", "permission", "system", "rate_limit"]

/** Bits of WELCOME's flags. Bit 2 is reserved for sessions that survive their server. */
export const welcomeFlag = { resumed: 1, refused: 4 } as const

/** Bits of GOAWAY's flags. */
export const goawayFlag = { drain: 1, shutdown: 2 } as const
