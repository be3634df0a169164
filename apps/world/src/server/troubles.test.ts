import { expect, test } from "vitest"
import { troublesOf } from "./troubles.ts"

test("reports progress that cannot be saved, and a journal whose disk takes no records for a second", () => {
  expect(troublesOf({ isFailing: false }, { journal: undefined })).toEqual([])
  expect(troublesOf({ isFailing: false }, { journal: { pendingMs: 1_000 } })).toEqual([])
  expect(troublesOf({ isFailing: true }, { journal: { pendingMs: 1_001 } })).toEqual([
    "players' progress cannot be saved",
    "the journal's disk takes no records; output is held",
  ])
})
