// Sections 1, 8, 12.12 and 12.13: each request gets its reply, once and in order.
import { randomUUID } from "node:crypto"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { at, expectEqual } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import { enter, standsAt } from "./player.ts"
import { expectError, expectReplyWithContent, expectServed, requestOnce } from "./reply.ts"
import { createWalker, takeFreeStep } from "./walking.ts"

/**
 * Commands of the seed's game that a smaller world may leave out. A world that has them refuses these payloads, too, so
 * the cases hold for both.
 */
const refusedCommands: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["cmd_attack", { target_type: "entity", target_id: 999_999_999 }],
  ["cmd_update_appearance", { hair_style: "no-such-style" }],
  ["cmd_inventory_move", { from_slot: 27, to_slot: 26 }],
  ["cmd_inventory_sort", { sort_by: "no-such-order" }],
  ["cmd_item_drop", { inventory_slot: 27, quantity: 1 }],
  ["cmd_item_pickup", { ground_item_id: 999_999_999 }],
  ["cmd_item_equip", { inventory_slot: 27 }],
  ["cmd_item_unequip", { equipment_slot: "ammo" }],
  ["cmd_toggle_auto_retaliate", { enabled: "no-such-value" }],
  ["cmd_admin_give", { target_username: "nobody", item_name: "nothing", quantity: 1 }],
]

const refusedCommandCases = refusedCommands.map(([type, payload]): ConformanceCase => ({
  name: `answers ${type} that it cannot carry out with exactly one structured error`,
  section: "12.12",
  run: async (context) => {
    const { client } = await enter(context)
    expectError(await requestOnce(client, type, payload))
  },
}))

async function answerOnce(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const { account, client } = player
  const requests: readonly (readonly [string, unknown])[] = [
    ["cmd_move", { direction: "SIDEWAYS" }],
    ["cmd_move", {}],
    ["cmd_chat_send", { message: "hello" }],
    ["cmd_chat_send", { message: "" }],
    ["query_inventory", {}],
    ["query_equipment", {}],
    ["query_stats", {}],
    ["query_map_chunks", { radius: 0 }],
    ["no_such_type", {}],
    ["event_welcome", {}],
  ]
  for (const [index, [type, payload]] of requests.entries())
    await client.request(type, payload, `once-${index}`)
  // A second reply may come late, from a timer or the next tick: the visible step shows that a tick is over.
  const { to, reply } = await takeFreeStep(createWalker(player))
  await client.waitFor("one's own step in event_game_update", (frame) => standsAt(frame, account.id, to))
  for (const [index, [type]] of requests.entries())
    expectEqual(`number of answers to ${type}`, countReplies(client.frames, `once-${index}`), 1)
  expectEqual("number of answers to the step", countReplies(client.frames, String(reply.id)), 1)
}

async function serveWithoutId(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const message of [
    { type: "query_stats", payload: {} },
    { id: null, type: "query_stats", payload: {} },
  ]) {
    const from = client.frames.length
    client.send(message)
    const reply = await client.waitFor(
      "a reply with id nil",
      (frame) => isReply(frame) && frame.id === null,
      { from },
    )
    expectReplyWithContent(reply)
  }
}

async function answerInOrder(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  const from = client.frames.length
  const messages = [
    ["query_map_chunks", { center_x: 0, center_y: 0 }],
    ["no_such_type", {}],
    ["query_stats", {}],
    ["cmd_move", { direction: "SIDEWAYS" }],
    ["cmd_chat_send", { message: "in order" }],
    ["query_inventory", {}],
    ["cmd_move", { direction: "UP" }],
    ["query_equipment", {}],
  ] as const
  const ids = messages.map(() => randomUUID())
  for (const [index, [type, payload]] of messages.entries()) client.send({ id: ids[index], type, payload })
  await client.waitFor("the reply to the last request", ({ id }) => id === ids.at(-1), { from })
  const replies = client.frames.slice(from).filter((frame) => isReply(frame))
  expectEqual(
    "ids of the replies, as places in the order of requests",
    replies.map(({ id }) => ids.findIndex((one) => one === id)),
    [...ids.keys()],
  )
}

async function separateUsers(context: CaseContext): Promise<void> {
  const one = await enter(context)
  const other = await enter(context)
  const id = randomUUID()
  const position = { center_x: 8, center_y: 8, radius: 1 }
  const [chunks, stats] = await Promise.all([
    one.client.request("query_map_chunks", position, id),
    other.client.request("query_stats", {}, id),
  ])
  await expectServed(one.client)
  await expectServed(other.client)
  expectEqual("stats in the answer to query_map_chunks", at(chunks.payload, "stats"), undefined)
  expectReplyWithContent(stats)
  expectEqual("chunks in the answer to query_stats", at(stats.payload, "chunks"), undefined)
  for (const { client } of [one, other]) expectEqual("number of answers", countReplies(client.frames, id), 1)
}

function countReplies(frames: readonly Frame[], id: string): number {
  return frames.filter((frame) => isReply(frame) && frame.id === id).length
}

async function answerReusedId(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  const id = randomUUID()
  expectReplyWithContent(await client.request("query_stats", {}, id))
  expectReplyWithContent(await client.request("query_inventory", {}, id))
  await expectServed(client)
  expectEqual("number of answers", countReplies(client.frames, id), 2)
}

async function answerDuplicateInFlight(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  const id = randomUUID()
  client.send({ id, type: "query_stats", payload: {} })
  client.send({ id, type: "query_stats", payload: {} })
  await expectServed(client)
  expectEqual("number of answers", countReplies(client.frames, id), 2)
}

async function echoUnusualIds(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const id of ["", "0", "grüße 🌍", "x".repeat(200), "line\nbreak"]) {
    const reply = await client.request("query_stats", {}, id)
    expectEqual("id of the reply", reply.id, id)
  }
}

export const requestCases: readonly ConformanceCase[] = [
  { name: "answers every request exactly once", section: "12.12", run: answerOnce },
  { name: "serves a request without an id and answers it with id nil", section: "1", run: serveWithoutId },
  { name: "answers requests in the order in which they came", section: "8", run: answerInOrder },
  {
    name: "answers two users that use the same id at once each with the right reply",
    section: "12.13",
    run: separateUsers,
  },
  {
    name: "answers both of two requests with the same id, one after the other",
    section: "12.13",
    run: answerReusedId,
  },
  {
    name: "answers both of two simultaneous requests with the same id",
    section: "12.13",
    run: answerDuplicateInFlight,
  },
  { name: "accepts any text as an id", section: "1", run: echoUnusualIds },
  ...refusedCommandCases,
]
