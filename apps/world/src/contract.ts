// Contract of the world: the commands, queries, replicas and events between its server and its browser client.
import { defineContract, defineReplica, defineTopic, flag, integer, oneOf, text } from "@hawser/protocol"
import type { ReplicaRecord, ValidOutput } from "@hawser/protocol"
import { z } from "zod"

export const directions = ["UP", "DOWN", "LEFT", "RIGHT"] as const
export const directionSchema = z.enum(directions)
export type Direction = z.infer<typeof directionSchema>

export const chatChannels = ["local", "global", "dm"] as const

const positionSchema = z.object({ mapId: z.string(), x: z.int(), y: z.int() })
export type Position = z.infer<typeof positionSchema>

/** Level and experience by skill name. */
const skillsSchema = z.record(z.string(), z.object({ level: z.int(), xp: z.int() }))

const playerSchema = z.object({
  id: z.int(),
  username: z.string(),
  x: z.int(),
  y: z.int(),
  facing: directionSchema,
  hp: z.int(),
  maxHp: z.int(),
  /** Index of the outfit in the sprite sheet. */
  outfit: z.int(),
  /** True while the player's session is detached. The player stays on the tile and may resume at any moment. */
  away: z.boolean(),
})
export type Player = z.infer<typeof playerSchema>

/** Tile coordinate; the range is that of a map's file. */
const coordinate = integer({ min: 0, max: 65_535 })
const hitPoints = integer({ min: 0, max: 65_535 })
/**
 * Areas of interest, in tiles: a player sees at least 16 tiles in each direction. A screen is 20 tiles wide, and its
 * middle is up to 10 tiles from a player at the edge of the map. Small cells suit replicas with many changes: fewer
 * records outside of the screen are sent. Large cells suit replicas with few changes: fewer cells need upkeep.
 */
const busyArea = { x: "x", y: "y", cellSize: 8, range: 2 } as const
const quietArea = { x: "x", y: "y", cellSize: 16, range: 1 } as const

/** Key: the player's number. */
const players = defineReplica({
  durable: true,
  fields: {
    x: coordinate,
    y: coordinate,
    facing: oneOf(directions),
    username: text(),
    hp: hitPoints,
    maxHp: hitPoints,
    outfit: integer({ min: 0, max: 15 }),
    away: flag(),
  },
  area: busyArea,
})

const creatures = defineReplica({
  durable: true,
  fields: {
    x: coordinate,
    y: coordinate,
    facing: oneOf(directions),
    state: oneOf(["idle", "wandering"]),
    species: text(),
    hp: hitPoints,
    maxHp: hitPoints,
  },
  area: quietArea,
})

/** Trees and rocks. `stock` is the number of pieces left; at 0 the tree or rock is bare until it regrows. */
const resources = defineReplica({
  durable: true,
  fields: {
    x: coordinate,
    y: coordinate,
    kind: oneOf(["tree", "rock"]),
    stock: integer({ min: 0, max: 15 }),
  },
  area: quietArea,
})

export const itemKinds = ["log", "ore"] as const
export type ItemKind = (typeof itemKinds)[number]

/** Items on the ground. A player who steps onto the tile takes the item up. */
const groundItems = defineReplica({
  durable: true,
  fields: { x: coordinate, y: coordinate, kind: oneOf(itemKinds) },
  area: quietArea,
})

export const skillNames = [
  "exploration",
  "woodcutting",
  "mining",
  "attack",
  "strength",
  "defence",
  "hitpoints",
] as const

/** Maximum number of pieces of one kind that a player carries. */
export const carriedMax = 999

/** Pieces of each kind that a player carries. */
const goods = {
  log: integer({ min: 0, max: carriedMax }),
  ore: integer({ min: 0, max: carriedMax }),
} satisfies Record<ItemKind, unknown>

/** Experience in each skill. */
const experience = {
  exploration: integer(),
  woodcutting: integer(),
  mining: integer(),
  attack: integer(),
  strength: integer(),
  defence: integer(),
  hitpoints: integer(),
} satisfies Record<(typeof skillNames)[number], unknown>

