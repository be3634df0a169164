// Messages between the runner and a trial.
import { z } from "zod"

export const trialSettings = z.object({
  scenario: z.string(),
  server: z.string(),
  quick: z.boolean(),
  /** Prefix of the server's command that pins it to a core. */
  pinServer: z.array(z.string()),
  profileDirectory: z.string().optional(),
  /** Directory of the server's checkout, if it is another one. */
  checkout: z.string().optional(),
})

export type TrialSettings = z.infer<typeof trialSettings>

export const trialResult = z.array(z.object({ row: z.string(), figures: z.record(z.string(), z.number()) }))
