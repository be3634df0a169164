// Sections 4, 6, 7 and 12.14: cmd_move, its refusals and its pace.
import { Mismatch, show, SkipCase, type CaseContext, type ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat, listAt, numberAt } from "./expect.ts"
import { isReply, type Frame } from "./frame.ts"
import { MAX_STEPS_COUNT } from "./limits.ts"
import { enter, enterWhole, type Player } from "./player.ts"
import { expectError, expectSuccess, isErrorCode } from "./reply.ts"
import { expectShape, fields, int, nonEmptyText, numeric } from "./shape.ts"
import {
  coolDown,
  createWalker,
  DIRECTIONS,
  isBlocked,
  neighbour,
  positionIn,
  positionOf,
  stepsToWall,
  takeFreeStep,
} from "./walking.ts"

const movedShape = fields({
  new_position: fields({ x: int, y: int, map_id: nonEmptyText, player_id: int, timestamp: numeric }),
  old_position: fields({ x: int, y: int, map_id: nonEmptyText }),
})

async function checkMove(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const { direction, from, to, reply } = await takeFreeStep(createWalker(player))
  expectSuccess(reply)
  expectShape("resp_success", reply.payload, movedShape)
  expectShape("data of resp_success", reply.payload["data"], movedShape)
  expectEqual("old_position", positionIn(reply, "old_position"), from)
  expectEqual(`new_position after ${direction}`, to, neighbour(from, direction))
  expectEqual("player_id", at(reply.payload, "new_position", "player_id"), player.account.id)
}

async function refuseDirections(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const direction of ["up", "SIDEWAYS", ""]) {
    const reply = await client.request("cmd_move", { direction })
    expectError(reply, { code: "move_invalid_direction", category: "validation" })
  }
}

async function refuseWrongTypes(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (const payload of [{}, { direction: null }, { direction: 1 }, { direction: ["UP"] }])
    expectError(await client.request("cmd_move", payload), { category: "validation" })
}

/** Sends moves without a pause until one is refused for its rate. */
async function provokeRateLimit({ client }: Player): Promise<Frame> {
  const from = client.frames.length
  for (let count = 0; count < 20; count += 1)
    client.send({
      id: `rush-${count}`,
      type: "cmd_move",
      payload: { direction: count % 2 === 0 ? "UP" : "DOWN" },
    })
  const isLimited = (frame: Frame) => isReply(frame) && isErrorCode(frame, "move_rate_limited")
  const limited = await client.waitFor("a move_rate_limited among 20 moves sent at once", isLimited, { from })
  await client.waitFor("the reply to the last of them", ({ id }) => id === "rush-19", { from })
  return limited
}

async function checkRateLimit(context: CaseContext): Promise<void> {
  const player = await enter(context)
  const limited = await provokeRateLimit(player)
  expectError(limited, { code: "move_rate_limited", category: "rate_limit" })
  const seconds = numberAt(limited.payload, "retry_after")
  expectThat(seconds > 0 && seconds <= 5, "a retry_after between 0 and 5 seconds", seconds)
}

async function recoverAfterRateLimit(context: CaseContext): Promise<void> {
  const player = await enter(context)
  await provokeRateLimit(player)
  await coolDown(player)
  const reply = await player.client.request("cmd_move", { direction: "UP" })
  expectThat(!isErrorCode(reply, "move_rate_limited"), "a move that is not rate limited", reply.payload)
}

async function keepAdvertisedPace(context: CaseContext): Promise<void> {
  const walker = createWalker(await enter(context))
  for (let count = 0; count < 10; count += 1) {
    const reply = await walker.step(count % 2 === 0 ? "UP" : "DOWN")
    expectThat(
      !isErrorCode(reply, "move_rate_limited"),
      "no move_rate_limited at the advertised pace",
      reply.payload,
    )
  }
}

async function keepSlotOfMalformedMove(context: CaseContext): Promise<void> {
  const { client } = await enter(context)
  for (let count = 0; count < 5; count += 1) await client.request("cmd_move", { direction: "SIDEWAYS" })
  const reply = await client.request("cmd_move", { direction: "UP" })
  expectThat(!isErrorCode(reply, "move_rate_limited"), "a move that is not rate limited", reply.payload)
}

/** Walks towards the nearest wall in the chunks, or in any direction without one. */
async function meetWall(context: CaseContext): Promise<void> {
  const player = await enterWhole(context)
  const update = player.client.frames.find(({ type }) => type === "event_chunk_update")
  const chunks = listAt(update?.payload, "chunks")
  const walls = DIRECTIONS.flatMap(([direction]) => {
    const steps = stepsToWall(chunks, positionOf(player), direction)
    return steps === undefined ? [] : [{ direction, steps }]
  }).toSorted((one, other) => one.steps - other.steps)
  const { direction, steps } = walls[0] ?? { direction: "UP", steps: MAX_STEPS_COUNT }
  const walker = createWalker(player)
  for (let step = 1; step <= steps; step += 1) {
    const reply = await walker.step(direction)
    const isLast = step === steps && walls.length > 0
    if (reply.type === "resp_success" && !isLast) continue
    if (!isBlocked(reply)) throw new Mismatch(`a collision at step ${step} ${direction}`, show(reply.payload))
    if (walls.length > 0) expectEqual("steps to the wall that the chunks show", step, steps)
    expectError(reply)
    return
  }
  throw new SkipCase(`no wall and no edge within ${MAX_STEPS_COUNT} tiles ${direction}`)
}

export const movementCases: readonly ConformanceCase[] = [
  { name: "answers a move with both positions, flat and again under data", section: "10", run: checkMove },
  {
    name: "repeats the flat fields of a success under data, no more and no less",
    section: "10",
    run: async (context) => {
      const { reply } = await takeFreeStep(createWalker(await enter(context)))
      const { data, ...flat } = reply.payload
      expectEqual("data", data, flat)
    },
  },
  {
    name: "refuses a direction in lower case, unknown or empty with move_invalid_direction",
    section: "6",
    run: refuseDirections,
  },
  {
    name: "refuses a move without a direction or with one that is no text",
    section: "4",
    run: refuseWrongTypes,
  },
  {
    name: "refuses moves that come too fast with move_rate_limited and retry_after",
    section: "7",
    run: checkRateLimit,
  },
  {
    name: "accepts a move again after the advertised cooldown",
    section: "7",
    run: recoverAfterRateLimit,
  },
  { name: "refuses no move at the advertised pace", section: "12.14", run: keepAdvertisedPace },
  {
    name: "does not count a malformed move against the rate of moves",
    section: "12.14",
    run: keepSlotOfMalformedMove,
  },
  {
    name: "refuses a step into a wall or beyond the edge, just where the chunks show it",
    section: "6",
    run: meetWall,
  },
]