/** Goods and experience of the players in the world. Each player sees only the own record. Key: the player's number. */
const belongings = defineReplica({
  durable: true,
  visibleTo: "owner",
  fields: { ...goods, ...experience },
})

/** Where players stood who have left, and what they had, until the database has it. No client sees it. Key: the player's number. */
const departed = defineReplica({
  durable: true,
  fields: {
    x: coordinate,
    y: coordinate,
    facing: oneOf(directions),
    hp: hitPoints,
    maxHp: hitPoints,
    ...goods,
    ...experience,
  },
})

/** The last lines of the chat, for those who enter. No client sees them as records. Key: the number of the line. */
const lines = defineReplica({
  durable: true,
  fields: {
    mapId: text(),
    x: coordinate,
    y: coordinate,
    sender: text(),
    message: text(),
    channel: oneOf(["local", "global"]),
    /** Milliseconds since 1970. */
    sentAtMs: integer(),
  },
})

/**
 * Pieces of wood and ore since the journal began, in one record with the key "all". `grown`: in new trees and rocks, and regrown.
 * `decayed`: on the ground at the end of their time. `stored`: of departed players, in the database, less those that players brought
 * from there. No client sees it.
 */
const ledger = defineReplica({
  durable: true,
  fields: { grown: integer(), decayed: integer(), stored: integer() },
})

/** A chunk of 16×16 tiles, row by row. A gid of 0 is an empty cell; `blocked` holds 0 or 1 for each tile. */
export const chunkSchema = z.object({
  chunkX: z.int(),
  chunkY: z.int(),
  layers: z.array(z.object({ name: z.string(), gids: z.array(z.int()) })),
  blocked: z.array(z.int()),
})
export type ChunkPayload = z.infer<typeof chunkSchema>

const statsSchema = z.record(z.string(), z.int())

const skillDetailSchema = z.object({
  name: z.string(),
  category: z.string(),
  description: z.string(),
  level: z.int(),
  xp: z.int(),
  xpForLevel: z.int(),
  xpForNextLevel: z.int(),
  maxLevel: z.int(),
})
export type SkillDetail = z.infer<typeof skillDetailSchema>

export const moveCooldownMs = 150
/**
 * Maximum number of steps without a reply; also the burst of the limit on `move`. Steps that a slow or lost connection
 * has delayed arrive together, but their average rate is that of walking. A client within the cooldown and this number
 * is never refused.
 */
export const movesInFlight = 4
/**
 * Maximum length of a chat text, in characters; a longer text is rejected. Each channel cuts an accepted text to its
 * limit.
 */
export const chatInputMaxLength = 500

const chatLineSchema = z.object({
  sender: z.string(),
  message: z.string(),
  channel: z.enum([...chatChannels, "system"]),
  /** Milliseconds since 1970. */
  sentAtMs: z.number(),
})

