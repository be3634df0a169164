import { HawserError } from "@hawser/client"
import { expect, test } from "vitest"
import { world } from "../contract.ts"
import { isOutcomeUnknown, lossReason, reasonFor } from "./player-words.ts"

test("shows no name of a request, limit or option to the player", () => {
  const errors = [
    new HawserError("rate_limited", { message: 'the rate limit of "gather" is exceeded; retry in 578 ms' }),
    new HawserError("buffer_full", { message: "send queue is full (limits.sendQueueMaxCount)" }),
    new HawserError("timeout", { message: '"gather" got no reply within 150000 ms; its outcome is unknown' }),
    new HawserError("not_connected", { message: "call connect() first" }),
    new HawserError("invalid_input", { message: "details.issues" }),
  ]
  for (const error of errors) expect(reasonFor(error)).toMatch(/^[A-Z][a-z' :]+\.$/)
})

test("keeps the server's reason of a refusal, as a sentence", () => {
  const refused = world.error("chat_recipient_not_found", { message: '"Eve" is not online' })
  expect(reasonFor(refused)).toBe('"Eve" is not online.')
  expect(reasonFor(world.error("chat_message_empty", { message: "the message is empty" }))).toBe(
    "The message is empty.",
  )
})

test("has one sentence for each cause of a lost session", () => {
  const causes = [
    "session_expired",
    "session_overflow",
    "session_unknown",
    "replaced",
    "auth_token_expired",
  ] as const
  const sentences = causes.map((code) => {
    const lost = new HawserError("connection_lost", { cause: new HawserError(code) })
    expect(isOutcomeUnknown(lost)).toBe(true)
    expect(reasonFor(lost)).toBe(lossReason(code))
    return reasonFor(lost)
  })
  expect(new Set(sentences).size).toBe(causes.length)
})
