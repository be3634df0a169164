// Accounts and tokens of bots. On the world's machine, accounts without a usable password are written to its database,
// and tokens are signed with its secret. From elsewhere each bot registers like any player.
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

/** Returns a bot's token; called again whenever its client needs a fresh one. */
export type TokenOf = (bot: number) => Promise<string>

export type Keys = Pick<WorldConfig, "databaseUrl" | "jwtSecret">

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the keys of the world on this machine, from the environment and the folder `data`; undefined without them.
 */
export function keysOfThisMachine(env: Environment): Keys | undefined {
  // Reading the settings would create a secret if there is none. A world that runs here has created one.
  if ((env["JWT_SECRET"] ?? "") === "" && !existsSync(join("data", "jwt-secret"))) return undefined
  const config = readConfig(env)
  if ("problems" in config || config.databaseUrl === ":memory:") return undefined
  return existsSync(config.databaseUrl.replace(/^file:(\/\/)?/, "")) ? config : undefined
}

export function isThisMachine(url: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname)
}

const startingHp = 10

/** Writes accounts for `count` bots on random free tiles of the map, and signs tokens for them. */
export async function accountsByKeys(keys: Keys, mapFile: URL, count: number): Promise<TokenOf> {
  const map = parseTiledMap(JSON.parse(await readFile(mapFile, "utf8")))
  // Hash of a random password that is not kept.
  const passwordHash = await createPasswords().hash(randomBytes(32).toString("base64url"))
  const database = await openDatabase(keys.databaseUrl)
  const store = createPlayerStore(database)
  try {
    for (let bot = 0; bot < count; bot += 1) {
      const spawn = { mapId: map.id, ...freeTile(map), maxHp: startingHp }
      // A taken name belongs to an earlier run.
      await store.register({ username: nameOf(bot), passwordHash, spawn })
    }
  } finally {
    await store.close()
  }
  const tokens = createTokens({ secret: keys.jwtSecret })
  return (bot) => tokens.issue(nameOf(bot))
}

const login = z.object({ access_token: z.string() })

/** Longest `Retry-After` between two requests, in milliseconds. A longer one ends the retries. */
const longestPauseMs = 60_000

/** Repeats a refused request after its `Retry-After`: the registrations of an address are limited per minute. */
async function withRetries(send: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const reply = await send()
    const waitMs = Number(reply.headers.get("retry-after")) * 1_000
    if ((reply.status !== 429 && reply.status !== 503) || waitMs > longestPauseMs) return reply
    await pause(Math.max(1_000, waitMs))
  }
}

/**
 * Registers each bot at the first request of its token: about 50 ms of the server's time each, within its limit per
 * minute.
 */
export function accountsByRegistering(url: string): TokenOf {
  const run = randomBytes(4).toString("hex")
  const password = randomBytes(16).toString("hex")
  const registered = new Map<number, Promise<void>>()

  async function register(username: string): Promise<void> {
    const headers = { "Content-Type": "application/json" }
    const body = JSON.stringify({ username, password })
    const reply = await withRetries(() => fetch(`${url}/auth/register`, { method: "POST", headers, body }))
    if (!reply.ok) throw new Error(`${username} could not register: ${reply.status} ${await reply.text()}`)
  }

  return async (bot) => {
    const username = `${nameOf(bot)}-${run}`
    const done = registered.get(bot) ?? register(username)
    registered.set(bot, done)
    await done
    const body = new URLSearchParams({ username, password })
    const reply = await withRetries(() => fetch(`${url}/auth/login`, { method: "POST", body }))
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
