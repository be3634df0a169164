// Messages between the pool and its workers.
import { z } from "zod"

export const job = z.object({ seed: z.number(), steps: z.number() })
export type Job = z.infer<typeof job>

export const jobResult = z.object({
  seed: z.number(),
  steps: z.number(),
  failure: z
    .object({
      seed: z.number(),
      step: z.number(),
      invariant: z.string(),
      text: z.string(),
      lines: z.array(z.string()),
    })
    .optional(),
  seen: z.array(z.tuple([z.string(), z.number()])),
})
type JobResult = z.infer<typeof jobResult>
export type SeedFailure = NonNullable<JobResult["failure"]>
