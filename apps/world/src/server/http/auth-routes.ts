// Decides who may have an account and a token. Must not know how either is stored or made.
import type { PlayerRecord, Role, SkillXp, Spawn } from "../store/player-record.ts"
import type { PlayerStore } from "../store/player-store.ts"
import { clientAddress } from "./client-address.ts"
import { loginCredentials, newCredentials, readCredentials } from "./credentials.ts"
import type { Credentials } from "./credentials.ts"
import { createLoginLimit } from "./login-limit.ts"
import type { Passwords } from "./passwords.ts"
import { comeBackLater, jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"
import { readBody } from "./request-body.ts"
import type { Route } from "./routes.ts"
import type { Tokens } from "./tokens.ts"

export interface AuthOptions {
  readonly store: Pick<PlayerStore, "register" | "findByName">
  readonly passwords: Passwords
  readonly tokens: Tokens
  /** Where and how a new player starts. */
  readonly spawn: Spawn
  /** The sum of the levels that this experience makes. */
  readonly totalLevel: (skills: SkillXp) => number
  /** Whether the world is full for players of this role. */
  readonly isAtCapacity: (role: Role) => boolean
  /** Whether `X-Forwarded-For` is believed. */
  readonly trustProxy: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Milliseconds from any start. */
  readonly monotonicMs: () => number
  /** Registrations and logins at work at once; beyond, they are answered 503. Default 500. */
  readonly maxAtWork?: number
}

const capacityRetryMs = 300_000

/** Each costs a hash of 26 ms on one of four threads: the last one waits about 3 s. */
const defaultMaxAtWork = 500

/** `POST /auth/register` and `POST /auth/login`. */
export function authRoutes(options: AuthOptions): readonly Route[] {
  const loginLimit = createLoginLimit(options.monotonicMs)
  const maxAtWork = options.maxAtWork ?? defaultMaxAtWork
  let atWork = 0

  async function bounded(work: () => Promise<Reply>): Promise<Reply> {
    if (atWork >= maxAtWork) return comeBackLater(503, "Too many people are at the door; try again", 1000)
    atWork += 1
    try {
      return await work()
    } finally {
      atWork -= 1
    }
  }

  async function logIn({ username, password }: Credentials, address: string): Promise<Reply> {
    let player: PlayerRecord | undefined
    const outcome = await loginLimit.tryLogin({ address, username }, async () => {
      player = await options.store.findByName(username)
      return options.passwords.verify(password, player?.passwordHash)
    })
    if (typeof outcome === "object") {
      return comeBackLater(429, "Too many failed logins; wait before the next", outcome.retryAfterMs)
    }
    if (!outcome || player === undefined) {
      return refusal(401, "Incorrect username or password", { "WWW-Authenticate": "Bearer" })
    }
    return admit(player, options)
  }

  return [
    {
      method: "POST",
      path: "/auth/register",
      async answer({ request }) {
        const read = readCredentials(newCredentials, await readBody(request))
        return "reply" in read ? read.reply : bounded(() => register(read.credentials, options))
      },
    },
    {
      method: "POST",
      path: "/auth/login",
      async answer({ request }) {
        const read = readCredentials(loginCredentials, await readBody(request))
        if ("reply" in read) return read.reply
        return bounded(() => logIn(read.credentials, clientAddress(request, options.trustProxy)))
      },
    },
  ]
}

async function register({ username, password }: Credentials, options: AuthOptions): Promise<Reply> {
  const { store, passwords, spawn } = options
  // Asked first to save the work of the hash; `register` decides.
  const isTaken = (await store.findByName(username)) !== undefined
  const player = isTaken
    ? "nameTaken"
    : await store.register({ username, passwordHash: await passwords.hash(password), spawn })
  if (player === "nameTaken") return refusal(400, "Username already registered")
  return jsonReply(201, {
    id: player.id,
    username: player.username,
    x: player.x,
    y: player.y,
    map_id: player.mapId,
    current_hp: player.currentHp,
    max_hp: player.maxHp,
    role: player.role,
    is_banned: player.isBanned,
    is_online: false,
    facing_direction: player.facing,
    animation_state: "idle",
    total_level: options.totalLevel(player.skills),
    timeout_until: isoTime(player.timeoutUntilMs),
    appearance: player.appearance,
  })
}

/** The password was right: what else may stand in the way. */
async function admit(player: PlayerRecord, options: AuthOptions): Promise<Reply> {
  const { timeoutUntilMs } = player
  if (player.isBanned) return refusal(403, "This account is banned")
  if (timeoutUntilMs !== null && timeoutUntilMs > options.nowMs()) {
    return refusal(403, `This account is timed out until ${isoTime(timeoutUntilMs)}`)
  }
  if (options.isAtCapacity(player.role)) {
    return comeBackLater(429, "The world is full; try again later", capacityRetryMs)
  }
  return jsonReply(200, { access_token: await options.tokens.issue(player.username), token_type: "bearer" })
}

function isoTime(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
