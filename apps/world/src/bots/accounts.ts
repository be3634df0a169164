// How bots get into a world. Whoever runs them beside the world has its database and its secret: accounts that no
// password opens are written there, and tokens signed. Everybody else registers each of them like any player.
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { z } from "zod"
import { parseTiledMap } from "../rules/map.ts"
import type { WorldMap } from "../rules/map.ts"
import { readConfig } from "../server/config/config.ts"
import type { WorldConfig } from "../server/config/config.ts"
import { createPasswords } from "../server/http/passwords.ts"
import { createTokens } from "../server/http/tokens.ts"
import { openDatabase } from "../server/store/database.ts"
import { createPlayerStore } from "../server/store/player-store.ts"

/** Where a bot's token comes from; asked again whenever its client needs a fresh one. */
export type TokenOf = (bot: number) => Promise<string>

export type Keys = Pick<WorldConfig, "databaseUrl" | "jwtSecret">

type Environment = Readonly<Record<string, string | undefined>>

/** What the environment and the folder `data` say of the world that runs here; undefined when they say nothing. */
export function keysOfThisMachine(env: Environment): Keys | undefined {
  // Reading the settings would make a secret where there is none, and a world that runs here has made one.
  if ((env["JWT_SECRET"] ?? "") === "" && !existsSync(join("data", "jwt-secret"))) return undefined
  const config = readConfig(env)
  if ("problems" in config || config.databaseUrl === ":memory:") return undefined
  return existsSync(config.databaseUrl.replace(/^file:(\/\/)?/, "")) ? config : undefined
}

export function isThisMachine(url: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname)
}

const startingHp = 10

/** Writes accounts for `count` bots who stand anywhere on the map, and signs tokens for them. */
export async function accountsByKeys(keys: Keys, mapFile: URL, count: number): Promise<TokenOf> {
  const map = parseTiledMap(JSON.parse(await readFile(mapFile, "utf8")))
  // Of a password that nobody has ever seen.
  const passwordHash = await createPasswords().hash(randomBytes(32).toString("base64url"))
  const database = await openDatabase(keys.databaseUrl)
  const store = createPlayerStore(database)
  try {
    for (let bot = 0; bot < count; bot += 1) {
      const spawn = { mapId: map.id, ...freeTile(map), maxHp: startingHp }
      // Taken names are those of an earlier run.
      await store.register({ username: nameOf(bot), passwordHash, spawn })
    }
  } finally {
    await store.close()
  }
  const tokens = createTokens({ secret: keys.jwtSecret })
  return (bot) => tokens.issue(nameOf(bot))
}

const login = z.object({ access_token: z.string() })

/** Longest pause that a world may ask for between two registrations. */
const longestPauseMs = 60_000

/** Sends again after as long as the world asks for: an address may register only so many accounts a minute. */
async function patiently(send: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const reply = await send()
    const waitMs = Number(reply.headers.get("retry-after")) * 1_000
    if ((reply.status !== 429 && reply.status !== 503) || waitMs > longestPauseMs) return reply
    await pause(Math.max(1_000, waitMs))
  }
}

/** Registers each bot when its turn comes: about 50 ms of the server's time each, and as many a minute as it allows. */
export function accountsByRegistering(url: string): TokenOf {
  const run = randomBytes(4).toString("hex")
  const password = randomBytes(16).toString("hex")
  const registered = new Map<number, Promise<void>>()

  async function register(username: string): Promise<void> {
    const headers = { "Content-Type": "application/json" }
    const body = JSON.stringify({ username, password })
    const reply = await patiently(() => fetch(`${url}/auth/register`, { method: "POST", headers, body }))
    if (!reply.ok) throw new Error(`${username} could not register: ${reply.status} ${await reply.text()}`)
  }

  return async (bot) => {
    const username = `${nameOf(bot)}-${run}`
    const done = registered.get(bot) ?? register(username)
    registered.set(bot, done)
    await done
    const body = new URLSearchParams({ username, password })
    const reply = await patiently(() => fetch(`${url}/auth/login`, { method: "POST", body }))
    if (!reply.ok) throw new Error(`${username} could not log in: ${reply.status} ${await reply.text()}`)
    return login.parse(await reply.json()).access_token
  }
}

function nameOf(bot: number): string {
  return `bot-${String(bot + 1).padStart(4, "0")}`
}

function freeTile(map: WorldMap): { readonly x: number; readonly y: number } {
  for (;;) {
    const tile = { x: Math.floor(Math.random() * map.width), y: Math.floor(Math.random() * map.height) }
    if (map.isWalkable(tile.x, tile.y)) return tile
  }
}
