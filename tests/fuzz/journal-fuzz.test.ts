import { describe, expect, it } from "vitest"
import { JournalFuzz } from "./journal-fuzz.ts"

const count = 5_000

describe("the recovery of a damaged journal", () => {
  it(
    `${count} times is refused in words, or loses no record in silence that is still whole`,
    { timeout: 120_000 },
    async () => {
      const run = await JournalFuzz.create(1)
      await run.run(count)
      console.log(run.summary())
      expect(run.failures.join("\n\n")).toBe("")
      expect(run.refusedCount).toBeGreaterThan(count / 10)
      expect(run.refusedCount).toBeLessThan((count * 9) / 10)
    },
  )
})
