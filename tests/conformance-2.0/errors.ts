// Sections 6 and 12.10: the answers to a logged-in client's message that cannot be served.
import { encode } from "@msgpack/msgpack"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { expectEqual, expectThat } from "./expect.ts"
import { enter } from "./player.ts"
import { errorAfter, expectError, expectServed, requestOnce } from "./reply.ts"

/** Frames without a readable id, and their faults. */
const unreadableFrames: readonly (readonly [string, Uint8Array])[] = [
  ["is not MessagePack", Uint8Array.of(0xc1)],
  ["ends too early", encode({ type: "query_stats", payload: {} }).subarray(0, -1)],
  ["has bytes after the object", Uint8Array.of(...encode({ type: "query_stats", payload: {} }), 0xc0)],
  ["is an array", encode(["query_stats", {}])],
  ["is a text of MessagePack", encode("query_stats")],
  ["is empty", new Uint8Array(0)],
  ["has no type", encode({ payload: {} })],
  ["has no payload", encode({ type: "query_stats" })],
]

const unreadableFrameCases = unreadableFrames.map(([fault, bytes]): ConformanceCase => ({
  name: `answers a frame that ${fault} with sys_invalid_message and id nil`,
  section: "6",
  run: async (context) => {
    const { client } = await enter(context)
    const reply = await errorAfter(client, () => client.sendBytes(bytes))
    expectError(reply, { id: null, code: "sys_invalid_message", category: "validation" })
    await expectServed(client)
  },
}))

async function refuseUnknownTypes(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const type of [
    "no_such_type",
    "cmd_no_such_command",
    "query_no_such_query",
    "__proto__",
    "constructor",
    "toString",
  ])
    expectError(await requestOnce(client, type, {}))
}

async function refuseServerTypes(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const type of [
    "event_welcome",
    "event_chat_message",
    "event_game_update",
    "resp_success",
    "resp_error",
    "resp_data",
  ]) {
    const reply = await requestOnce(client, type, {})
    expectError(reply, { code: "sys_invalid_message", category: "system" })
  }
}

async function refuseOtherVersions(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const [index, version] of ["1.0", "3.0", "", 2].entries()) {
    const id = `version-${index}`
    client.send({ id, type: "query_stats", payload: {}, version })
    expectError(await client.waitFor(`the reply to version ${String(version)}`, (frame) => frame.id === id))
  }
}

async function refuseOtherPayloads(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const payload of ["text", 42, true, [], [{ direction: "UP" }]])
    expectError(await requestOnce(client, "cmd_move", payload))
}

async function refuseOtherIds(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const id of [42, 1.5, true, ["id"], { id: "id" }]) {
    const reply = await errorAfter(client, () => client.send({ id, type: "query_stats", payload: {} }))
    expectError(reply, { id: null })
  }
  await expectServed(client)
}

async function closeOnTextFrame(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  client.sendText(JSON.stringify({ id: "text", type: "query_stats", payload: {} }))
  const close = await client.waitForClose("a close 1003 after a text frame")
  expectEqual("close code", close.code, 1003)
  expectThat(close.reason !== "", "a close reason that is not empty", close)
}

async function closeOnRepeatedGarbage(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  // All frames in one turn of the event loop, so that the close cannot come between two sends.
  for (let count = 0; count < 150; count += 1) client.sendBytes(Uint8Array.of(0xc1))
  const close = await client.waitForClose("a close after 150 frames of garbage")
  expectThat([1002, 1007].includes(close.code), "close code 1002 or 1007", close)
}

export const errorCases: readonly ConformanceCase[] = [
  ...unreadableFrameCases,
  {
    name: "answers an unknown type with one error that has its id",
    section: "12.10",
    run: refuseUnknownTypes,
  },
  {
    name: "answers events and replies sent by a client with sys_invalid_message of category system",
    section: "6",
    run: refuseServerTypes,
  },
  {
    name: "answers a version other than 2.0 with an error that has its id",
    section: "12.10",
    run: refuseOtherVersions,
  },
  {
    name: "answers a payload that is not a map with one error that has its id",
    section: "12.10",
    run: refuseOtherPayloads,
  },
  {
    name: "answers an id that is no text with an error whose id is nil",
    section: "12.10",
    run: refuseOtherIds,
  },
  { name: "closes on a text frame with 1003 and a reason", section: "12.10", run: closeOnTextFrame },
  {
    name: "closes a connection that sends nothing but garbage with 1002 or 1007",
    section: "12.10",
    run: closeOnRepeatedGarbage,
  },
]
