// Sections 10, 12.7 and 12.8: a failed login gets its reason, in a frame and in the close.
import { randomUUID } from "node:crypto"
import { encode } from "@msgpack/msgpack"
import { SkipCase, type CaseContext, type ConformanceCase } from "./case.ts"
import { expectEqual, expectThat, textAt } from "./expect.ts"
import { isReply } from "./frame.ts"
import { MAX_FIRST_FRAME_BYTES, SILENT_CLIENT_MS, WAIT_MS } from "./limits.ts"
import { connect, newAccount } from "./player.ts"
import type { Close, RawClient } from "./raw-client.ts"
import { expectError, type WantedError } from "./reply.ts"

/** Requires an auth_* error as the only message, and then a close 1008 that has a reason. */
async function expectRefused(
  client: RawClient,
  wanted: WantedError = {},
  timeoutMs: number = WAIT_MS,
): Promise<void> {
  const error = await client.waitFor("a resp_error with an auth_* code", isReply, { timeoutMs })
  expectError(error, wanted)
  const code = textAt(error.payload, "error_code")
  expectThat(code.startsWith("auth_"), "an error_code that begins with auth_", code)
  const close = await client.waitForClose("a close 1008 after the resp_error")
  expectEqual("close code", close.code, 1008)
  expectReason(close)
  expectEqual(
    "frames before the close",
    client.frames.map(({ type }) => type),
    ["resp_error"],
  )
}

function expectReason(close: Close): void {
  expectThat(close.reason !== "", "a close reason that is not empty", close)
}

async function refuseBadToken(context: CaseContext): Promise<void> {
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token: "no-such-token" } })
  await expectRefused(client, { id: null, code: "auth_token_invalid" })
}

async function refuseForgedToken(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const [head = "", claims = ""] = token.split(".")
  const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${claims}.`
  for (const forged of [`${head}.${claims}.${"A".repeat(43)}`, unsigned]) {
    const client = await connect(context)
    client.send({ type: "cmd_authenticate", payload: { token: forged } })
    await expectRefused(client, { code: "auth_token_invalid" })
  }
}

async function answerWithIdOfLogin(context: CaseContext): Promise<void> {
  const client = await connect(context)
  const id = randomUUID()
  client.send({ id, type: "cmd_authenticate", payload: { token: "no-such-token" } })
  await expectRefused(client, { id, code: "auth_token_invalid" })
}

async function refuseOtherFirstType(context: CaseContext): Promise<void> {
  for (const type of ["query_stats", "cmd_move", "event_welcome", "no_such_type"]) {
    const client = await connect(context)
    const id = randomUUID()
    client.send({ id, type, payload: {} })
    await expectRefused(client, { id })
  }
}

/** First frames without a login, as bytes. */
const brokenFirstFrames: readonly (readonly [string, Uint8Array])[] = [
  ["is not MessagePack", Uint8Array.of(0xc1, 0xff, 0x00)],
  ["is not a map", encode(["cmd_authenticate", {}])],
  ["is empty", new Uint8Array(0)],
  ["has no type", encode({ payload: { token: "no-such-token" } })],
  ["has no payload", encode({ type: "cmd_authenticate" })],
  ["has a payload that is not a map", encode({ type: "cmd_authenticate", payload: "no-such-token" })],
  ["has no token", encode({ type: "cmd_authenticate", payload: {} })],
  ["has a token that is not a text", encode({ type: "cmd_authenticate", payload: { token: 42 } })],
]

const brokenFirstFrameCases = brokenFirstFrames.map(([fault, bytes]): ConformanceCase => ({
  name: `refuses a first frame that ${fault} with an auth_* error and a close 1008`,
  section: "12.7",
  run: async (context) => {
    const client = await connect(context)
    client.sendBytes(bytes)
    await expectRefused(client)
  },
}))

async function refuseWrongVersion(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token }, version: "1.0" })
  await expectRefused(client)
}

async function closeOnTextFrame(context: CaseContext): Promise<void> {
  const client = await connect(context)
  client.sendText(JSON.stringify({ type: "cmd_authenticate", payload: { token: "no-such-token" } }))
  const close = await client.waitForClose("a close 1003 after a text frame")
  expectEqual("close code", close.code, 1003)
  expectReason(close)
}

async function refuseLargeFirstFrame(context: CaseContext): Promise<void> {
  const { token } = await newAccount(context)
  const client = await connect(context)
  const padding = "x".repeat(MAX_FIRST_FRAME_BYTES)
  client.send({ type: "cmd_authenticate", payload: { token, padding } })
  const close = await client.waitForClose(`a close after a first frame above ${MAX_FIRST_FRAME_BYTES} bytes`)
  expectThat([1008, 1009].includes(close.code), "close code 1008 or 1009", close)
  expectThat(!client.frames.some(({ type }) => type === "event_welcome"), "no welcome", "event_welcome")
}

async function closeSilentClient(context: CaseContext): Promise<void> {
  await expectRefused(await connect(context), { id: null }, SILENT_CLIENT_MS)
}

export const handshakeRefusalCases: readonly ConformanceCase[] = [
  {
    name: "refuses a bad token with auth_token_invalid and a close 1008 that has a reason",
    section: "10",
    run: refuseBadToken,
  },
  { name: "refuses a token with a forged signature or none", section: "10", run: refuseForgedToken },
  { name: "answers a refused login with the id of its request", section: "12.7", run: answerWithIdOfLogin },
  {
    name: "refuses a first frame of another type with its id, an auth_* error and a close 1008",
    section: "12.7",
    run: refuseOtherFirstType,
  },
  ...brokenFirstFrameCases,
  {
    name: "refuses a first frame of another version with an auth_* error and a close 1008",
    section: "12.7",
    run: refuseWrongVersion,
  },
  {
    name: "closes a connection whose first frame is a text frame with 1003",
    section: "12.10",
    run: closeOnTextFrame,
  },
  { name: "refuses a first frame above 8 KiB", section: "12.8", run: refuseLargeFirstFrame },
  {
    name: "closes the connection of a silent client, with an auth_* error",
    section: "12.8",
    slow: true,
    run: closeSilentClient,
  },
  {
    name: "refuses an expired token with auth_token_expired",
    section: "10",
    run: () => Promise.reject(new SkipCase("a token cannot be signed here without the server's secret")),
  },
]
