// What the runner tells a trial, and what it is told.
import { z } from "zod"

export const trialSettings = z.object({
  scenario: z.string(),
  server: z.string(),
  quick: z.boolean(),
  /** Words before the server's command that pin it to a core. */
  pinServer: z.array(z.string()),
  profileDirectory: z.string().optional(),
  /** Of the server, if it is another one. */
  checkout: z.string().optional(),
})

export type TrialSettings = z.infer<typeof trialSettings>

export const trialResult = z.array(z.object({ row: z.string(), figures: z.record(z.string(), z.number()) }))
