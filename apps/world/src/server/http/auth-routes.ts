// Decides about registrations and log-ins. Must not know the storage of accounts or the format of tokens.
import { z } from "zod"
import type { PlayerRecord, Role, SkillXp, Spawn } from "../store/player-record.ts"
import type { PlayerStore } from "../store/player-store.ts"
import { createAccountLimits } from "./account-limits.ts"
import type { AccountLimits } from "./account-limits.ts"
import { clientAddress } from "./client-address.ts"
import type { ClientAddress } from "./client-address.ts"
import { invalidBody, loginCredentials, newCredentials, readCredentials } from "./credentials.ts"
import type { Credentials } from "./credentials.ts"
import type { DoorLimits } from "./door-limits.ts"
import type { HashOutcome, HashQueue } from "./hash-queue.ts"
import type { Passwords } from "./passwords.ts"
import { barredReply, isoTime, tokenBody, tokenReply } from "./login-replies.ts"
import { comeBackLater, jsonReply, refusal } from "./reply.ts"
import { readBody } from "./request-body.ts"
import { json, refused } from "./route.ts"
import type { Route } from "./route.ts"
import type { StayingLogins } from "./staying-logins.ts"
import type { Tokens } from "./tokens.ts"

export interface AuthOptions {
  readonly store: Pick<PlayerStore, "register" | "findByName">
  readonly passwords: Passwords
  readonly tokens: Tokens
  /** Place and state of a new player. */
  readonly spawn: Spawn
  /** Returns the sum of the levels for this experience. */
  readonly totalLevel: (skills: SkillXp) => number
  /** Returns true if the world is full for players of this role. */
  readonly isAtCapacity: (role: Role) => boolean
  /** True if `X-Forwarded-For` is trusted. */
  readonly trustProxy: boolean
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  readonly doorLimits: DoorLimits
  readonly hashes: HashQueue
}

const capacityRetryMs = 300_000

/** Dependencies of both routes. */
interface Door extends AuthOptions {
  readonly limits: AccountLimits
  readonly staying: StayingLogins
}

const accountBody = z
  .object({
    id: z.int(),
    username: z.string(),
    x: z.number(),
    y: z.number(),
    map_id: z.string(),
    current_hp: z.number(),
    max_hp: z.number(),
    role: z.enum(["player", "moderator", "admin"]),
    is_banned: z.boolean(),
    is_online: z.boolean(),
    facing_direction: z.enum(["UP", "DOWN", "LEFT", "RIGHT"]),
    animation_state: z.literal("idle"),
    total_level: z.int(),
    timeout_until: z.string().nullable().meta({ description: "Time of RFC 3339, or null" }),
    appearance: z.record(z.string(), z.string()),
  })
  .meta({ title: "Account" })

/** `POST /auth/register` and `POST /auth/login`. */
export function authRoutes(options: AuthOptions, staying: StayingLogins): readonly Route[] {
  const limits = createAccountLimits(options.doorLimits, options.monotonicMs)
  const door: Door = { ...options, limits, staying }
  return [registration(door), login(door)]
}

const tooLarge = refused("The body is larger than 16 KiB")
const invalid = json("The body is invalid; one reason for each wrong field", invalidBody)
const unavailable = refused(
  "Too many passwords wait to be hashed, or the database is not available; see Retry-After",
)

function registration(door: Door): Route {
  return {
    method: "POST",
    path: "/auth/register",
    summary: "Register an account",
    body: newCredentials,
    replies: {
      201: json("The new account", accountBody),
      400: refused("The name is taken"),
      413: tooLarge,
      422: invalid,
      429: refused("The address registers too often; see Retry-After"),
      503: unavailable,
    },
    async answer({ env: { incoming } }) {
      const read = readCredentials(newCredentials, await readBody(incoming))
      if ("reply" in read) return read.reply
      return register(read.credentials, clientAddress(incoming, door.trustProxy), door)
    },
  }
}

function login(door: Door): Route {
  return {
    method: "POST",
    path: "/auth/login",
    summary: "Log in with a password",
    body: loginCredentials,
    replies: {
      200: json("An access token; with `renewable`, also the cookie that renews the log-in", tokenBody),
      401: refused("The name or the password is wrong"),
      403: refused("The account is banned or timed out"),
      413: tooLarge,
      422: invalid,
      429: refused("Too many failed log-ins, or the world is full; see Retry-After"),
      503: unavailable,
    },
    async answer({ env: { incoming } }) {
      const read = readCredentials(loginCredentials, await readBody(incoming))
      if ("reply" in read) return read.reply
      const { credentials } = read
      const player = await logIn(credentials, clientAddress(incoming, door.trustProxy), door)
      if (player instanceof Response) return player
      const reply = await admit(player, door)
      const isStaying = credentials.renewable === true && reply.status === 200
      return isStaying ? door.staying.begin(player, { reply, request: incoming }) : reply
    },
  }
}

async function register(
  { username, password }: Credentials,
  address: ClientAddress,
  door: Door,
): Promise<Response> {
  const { store, passwords, spawn, hashes, limits } = door
  const wait = limits.register(address)
  if (wait !== undefined)
    return comeBackLater(429, "Too many registrations; wait before the next", wait.retryAfterMs)
  // This check only saves the work of the hash; `store.register` decides.
  if ((await store.findByName(username)) !== undefined) return refusal(400, "Username already registered")
  const hashed = await hashes.run(`registrations ${address.key}`, () => passwords.hash(password))
  if (hashed.kind !== "done") return tooBusy(hashed)
  const player = await store.register({ username, passwordHash: hashed.value, spawn })
  if (player === "nameTaken") return refusal(400, "Username already registered")
  return jsonReply(201, accountWire(player, door.totalLevel))
}

/** Returns the player with this name and password, or the refusal. */
async function logIn(
  { username, password }: Credentials,
  address: ClientAddress,
  { limits, store, hashes, passwords }: Door,
): Promise<PlayerRecord | Response> {
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

function tooBusy({ kind }: Exclude<HashOutcome<unknown>, { kind: "done" }>): Response {
  return kind === "full"
    ? comeBackLater(503, "Too many people are at the door; try again", 1000)
    : comeBackLater(429, "Too many requests of your address at once; try again", 1000)
}

function accountWire(
  player: PlayerRecord,
  totalLevel: (skills: SkillXp) => number,
): z.infer<typeof accountBody> {
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

/** Admits a player with the right password, or refuses: ban, timeout, full world. */
async function admit(player: PlayerRecord, door: Door): Promise<Response> {
  const barred = barredReply(player, door.nowMs())
  if (barred !== undefined) return barred
  if (door.isAtCapacity(player.role)) {
    return comeBackLater(429, "The world is full; try again later", capacityRetryMs)
  }
  return tokenReply(await door.tokens.issue(player.username))
}
