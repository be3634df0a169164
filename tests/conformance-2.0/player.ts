// Fresh accounts and players in the world, for cases with another subject.
import { randomBytes } from "node:crypto"
import type { CaseContext } from "./case.ts"
import { at, expectEqual, intAt, textAt } from "./expect.ts"
import type { Frame } from "./frame.ts"
import { openRawClient, type OpenOptions, type RawClient } from "./raw-client.ts"
import { isMap, type PlainMap } from "./shape.ts"
import { postForm, postJson } from "./web.ts"

export interface Account {
  readonly id: number
  readonly username: string
  readonly password: string
  readonly mapId: string
  readonly token: string
}

export interface Player {
  readonly account: Account
  readonly client: RawClient
  readonly welcome: Frame
}

export function randomName(): string {
  return `u${randomBytes(8).toString("hex")}`
}

export function randomPassword(): string {
  return `p-${randomBytes(8).toString("hex")}`
}

/** Registers a new account and logs it in. */
export async function newAccount(context: CaseContext): Promise<Account> {
  const username = randomName()
  const password = randomPassword()
  const registered = await postJson(context, "/auth/register", { username, password })
  expectEqual("status of POST /auth/register", registered.status, 201)
  const token = await logIn(context, username, password)
  return {
    id: intAt(registered.json, "id"),
    mapId: textAt(registered.json, "map_id"),
    username,
    password,
    token,
  }
}

async function logIn(context: CaseContext, username: string, password: string): Promise<string> {
  const answer = await postForm(context, "/auth/login", { username, password })
  expectEqual("status of POST /auth/login", answer.status, 200)
  return textAt(answer.json, "access_token")
}

/** Opens a connection that is closed when the case ends. */
export async function connect(context: CaseContext, options: OpenOptions = {}): Promise<RawClient> {
  const client = await openRawClient(context.url, options)
  context.onEnd(() => client.close())
  return client
}

/** Opens a connection, authenticates and waits for the welcome only. */
export async function enter(context: CaseContext, account?: Account): Promise<Player> {
  const own = account ?? (await newAccount(context))
  const client = await connect(context)
  client.send({ type: "cmd_authenticate", payload: { token: own.token } })
  const welcome = await client.waitFor("event_welcome", ({ type }) => type === "event_welcome")
  return { account: own, client, welcome }
}

/** Enters and waits for the whole login burst of 3.4: after it the player sees the world and is visible in it. */
export async function enterWhole(context: CaseContext, account?: Account): Promise<Player> {
  const player = await enter(context, account)
  await player.client.waitFor("an event_game_update that includes oneself (3.4)", (frame) =>
    shows(frame, player.account.id),
  )
  await player.client.waitFor(
    "the event_chunk_update of the login (3.4)",
    ({ type }) => type === "event_chunk_update",
  )
  return player
}

/** The entity of a player in a game update, if it is there. */
export function playerIn(frame: Frame, playerId: number): PlainMap | undefined {
  const entities = frame.type === "event_game_update" ? at(frame.payload, "entities") : []
  if (!Array.isArray(entities)) return undefined
  return entities
    .filter(isMap)
    .find((entity) => at(entity, "type") === "player" && at(entity, "player_id") === playerId)
}

/** Whether a frame is a game update with this player in it. */
export function shows(frame: Frame, playerId: number): boolean {
  return playerIn(frame, playerId) !== undefined
}

/** Whether a frame is a game update that shows this player on this tile. */
export function standsAt(
  frame: Frame,
  playerId: number,
  tile: { readonly x: number; readonly y: number },
): boolean {
  const entity = playerIn(frame, playerId)
  return at(entity, "x") === tile.x && at(entity, "y") === tile.y
}

/** Whether a frame is an event of this type about this player. */
export function isAbout(frame: Frame, type: string, playerId: number): boolean {
  return frame.type === type && at(frame.payload, "player_id") === playerId
}

/** Waits for an event of this type about this player. */
export function waitForEventAbout(watcher: Player, type: string, playerId: number): Promise<Frame> {
  return watcher.client.waitFor(`${type} about player ${playerId}`, (frame) => isAbout(frame, type, playerId))
}