export const world = defineContract({
  name: "world",
  commands: {
    move: {
      input: z.object({ direction: directionSchema }),
      output: z.object({ position: positionSchema, previous: positionSchema, movedAtMs: z.number() }),
      limit: { everyMs: moveCooldownMs, burst: movesInFlight },
    },
    chatSend: {
      input: z.object({
        channel: z.enum(chatChannels),
        message: z.string(),
        recipient: z.string().max(50).optional(),
      }),
      output: z.object({ channel: z.enum(chatChannels), message: z.string() }),
      limit: { everyMs: 1_000, burst: 3 },
    },
    gather: {
      input: z.object({ x: z.int(), y: z.int() }),
      output: z.object({ skill: z.string(), xpGained: z.int(), level: z.int(), xp: z.int() }),
      limit: { everyMs: 1_000, burst: 1 },
    },
    /** Puts a carried piece onto the ground, beside the player's tile. `left` is the number that is still carried. */
    drop: {
      input: z.object({ item: z.enum(itemKinds) }),
      output: z.object({ left: z.int() }),
      limit: { everyMs: 500, burst: 3 },
    },
  },
  queries: {
    mapChunks: {
      input: z.object({ centerX: z.int(), centerY: z.int(), radius: z.int().min(1).max(5) }),
      output: z.object({
        mapId: z.string(),
        centerX: z.int(),
        centerY: z.int(),
        radius: z.int(),
        chunks: z.array(chunkSchema),
      }),
      limit: { everyMs: 100, burst: 20 },
      // The reply is composed of chunks that are encoded once; validation would parse 25 chunks for each query.
      trustOutput: true,
    },
    inventory: {
      output: z.object({
        slots: z.array(z.object({ slot: z.int(), item: z.enum(itemKinds), quantity: z.int() })),
        maxSlots: z.int(),
      }),
    },
    equipment: {
      output: z.object({ slots: z.array(z.string()), totalStats: statsSchema }),
    },
    stats: {
      output: z.object({ stats: statsSchema, skills: z.array(skillDetailSchema), totalLevel: z.int() }),
    },
    /** Load of the world. Times are of the last minute's ticks; null before the first. */
    worldHealth: {
      output: z.object({
        players: z.int(),
        tickP50Ms: z.number().nullable(),
        tickP99Ms: z.number().nullable(),
      }),
      limit: { everyMs: 500, burst: 4 },
    },
  },
  replicas: { players, creatures, resources, groundItems, belongings, departed, lines, ledger },
  events: {
    welcome: {
      payload: z.object({
        player: playerSchema,
        mapId: z.string(),
        mapWidth: z.int(),
        mapHeight: z.int(),
        motd: z.string(),
        moveCooldownMs: z.int(),
        /** Channels that this session's player may use. */
        chatChannels: z.array(z.enum(chatChannels)),
      }),
    },
    chatMessage: { payload: chatLineSchema },
    /** Sent after `welcome`: the last lines of the chat that the player would have heard, the oldest first. */
    chatHistory: { payload: z.object({ lines: z.array(chatLineSchema) }) },
    skills: { payload: z.object({ skills: skillsSchema }) },
    /** Sent after `welcome`: the number of the session's player, and how many others are in the world. */
    arrival: { payload: z.object({ playerId: z.int(), others: z.int() }) },
    playerJoined: { payload: playerSchema },
    playerLeft: { payload: z.object({ id: z.int(), username: z.string(), reason: z.string() }) },
    /** Composed like the reply to `mapChunks`. */
    chunkUpdate: {
      payload: z.object({ position: positionSchema, chunks: z.array(chunkSchema) }),
      trustOutput: true,
    },
  },
  errors: {
    move_collision_detected: z.object({ current: positionSchema }),
    move_out_of_bounds: z.object({ current: positionSchema }),
    map_invalid_coords: null,
    gather_nothing_left: null,
    gather_nothing_there: null,
    gather_hands_full: null,
    drop_nothing_carried: null,
    drop_no_space: null,
    chat_message_empty: null,
    chat_message_too_long: null,
    chat_permission_denied: null,
    chat_recipient_not_found: null,
    auth_player_not_found: null,
  },
  /** The sessions on one map. The server alone subscribes them. */
  topics: { map: defineTopic({ events: ["playerJoined", "playerLeft"] }) },
})
export type WorldContract = typeof world
export type WorldHealth = ValidOutput<WorldContract["queries"]["worldHealth"]>
export type PlayerFields = ReplicaRecord<WorldContract, "players">
export type CreatureFields = ReplicaRecord<WorldContract, "creatures">
export type ResourceFields = ReplicaRecord<WorldContract, "resources">
export type GroundItemFields = ReplicaRecord<WorldContract, "groundItems">
export type Belongings = ReplicaRecord<WorldContract, "belongings">
export type Departed = ReplicaRecord<WorldContract, "departed">
export type SpokenLine = ReplicaRecord<WorldContract, "lines">
export type Ledger = ReplicaRecord<WorldContract, "ledger">
