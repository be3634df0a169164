// Sections 12.2 to 12.4: a second login of the same player, and a new login after a departure.
import { expectChunksAround, expectBurstOrder } from "./burst.ts"
import type { CaseContext, ConformanceCase } from "./case.ts"
import { at, expectEqual, expectThat } from "./expect.ts"
import { enterWhole, isAbout, shows, waitForEventAbout, type Player } from "./player.ts"
import { expectReplyWithContent, expectSuccess } from "./reply.ts"
import { createWalker, takeFreeStep } from "./walking.ts"

interface Takeover {
  readonly watcher: Player
  readonly old: Player
  readonly fresh: Player
}

/** A watcher sees a player, who then logs in again while the first socket is still open. */
async function takeOver(context: CaseContext): Promise<Takeover> {
  const watcher = await enterWhole(context)
  const old = await enterWhole(context)
  await waitForEventAbout(watcher, "event_player_joined", old.account.id)
  const fresh = await enterWhole(context, old.account)
  return { watcher, old, fresh }
}

async function closeOldSocket(context: CaseContext): Promise<void> {
  const { old } = await takeOver(context)
  const close = await old.client.waitForClose("the close of the old socket after a second login")
  expectThat(close.reason !== "", "a close reason that is not empty", close)
  expectThat(![1005, 1006].includes(close.code), "a close with a code of its own", close)
}

async function sendWholeBurst(context: CaseContext): Promise<void> {
  const { watcher, fresh } = await takeOver(context)
  expectBurstOrder(fresh, watcher)
  await fresh.client.waitFor("the watcher in sight again", (frame) => shows(frame, watcher.account.id))
}

/** Waits for a message from the new socket: all earlier broadcasts have arrived before it. */
async function expectHeardBy(watcher: Player, { account, client }: Player): Promise<void> {
  expectSuccess(await client.request("cmd_chat_send", { message: "still here" }))
  const isHeard = "event_chat_message from the new socket"
  await watcher.client.waitFor(
    isHeard,
    ({ type, payload }) => type === "event_chat_message" && at(payload, "sender") === account.username,
  )
}

async function hideFromOthers(context: CaseContext): Promise<void> {
  const { watcher, old, fresh } = await takeOver(context)
  await old.client.waitForClose("the close of the old socket after a second login")
  await expectHeardBy(watcher, fresh)
  const count = (type: string) =>
    watcher.client.frames.filter((frame) => isAbout(frame, type, old.account.id)).length
  expectEqual("number of event_player_joined", count("event_player_joined"), 1)
  expectEqual("number of event_player_left", count("event_player_left"), 0)
}

async function serveNewSocket(context: CaseContext): Promise<void> {
  const { watcher, old, fresh } = await takeOver(context)
  await old.client.waitForClose("the close of the old socket after a second login")
  expectReplyWithContent(await fresh.client.request("query_stats", {}))
  await takeFreeStep(createWalker(fresh))
  await expectHeardBy(watcher, fresh)
  await fresh.client.close()
  await waitForEventAbout(watcher, "event_player_left", old.account.id)
}

async function sendWholeBurstOnReturn(context: CaseContext): Promise<void> {
  const watcher = await enterWhole(context)
  const first = await enterWhole(context)
  await first.client.close()
  await waitForEventAbout(watcher, "event_player_left", first.account.id)
  const again = await enterWhole(context, first.account)
  expectBurstOrder(again, watcher)
  expectChunksAround(again)
  await again.client.waitFor("the watcher in sight again", (frame) => shows(frame, watcher.account.id))
}

export const takeoverCases: readonly ConformanceCase[] = [
  {
    name: "closes the old socket with a reason when the same player logs in again",
    section: "12.2",
    run: closeOldSocket,
  },
  {
    name: "sends the whole login burst to the new socket of a takeover",
    section: "12.2",
    run: sendWholeBurst,
  },
  {
    name: "sends the 3x3 chunks again to the new socket of a takeover",
    section: "12.2",
    run: async (context) => expectChunksAround((await takeOver(context)).fresh),
  },
  {
    name: "sends others neither a departure nor a second arrival at a takeover",
    section: "12.2",
    run: hideFromOthers,
  },
  {
    name: "serves the new socket after the old one is closed, and announces its departure",
    section: "12.2",
    run: serveNewSocket,
  },
  {
    name: "sends the whole login burst again to a player who left and logs in again",
    section: "12.3",
    run: sendWholeBurstOnReturn,
  },
]
