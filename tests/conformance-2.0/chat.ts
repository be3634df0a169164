// Section 4: cmd_chat_send, its recipients and the delivered text.
import { randomUUID } from "node:crypto"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import { CLOCK_TOLERANCE_MS } from "./limits.ts"
import { enter, enterWhole, type Player } from "./player.ts"
import { expectServed, expectSuccess } from "./reply.ts"
import { expectShape, exactly, fields } from "./shape.ts"
import { chatShape } from "./world-shapes.ts"

interface Said {
  /** The event that the recipient got. */
  readonly received: Frame
  readonly reply: Frame
}

function isChatFrom(frame: Frame, speaker: Player): boolean {
  return frame.type === "event_chat_message" && at(frame.payload, "sender") === speaker.account.username
}

async function chatFrom(listener: Player, speaker: Player): Promise<Frame> {
  const what = `event_chat_message from ${speaker.account.username}`
  return await listener.client.waitFor(what, (frame) => isChatFrom(frame, speaker))
}

/** One message per fresh speaker: the limit is one a second, and no case needs to wait for it. */
async function say(
  speaker: Player,
  payload: Readonly<Record<string, unknown>>,
  listener = speaker,
): Promise<Said> {
  const reply = await speaker.client.request("cmd_chat_send", payload)
  expectSuccess(reply)
  return { received: await chatFrom(listener, speaker), reply }
}

async function checkLocal(context: CaseContext): Promise<void> {
  const listener = await enterWhole(context)
  const speaker = await enterWhole(context)
  const message = `hello ${randomUUID()}`
  const { received } = await say(speaker, { message, channel: "local" }, listener)
  expectShape("event_chat_message", received.payload, chatShape)
  const { username } = speaker.account
  const wanted = {
    sender: exactly(username),
    username: exactly(username),
    message: exactly(message),
    channel: exactly("local"),
  }
  expectShape("event_chat_message", received.payload, fields(wanted))
  const offMs = Math.abs(Number(received.payload["timestamp"]) - Date.now())
  expectThat(offMs < CLOCK_TOLERANCE_MS, "a timestamp in ms since the epoch", received.payload["timestamp"])
}

async function echoBeforeReply(context: CaseContext): Promise<void> {
  const speaker = await enterWhole(context)
  await say(speaker, { message: "echo" })
  const { frames } = speaker.client
  const echo = frames.findIndex((frame) => isChatFrom(frame, speaker))
  const reply = frames.findIndex((frame) => isReply(frame))
  expectThat(
    echo < reply,
    "the echo before the resp_success",
    frames.slice(-4).map(({ type }) => type),
  )
  const echoes = frames.filter((frame) => isChatFrom(frame, speaker)).length
  expectEqual("number of echoes", echoes, 1)
}

async function replyWithMessage(context: CaseContext): Promise<void> {
  const { reply } = await say(await enterWhole(context), { message: "  padded  ", channel: "local" })
  const wanted = fields({ channel: exactly("local"), message: exactly("padded") })
  expectShape("resp_success", reply.payload, wanted)
  expectShape("data of resp_success", reply.payload["data"], wanted)
}

/** Sends a local message and requires this text in the event and in the reply. */
async function expectHeardAs(context: CaseContext, sent: string, words: string): Promise<void> {
  const { received, reply } = await say(await enterWhole(context), { message: sent })
  expectEqual("message of the event", received.payload["message"], words)
  expectEqual("message of the reply", reply.payload["message"], words)
}

async function cutBetweenCharacters(context: CaseContext): Promise<void> {
  const { received } = await say(await enterWhole(context), {
    message: `${"a".repeat(279)}🌍${"b".repeat(20)}`,
  })
  // Counting by code points and by UTF-16 units are both right; half a character is not.
  const words = ["a".repeat(279), `${"a".repeat(279)}🌍`]
  expectThat(
    words.some((one) => one === received.payload["message"]),
    "a cut before or behind the globe",
    received.payload["message"],
  )
}

async function deliverDirect(context: CaseContext): Promise<void> {
  const recipient = await enterWhole(context)
  const bystander = await enterWhole(context)
  const speaker = await enterWhole(context)
  // Longer than a local message may be: a direct one of up to 500 characters is delivered whole.
  const message = "d".repeat(500)
  const { received } = await say(
    speaker,
    { message, channel: "dm", recipient: recipient.account.username },
    recipient,
  )
  expectShape("event_chat_message", received.payload, chatShape)
  expectEqual("channel", received.payload["channel"], "dm")
  expectEqual("message", received.payload["message"], message)
  await expectServed(speaker.client)
  await expectServed(bystander.client)
  for (const other of [speaker, bystander]) {
    const count = other.client.frames.filter((frame) => isChatFrom(frame, speaker)).length
    expectEqual("direct messages that reach anyone but the recipient", count, 0)
  }
}

export const chatCases: readonly ConformanceCase[] = [
  {
    name: "delivers a local message to a player near by, with all its fields",
    section: "10",
    run: checkLocal,
  },
  {
    name: "echoes a message once to its sender, before the resp_success",
    section: "8",
    run: echoBeforeReply,
  },
  {
    name: "answers a message with its channel and its text as sent out",
    section: "4",
    run: replyWithMessage,
  },
  {
    name: "uses the channel local when none is given",
    section: "4",
    run: async (context) => {
      const { received } = await say(await enterWhole(context), { message: "which channel?" })
      expectEqual("channel", received.payload["channel"], "local")
    },
  },
  {
    name: "keeps a local message of 280 characters whole",
    section: "4",
    run: async (context) => await expectHeardAs(context, "m".repeat(280), "m".repeat(280)),
  },
  {
    name: "cuts a local message of 281 to 500 characters to 280",
    section: "4",
    run: async (context) => {
      await expectHeardAs(context, "m".repeat(281), "m".repeat(280))
      await expectHeardAs(context, "m".repeat(500), "m".repeat(280))
    },
  },
  { name: "cuts no character in two", section: "1", run: cutBetweenCharacters },
  {
    name: "strips blanks at both ends of a message",
    section: "4",
    run: async (context) => await expectHeardAs(context, " \t two  words \n", "two  words"),
  },
  {
    name: "delivers a direct message of 500 characters to its recipient alone",
    section: "4",
    run: deliverDirect,
  },
  {
    name: "repeats channel and message under data, no more and no less",
    section: "10",
    run: async (context) => {
      const speaker = await enter(context)
      const reply = await speaker.client.request("cmd_chat_send", { message: "hello" })
      expectSuccess(reply)
      const { data, ...flat } = reply.payload
      expectEqual("data", data, flat)
    },
  },
]
