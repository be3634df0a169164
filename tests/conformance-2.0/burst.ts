// Sections 3.4 and 10: the messages after the login, their order and shape.
import { Mismatch, type CaseContext, type ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, intAt, listAt, mapAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { MAX_FRAME_BYTES } from "./limits.ts"
import { enterWhole, isAbout, playerIn, shows, type Player } from "./player.ts"
import { expectShape } from "./shape.ts"
import { chunkOf, positionOf } from "./walking.ts"
import {
  chunkUpdateShape,
  gameUpdateShape,
  noticeShape,
  playerEntityShape,
  skillsUpdateShape,
} from "./world-shapes.ts"

function isNotice(frame: Frame): boolean {
  const sender = at(frame.payload, "sender")
  return frame.type === "event_chat_message" && (sender === "Server" || sender === "System")
}

function isSkillsUpdate(frame: Frame): boolean {
  return frame.type === "event_state_update" && at(frame.payload, "systems", "skills") !== undefined
}

function firstIndex(player: Player, what: string, matches: (frame: Frame) => boolean): number {
  const found = player.client.frames.findIndex(matches)
  if (found >= 0) return found
  throw new Mismatch(`${what} in the login burst`, player.client.frames.map(({ type }) => type).join(", "))
}

function firstFrame(player: Player, what: string, matches: (frame: Frame) => boolean): Frame {
  const found = player.client.frames[firstIndex(player, what, matches)]
  if (found !== undefined) return found
  throw new Mismatch(what, "nothing")
}

/** Requires the order of 3.4; `already` is a player who was there before. */
export function expectBurstOrder(player: Player, already?: Player): void {
  const ownId = player.account.id
  const order: readonly (readonly [string, number])[] = [
    ["event_welcome", firstIndex(player, "event_welcome", ({ type }) => type === "event_welcome")],
    ["the server's notice", firstIndex(player, "a notice of the server", isNotice)],
    ["the skills", firstIndex(player, "an event_state_update with skills", isSkillsUpdate)],
    ...(already === undefined ? [] : [["event_player_joined", joinedIndex(player, already)] as const]),
    [
      "the first event_game_update",
      firstIndex(player, "event_game_update", ({ type }) => type === "event_game_update"),
    ],
    ["an event_game_update with oneself", firstIndex(player, "oneself", (frame) => shows(frame, ownId))],
    [
      "event_chunk_update",
      firstIndex(player, "event_chunk_update", ({ type }) => type === "event_chunk_update"),
    ],
  ]
  const indices = order.map(([, index]) => index)
  const isSorted = indices.every((index, place) => place === 0 || index >= (indices[place - 1] ?? 0))
  const seen = player.client.frames.map(({ type }) => type).join(", ")
  if (!isSorted) throw new Mismatch(`the order ${order.map(([what]) => what).join(", ")}`, seen)
  expectEqual("index of event_welcome", indices[0], 0)
}

function joinedIndex(player: Player, already: Player): number {
  const isJoined = (frame: Frame) => isAbout(frame, "event_player_joined", already.account.id)
  expectEqual("number of event_player_joined for one player", player.client.frames.filter(isJoined).length, 1)
  return firstIndex(player, "event_player_joined for the player who was there", isJoined)
}

/** Requires the 3x3 chunks around the player, in one frame; the map's edge may cut a row or a column off. */
export function expectChunksAround(player: Player): void {
  const frame = firstFrame(player, "event_chunk_update", ({ type }) => type === "event_chunk_update")
  expectShape("event_chunk_update", frame.payload, chunkUpdateShape)
  expectThat(frame.bytes.length <= MAX_FRAME_BYTES, `at most ${MAX_FRAME_BYTES} bytes`, frame.bytes.length)
  expectEqual("player_position", frame.payload["player_position"], positionOf(player))
  const center = chunkOf(positionOf(player))
  const chunks = listAt(frame.payload, "chunks")
  const columns = new Set(chunks.map((chunk) => intAt(chunk, "chunk_x")))
  const rows = new Set(chunks.map((chunk) => intAt(chunk, "chunk_y")))
  const isNear =
    [...columns].every((x) => Math.abs(x - center.x) <= 1) &&
    [...rows].every((y) => Math.abs(y - center.y) <= 1)
  const seen = chunks.map((chunk) => `${intAt(chunk, "chunk_x")},${intAt(chunk, "chunk_y")}`)
  expectThat(
    isNear && columns.has(center.x) && rows.has(center.y),
    `chunks around ${center.x},${center.y}`,
    seen,
  )
  const isGrid =
    new Set(seen).size === seen.length && seen.length === columns.size * rows.size && seen.length >= 4
  expectThat(isGrid, "4, 6 or 9 chunks that form a rectangle, none twice", seen)
}

async function checkOrder(context: CaseContext): Promise<void> {
  const already = await enterWhole(context)
  expectBurstOrder(await enterWhole(context), already)
}

async function checkFirstGameUpdate(context: CaseContext): Promise<void> {
  const already = await enterWhole(context)
  const player = await enterWhole(context)
  const { account, client } = player
  const isUpdate = ({ type }: Frame) => type === "event_game_update"
  for (const frame of client.frames.filter(isUpdate))
    expectShape("event_game_update", frame.payload, gameUpdateShape)
  const withSelf = firstFrame(player, "oneself", (frame) => shows(frame, account.id))
  expectEqual("map_id", withSelf.payload["map_id"], account.mapId)
  expectShape("own entity", playerIn(withSelf, account.id), playerEntityShape(account.id, account.username))
  const other = await client.waitFor("the player who was there before", (frame) =>
    shows(frame, already.account.id),
  )
  const { id, username } = already.account
  expectShape("entity of another", playerIn(other, id), playerEntityShape(id, username))
}

export const burstCases: readonly ConformanceCase[] = [
  {
    name: "sends event_welcome before every other frame",
    section: "12.9",
    run: async (context) => {
      // Other players who move, chat and join at the moment of the login could overtake the welcome.
      const others = await Promise.all([enterWhole(context), enterWhole(context)])
      for (const { client } of others) client.send({ type: "cmd_chat_send", payload: { message: "hello" } })
      const players = await Promise.all([enterWhole(context), enterWhole(context)])
      for (const { client } of players) expectEqual("first frame", client.frames[0]?.type, "event_welcome")
    },
  },
  {
    name: "sends the login burst in the order of 3.4, with those already present",
    section: "3.4",
    run: checkOrder,
  },
  {
    name: "greets with a notice from the server",
    section: "3.4",
    run: async (context) => {
      const notice = firstFrame(await enterWhole(context), "a notice of the server", isNotice)
      expectShape("event_chat_message", notice.payload, noticeShape)
    },
  },
  {
    name: "sends the skills as a full personal state update",
    section: "10",
    run: async (context) => {
      const update = firstFrame(
        await enterWhole(context),
        "an event_state_update with skills",
        isSkillsUpdate,
      )
      expectShape("event_state_update", update.payload, skillsUpdateShape)
      const names = Object.keys(mapAt(update.payload, "systems", "skills"))
      expectThat(
        names.length > 0 && names.every((name) => name === name.toLowerCase()),
        "lower-case skill names",
        names,
      )
    },
  },
  {
    name: "sends oneself and those in sight as entities of event_game_update",
    section: "10",
    run: checkFirstGameUpdate,
  },
  {
    name: "sends the 3x3 chunks around the player in one event_chunk_update",
    section: "3.4",
    run: async (context) => expectChunksAround(await enterWhole(context)),
  },
]
