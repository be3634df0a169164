import { expect, test } from "vitest"
import { newsOf } from "./session-news.ts"

test("door-6 reports no loss and no assumption after an announced restart", () => {
  const restarted = "The world was restarted. You are back where you were."
  for (const cause of ["session_unknown", "server_shutdown"]) expect(newsOf(cause, true)).toBe(restarted)
  expect(newsOf("session_unknown", false)).toContain("may have been restarted. A new session has begun")
  for (const isRestart of [true, false])
    expect(newsOf("session_expired", isRestart)).toContain(
      "the world keeps your place. A new session has begun",
    )
})
