// Decides who may have an account and a token. Must not know how either is stored or made.
import type { PlayerRecord, Role, SkillXp, Spawn } from "../store/player-record.ts"
import type { PlayerStore } from "../store/player-store.ts"
import { createAccountLimits } from "./account-limits.ts"
import type { AccountLimits } from "./account-limits.ts"
import { clientAddress } from "./client-address.ts"
import type { ClientAddress } from "./client-address.ts"
import { loginCredentials, newCredentials, readCredentials } from "./credentials.ts"
import type { Credentials } from "./credentials.ts"
import type { DoorLimits } from "./door-limits.ts"
import type { HashOutcome, HashQueue } from "./hash-queue.ts"
import type { Passwords } from "./passwords.ts"
import { barredReply, isoTime, tokenReply } from "./login-replies.ts"
import { comeBackLater, jsonReply, refusal } from "./reply.ts"
import type { Reply } from "./reply.ts"
import { readBody } from "./request-body.ts"
import type { Route } from "./routes.ts"
import type { StayingLogins } from "./staying-logins.ts"
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
  readonly doorLimits: DoorLimits
  readonly hashes: HashQueue
}

const capacityRetryMs = 300_000

/** Everything that the routes share. */
interface Door extends AuthOptions {
  readonly limits: AccountLimits
  readonly staying: StayingLogins
}

/** `POST /auth/register` and `POST /auth/login`. */
export function authRoutes(options: AuthOptions, staying: StayingLogins): readonly Route[] {
  const limits = createAccountLimits(options.doorLimits, options.monotonicMs)
  const door: Door = { ...options, limits, staying }
  return [
    {
      method: "POST",
      path: "/auth/register",
      async answer({ request }) {
        const read = readCredentials(newCredentials, await readBody(request))
        if ("reply" in read) return read.reply
        return register(read.credentials, clientAddress(request, options.trustProxy), door)
      },
    },
    {
      method: "POST",
      path: "/auth/login",
      async answer({ request }) {
        const read = readCredentials(loginCredentials, await readBody(request))
        if ("reply" in read) return read.reply
        const { credentials } = read
        const player = await logIn(credentials, clientAddress(request, options.trustProxy), door)
        if ("status" in player) return player
        const reply = await admit(player, door)
        const isStaying = credentials.renewable === true && reply.status === 200
        return isStaying ? staying.begin(player, { reply, request }) : reply
      },
    },
  ]
}

async function register(
  { username, password }: Credentials,
  address: ClientAddress,
  door: Door,
): Promise<Reply> {
  const { store, passwords, spawn, hashes, limits } = door
  const wait = limits.register(address)
  if (wait !== undefined)
    return comeBackLater(429, "Too many registrations; wait before the next", wait.retryAfterMs)
  // Asked first to save the work of the hash; `register` decides.
  if ((await store.findByName(username)) !== undefined) return refusal(400, "Username already registered")
  const hashed = await hashes.run(`registrations ${address.key}`, () => passwords.hash(password))
  if (hashed.kind !== "done") return tooBusy(hashed)
  const player = await store.register({ username, passwordHash: hashed.value, spawn })
  if (player === "nameTaken") return refusal(400, "Username already registered")
  return jsonReply(201, accountWire(player, door.totalLevel))
}

/** The player whose name and password these are, or the refusal. */
async function logIn(
  { username, password }: Credentials,
  address: ClientAddress,
  { limits, store, hashes, passwords }: Door,
): Promise<PlayerRecord | Reply> {
  const attempt = limits.beginLogin(address, username)
  if ("retryAfterMs" in attempt) {
    return comeBackLater(429, "Too many failed logins; wait before the next", attempt.retryAfterMs)
  }
  try {
    const player = await store.findByName(username)
    const verified = await hashes.run(`log-ins ${address.key}`, () =>
      passwords.verify(password, player?.passwordHash),
    )
    if (verified.kind !== "done") return tooBusy(verified)
    attempt.end(verified.value ? "right" : "failed")
    if (verified.value && player !== undefined) return player
    return refusal(401, "Incorrect username or password", { "WWW-Authenticate": "Bearer" })
  } finally {
    attempt.end("unknown")
  }
}

function tooBusy({ kind }: Exclude<HashOutcome<unknown>, { kind: "done" }>): Reply {
  return kind === "full"
    ? comeBackLater(503, "Too many people are at the door; try again", 1000)
    : comeBackLater(429, "Too many requests of your address at once; try again", 1000)
}

function accountWire(player: PlayerRecord, totalLevel: (skills: SkillXp) => number) {
  return {
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
    total_level: totalLevel(player.skills),
    timeout_until: isoTime(player.timeoutUntilMs),
    appearance: player.appearance,
  }
}

/** The password was right: what else may stand in the way. */
async function admit(player: PlayerRecord, door: Door): Promise<Reply> {
  const barred = barredReply(player, door.nowMs())
  if (barred !== undefined) return barred
  if (door.isAtCapacity(player.role)) {
    return comeBackLater(429, "The world is full; try again later", capacityRetryMs)
  }
  return tokenReply(await door.tokens.issue(player.username))
}
