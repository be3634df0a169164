// Messages from a hunting process to its parent.
import { z } from "zod"

export const huntMessage = z.union([
  /** Everything is loaded. */
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("passed"), seed: z.number() }),
  z.object({
    kind: z.literal("failed"),
    seed: z.number(),
    /** The violated invariant; "unexpected" for any other error. */
    invariant: z.string(),
    text: z.string(),
  }),
])
export type HuntMessage = z.infer<typeof huntMessage>

/** The necessary part of vitest's JSON report. */
export const testReport = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
})
