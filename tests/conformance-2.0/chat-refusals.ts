// Sections 4, 6 and 7: refused chat messages, each with a separate code.
import type { CaseContext, ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, numberAt } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import { enter, enterWhole, randomName } from "./player.ts"
import { expectError, isErrorCode, requestOnce, type WantedError } from "./reply.ts"

/** Requires that the message is refused in this way and that no player receives it. */
async function expectChatRefused(
  context: CaseContext,
  payload: Readonly<Record<string, unknown>>,
  wanted: WantedError,
): Promise<Frame> {
  const { account, client } = await enterWhole(context)
  const reply = await requestOnce(client, "cmd_chat_send", payload)
  expectError(reply, wanted)
  const isOwn = ({ type, payload: received }: Frame) =>
    type === "event_chat_message" && at(received, "sender") === account.username
  expectEqual("echoes of a refused message", client.frames.filter(isOwn).length, 0)
  return reply
}

async function refuseEmpty(context: CaseContext): Promise<void> {
  for (const message of ["", "   \t\n "]) {
    const reply = await expectChatRefused(context, { message }, { category: "validation" })
    // One code for every refusal is a fault of the seed (section 6).
    expectThat(
      !isErrorCode(reply, "chat_message_too_long"),
      "a code other than chat_message_too_long",
      reply.payload,
    )
  }
}

async function limitRate(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  const from = client.frames.length
  for (let count = 0; count < 10; count += 1)
    client.send({ id: `rush-${count}`, type: "cmd_chat_send", payload: { message: `rush ${count}` } })
  const isLimited = (frame: Frame) => isReply(frame) && at(frame.payload, "category") === "rate_limit"
  const limited = await client.waitFor("a rate_limit error among 10 messages sent at once", isLimited, {
    from,
  })
  expectError(limited, { category: "rate_limit" })
  const seconds = numberAt(limited.payload, "retry_after")
  expectThat(seconds > 0 && seconds <= 10, "a retry_after between 0 and 10 seconds", seconds)
}

export const chatRefusalCases: readonly ConformanceCase[] = [
  {
    name: "refuses a message above 500 characters with chat_message_too_long",
    section: "4",
    run: async (context) => {
      const wanted = { code: "chat_message_too_long", category: "validation" }
      await expectChatRefused(context, { message: "m".repeat(501) }, wanted)
    },
  },
  { name: "refuses an empty or blank message as a validation error", section: "4", run: refuseEmpty },
  {
    name: "refuses a message that is missing or no text as a validation error",
    section: "4",
    run: async (context) => {
      for (const payload of [{}, { message: 42 }, { message: null }, { message: ["hello"] }])
        await expectChatRefused(context, payload, { category: "validation" })
    },
  },
  {
    name: "refuses an unknown channel as a validation error",
    section: "4",
    run: async (context) => {
      await expectChatRefused(context, { message: "hello", channel: "guild" }, { category: "validation" })
    },
  },
  {
    name: "refuses the global channel to a plain player with chat_permission_denied",
    section: "4",
    run: async (context) => {
      const wanted = { code: "chat_permission_denied", category: "permission" }
      await expectChatRefused(context, { message: "hello all", channel: "global" }, wanted)
    },
  },
  {
    name: "refuses a direct message to an unknown user, and not as too long",
    section: "4",
    run: async (context) => {
      const payload = { message: "hello", channel: "dm", recipient: randomName() }
      const reply = await expectChatRefused(context, payload, {})
      expectThat(
        !isErrorCode(reply, "chat_message_too_long"),
        "a code other than chat_message_too_long",
        reply.payload,
      )
    },
  },
  {
    name: "refuses messages that come too fast with category rate_limit and retry_after",
    section: "7",
    run: limitRate,
  },
]
