// What a hunting process tells the one that started it.
import { z } from "zod"

export const huntMessage = z.union([
  /** Everything is loaded. */
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("passed"), seed: z.number() }),
  z.object({
    kind: z.literal("failed"),
    seed: z.number(),
    /** The invariant that does not hold; "unexpected" for any other error. */
    invariant: z.string(),
    text: z.string(),
  }),
])
export type HuntMessage = z.infer<typeof huntMessage>

/** Of vitest's JSON reporter, what is needed here. */
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
