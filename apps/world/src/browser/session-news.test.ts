import { expect, test } from "vitest"
import { newsOf } from "./session-news.ts"

test("door-6 after a restart that the server announced nothing is called lost, and nothing is guessed", () => {
  expect(newsOf("server_shutdown")).toBe("The world was restarted. You are back where you were.")
  expect(newsOf("session_unknown")).toContain("may have been restarted. A new session has begun")
  expect(newsOf("session_expired")).toContain(
    "longer than the world keeps your place. A new session has begun",
  )
})
