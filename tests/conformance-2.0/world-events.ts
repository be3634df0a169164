// Sections 5 and 10: events about other players.
import { Mismatch, show, SkipCase, type CaseContext, type ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, intAt, listAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { MAX_FRAME_BYTES, MAX_STEPS_COUNT } from "./limits.ts"
import { enterWhole, isAbout, playerIn, standsAt, waitForEventAbout, type Player } from "./player.ts"
import { expectServed } from "./reply.ts"
import { expectShape, isMap } from "./shape.ts"
import {
  chunkOf,
  createWalker,
  DIRECTIONS,
  isBlocked,
  takeFreeStep,
  type Tile,
  type Walker,
} from "./walking.ts"
import {
  chunkUpdateShape,
  gameUpdateShape,
  joinedShape,
  leftShape,
  npcEntityShape,
  playerEntityShape,
} from "./world-shapes.ts"

async function announceJoin(context: CaseContext): Promise<void> {
  const watcher = await enterWhole(context)
  const newcomer = await enterWhole(context)
  const { id, username } = newcomer.account
  const joined = await waitForEventAbout(watcher, "event_player_joined", id)
  expectShape("event_player_joined", joined.payload, joinedShape(id, username))
  await expectServed(watcher.client)
  await expectServed(newcomer.client)
  const count = (player: Player) =>
    player.client.frames.filter((frame) => isAbout(frame, "event_player_joined", id)).length
  expectEqual("event_player_joined for the watcher", count(watcher), 1)
  expectEqual("event_player_joined for the newcomer about itself", count(newcomer), 0)
}

async function describeThosePresent(context: CaseContext): Promise<void> {
  const { account } = await enterWhole(context)
  const newcomer = await enterWhole(context)
  const joined = await waitForEventAbout(newcomer, "event_player_joined", account.id)
  expectShape("event_player_joined", joined.payload, joinedShape(account.id, account.username))
}

/** A leaver departs in this way; the watcher must get one departure, and the removal of the entity. */
async function expectDeparture(context: CaseContext, depart: (leaver: Player) => unknown): Promise<void> {
  const watcher = await enterWhole(context)
  const leaver = await enterWhole(context)
  const { id, username } = leaver.account
  await watcher.client.waitFor("the leaver in sight", (frame) => playerIn(frame, id) !== undefined)
  await depart(leaver)
  const left = await waitForEventAbout(watcher, "event_player_left", id)
  expectShape("event_player_left", left.payload, leftShape(id, username))
  const isRemoval = (frame: Frame) =>
    frame.type === "event_game_update" && listAt(frame.payload, "removed_entities").includes(`player_${id}`)
  const removal = await watcher.client.waitFor(`an event_game_update that removes "player_${id}"`, isRemoval)
  expectShape("event_game_update", removal.payload, gameUpdateShape)
  await expectServed(watcher.client)
  const count = watcher.client.frames.filter((frame) => isAbout(frame, "event_player_left", id)).length
  expectEqual("number of event_player_left", count, 1)
}

async function showMove(context: CaseContext): Promise<void> {
  const watcher = await enterWhole(context)
  const mover = await enterWhole(context)
  const { id, username } = mover.account
  const { direction, to } = await takeFreeStep(createWalker(mover))
  for (const { client } of [watcher, mover]) {
    const update = await client.waitFor(`an event_game_update with the mover at ${to.x},${to.y}`, (frame) =>
      standsAt(frame, id, to),
    )
    expectShape("event_game_update", update.payload, gameUpdateShape)
    expectShape("entity of the mover", playerIn(update, id), playerEntityShape(id, username))
    expectEqual("facing_direction", at(playerIn(update, id), "facing_direction"), direction)
  }
}

async function checkNpcs(context: CaseContext): Promise<void> {
  const { account, client } = await enterWhole(context)
  const updates = client.frames.filter(({ type }) => type === "event_game_update")
  const entities = updates.flatMap(({ payload }) => listAt(payload, "entities")).filter(isMap)
  const npcs = entities.filter((entity) => entity["type"] !== "player")
  if (npcs.length === 0) throw new SkipCase("no NPC is in sight where players appear")
  for (const npc of npcs) {
    expectShape("entity of an NPC", npc, npcEntityShape)
    expectThat(intAt(npc, "id") !== account.id, "NPC ids disjoint from player ids", npc["id"])
  }
}

/** Directions in the order of their distance to the border of the chunk. */
function bordersByDistance({ x, y }: Tile) {
  const inChunk = { x: ((x % 16) + 16) % 16, y: ((y % 16) + 16) % 16 }
  const distances = { UP: inChunk.y + 1, DOWN: 16 - inChunk.y, LEFT: inChunk.x + 1, RIGHT: 16 - inChunk.x }
  return DIRECTIONS.map(([direction]) => direction).toSorted(
    (one, other) => distances[one] - distances[other],
  )
}

/** Walks until the player is in another chunk; false if every way there is blocked. */
async function leaveChunk(walker: Walker): Promise<boolean> {
  const start = chunkOf(walker.position())
  let stepsLeft = MAX_STEPS_COUNT
  for (const direction of bordersByDistance(walker.position())) {
    for (; stepsLeft > 0; stepsLeft -= 1) {
      const reply = await walker.step(direction)
      if (isBlocked(reply)) break
      if (reply.type !== "resp_success")
        throw new Mismatch("a move that succeeds or meets a wall", show(reply.payload))
      const here = chunkOf(walker.position())
      if (here.x !== start.x || here.y !== start.y) return true
    }
  }
  return false
}

async function pushChunks(context: CaseContext): Promise<void> {
  const player = await enterWhole(context)
  const { client } = player
  const walker = createWalker(player)
  const from = client.frames.length
  if (!(await leaveChunk(walker)))
    throw new SkipCase(`no way into another chunk within ${MAX_STEPS_COUNT} steps`)
  const update = await client.waitFor(
    "event_chunk_update in a new chunk",
    ({ type }) => type === "event_chunk_update",
    { from },
  )
  expectShape("event_chunk_update", update.payload, chunkUpdateShape)
  expectEqual("player_position", update.payload["player_position"], walker.position())
  expectThat(update.bytes.length <= MAX_FRAME_BYTES, `at most ${MAX_FRAME_BYTES} bytes`, update.bytes.length)
  // Chunks of the login may be left out; new ones must be there, and none farther than one chunk.
  const center = chunkOf(walker.position())
  const isNear = (chunk: unknown) =>
    Math.abs(intAt(chunk, "chunk_x") - center.x) <= 1 && Math.abs(intAt(chunk, "chunk_y") - center.y) <= 1
  expectThat(
    listAt(update.payload, "chunks").every(isNear),
    "chunks within one of the player's",
    listAt(update.payload, "chunks").length,
  )
}

export const worldEventCases: readonly ConformanceCase[] = [
  {
    name: "announces a newcomer once to those present, flat and as player{}, but not to itself",
    section: "10",
    run: announceJoin,
  },
  {
    name: "announces those present to a newcomer in the same form",
    section: "10",
    run: describeThosePresent,
  },
  {
    name: "announces the departure of a player once and removes the entity player_<n>",
    section: "10",
    run: async (context) => await expectDeparture(context, ({ client }) => client.close()),
  },
  {
    name: "announces the departure of a player whose connection breaks off",
    section: "12.3",
    run: async (context) => await expectDeparture(context, ({ client }) => client.terminate()),
  },
  { name: "shows a move to others and to the mover in event_game_update", section: "10", run: showMove },
  { name: "describes NPCs by an integer id and all their fields", section: "10", run: checkNpcs },
  {
    name: "sends event_chunk_update with player_position when a player enters a new chunk",
    section: "10",
    slow: true,
    run: pushChunks,
  },
]
